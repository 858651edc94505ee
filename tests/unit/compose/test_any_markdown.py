"""No text, however broken or hostile, crashes a build, keeps it busy, or makes a mail that runs."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.compose.harm import Judge


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


_WORDS = st.one_of(
    st.sampled_from(["word", "two words", "été", "مرحبا", "東京", "👩‍💻", "a  \nb", "c\\\nd", ""]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6),
)
_ADDRESSES = st.sampled_from(
    [
        *(
            "https://example.org/?a=1&b=2",
            "mailto:a@example.org",
            "/relative",
            "#here",
            "a.png",
            "",
        ),
        *(
            "javascript:alert(1)",
            "JaVaScRiPt&colon;alert(1)",
            "java\tscript:alert(1)",
            "vbscript:x",
        ),
        *("data:text/html,<script>alert(1)</script>", "data:image/svg+xml;base64,PHN2Zz4=", "//x"),
        *("{{ web_url }}", "{{ subscriber.email }}", "https://{{ subscriber.name }}/", "<a b>"),
        *("https://[::1", "https://a b/", "file:///etc/passwd", "&#106;avascript:x", "cid:1"),
    ]
)
_HTML = st.sampled_from(
    [
        *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>"),
        *("<form action='https://x.test'>", "<input>", "<base href='https://x.test/'>", "<a>"),
        *("<meta http-equiv='refresh' content='0;url=https://x.test'>", "<iframe src=x>", "</div>"),
        *("<style>*{background:url(https://x.test)}</style>", "<p style='width:expression(1)'>"),
        *("<!-- a", "-->", "<!--[if mso]><script></script><![endif]-->", "<![CDATA[", "]]>", "<?x"),
        *(
            "<mj-raw><script>x</script></mj-raw>",
            "<mj-text>",
            "</mj-body>",
            "<mj-include path='/'/>",
        ),
    ]
)
_MERGE = st.sampled_from(
    [
        *(
            "{{ subscriber.first_name }}",
            "{{ subscriber.x.y }}",
            "{{ unsubscribe_url }}",
            "{{",
            "}}",
        ),
        *(
            "{% if x %}",
            "{#",
            "{{ 7*7 }}",
            "{{ ''.__class__ }}",
            "{{ subscriber.name | default('<b>') }}",
        ),
    ]
)
_BROKEN = st.sampled_from(
    [
        *("**", "*", "__", "`", "``", "[", "](", ")", "![", "<", ">", "|", "\\", "~~~", "```", "$"),
        *(
            "&amp",
            "&#0;",
            "&#xD800;",
            "&#13;",
            "&#8238;",
            "&NewLine;",
            "{.button}",
            "{",
            "{onclick=x}",
        ),
        *("\u2028", "\u202e", "\u00a0", "\ufeff", "\x0b", "\x00", "\x1b[31m", "x" * 3000, "\t"),
    ]
)


def _inline(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(st.sampled_from(["*", "**", "_", "`", "~~", "***"]), inner).map(
            lambda pair: pair[0] + pair[1] + pair[0]
        ),
        st.tuples(
            st.sampled_from(["[", "![", "[!["]),
            inner,
            _ADDRESSES,
            st.sampled_from([")", ' "title")', "){.button}", "){onclick=x .y}", "](", ""]),
        ).map(lambda parts: f"{parts[0]}{parts[1]}]({parts[2]}{parts[3]}"),
        _ADDRESSES.map(lambda address: f"<{address}>"),
        st.lists(inner, max_size=4).map("".join),
    )


# Most of what is broken is refused, and then nothing after it is looked at: mostly it is whole.
_INLINE = st.recursive(st.one_of(*[_WORDS] * 6, _HTML, _MERGE, _BROKEN), _inline, max_leaves=3)


def _indented(first: str, rest: str, text: str) -> str:
    return first + text.replace("\n", f"\n{rest}")


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(
            st.sampled_from(["- ", "* ", "1. ", "99999999999) ", "> ", "    ", ""]), inner
        ).map(
            lambda pair: _indented(
                pair[0], " " * len(pair[0]) if pair[0] != "> " else "> ", pair[1]
            )
        ),
        st.tuples(
            st.sampled_from(
                [
                    *("when", "lead", "callout", "card", "columns", "column {width=40%}", "quote"),
                    *("only {list=main}", "html", "nothing", "quote {by='<script>'}", "{}", "x {y"),
                    *("event {date=2026-12-01 link='javascript:x'}", "column {width='1;x:y'}"),
                ]
            ),
            inner,
            st.sampled_from([":::", "::::", "", ":::\n:::"]),
        ).map(lambda parts: f"::: {parts[0]}\n{parts[1]}\n{parts[2]}"),
        st.tuples(st.sampled_from(["```", "~~~ x", "````"]), inner, st.booleans()).map(
            lambda parts: f"{parts[0]}\n{parts[1]}\n{parts[0][:3] if parts[2] else ''}"
        ),
        st.lists(inner, max_size=4).map("\n\n".join),
        st.lists(inner, max_size=4).map("\n".join),
    )


_LINE = st.tuples(
    st.sampled_from(
        ["", "", "# ", "## ", "### ", "| ", "[^1]: ", "[a]: ", "---\n", "| a |\n|---|\n| "]
    ),
    _INLINE,
    st.sampled_from(["", "", " {.featured}", " |", "\n---", "\n==="]),
).map("".join)
_BODIES = st.recursive(_LINE, _block, max_leaves=5)


@given(_BODIES)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_text_crashes_hangs_or_runs(judge: Judge, body: str) -> None:
    assert judge.harm(body) == []


_N = 10_000
_BOMBS = {
    "quotes": "> " * _N + "x",
    "bullets": "- " * _N + "x",
    "numbers": "1. " * _N + "x",
    "a list in each item": "\n".join("  " * depth + "- x" for depth in range(900)),
    "quotes of lists": "> - " * _N + "x",
    "lazy quotes": "> " * 200 + "x\n" * 4_000,
    "stars": "*" * 100_000,
    "emphasis": "*a_ " * 50_000,
    "emphasis that closes": "*a **b " * 1_200 + "** *" * 1_200,
    "paragraphs of emphasis": ("*a **b _c __d " * 700 + "\n\n") * 40,
    "brackets": "[" * 100_000,
    "brackets in paragraphs": ("[" * 9_000 + "\n\n") * 40,
    "links in links": "[a](" * 50_000,
    "pictures in pictures": "![" * 3_000 + "](a)" * 1_400,
    "links closed late": "[" * 2_400 + "a" + "](b)" * 1_800,
    "ticks": "".join("`" * number + " " for number in range(1, 1_300)),
    "ticks in paragraphs": ("".join("`" * number + " " for number in range(1, 130)) + "\n\n") * 90,
    "angles": "<" * 100_000,
    "tags not closed": ("<a " * 3_000 + "\n\n") * 40,
    "attributes not closed": ("<a b='" * 1_500 + "\n\n") * 40,
    "comments": ("<!--" * 2_400 + "\n\n") * 40,
    "CDATA": ("x<![CDATA[" * 900 + "\n\n") * 40,
    "declarations": ("x<!A" * 2_400 + "\n\n") * 40,
    "instructions": ("x<?" * 3_000 + "\n\n") * 40,
    "ampersands": "&" * 100_000,
    "a long number": "&#" + "9" * 100_000 + ";",
    "definitions": "".join(f"[{number}]: https://a.test\n" for number in range(30_000)),
    "one definition, many uses": f"[a]: https://a.test/{'b' * 9_000}\n\n" + "[a] " * 2_400,
    "one definition, many paragraphs": f"[a]: https://a.test/{'b' * 9_000}\n\n" + "[a]\n\n" * 5_000,
    "a label not closed": "[" + "\\[" * 50_000,
    "titles not closed": '[a](b "' * 1_400,
    "addresses with brackets": "[a](" + "(" * 9_000,
    "columns": "|a" * _N + "\n" + "|-" * _N + "\n|x" * 5_000,
    "columns and rows": "|a" * 1_000 + "\n" + "|-" * 1_000 + ("\n" + "|x" * 1_000) * 300,
    "cells without end": "|" * 100_000 + "\n" + "|-" * 50_000,
    "blocks": "::: card\n" * 5_000,
    "blocks that close": "::: card\n" * 2_000 + ":::\n" * 2_000,
    "columns that close": "::: columns\n::: column\n" * 30 + ":::\n" * 60,
    "colons": ":" * 100_000,
    "an option without end": "::: card {" + "a=" * 50_000,
    "options with room": "::: card {a" + " " * 100_000 + "b}",
    "a name with room": "::: card" + " " * 100_000 + "x",
    "colons with room": ":::" + " " * 100_000 + "x y",
    "room inside": ":::x" + " \t" * 50_000 + "y",
    "quotes in options": "::: card {" + "a='" * 30_000,
    "a heading with room": "## x" + " " * 9_000 + "y" + " " * 900 + "{",
    "a heading with classes": "## x {" + ".a" * 4_000,
    "merge tags not closed": "{{ a " * 20_000,
    "braces": "{" * 100_000,
    "a merge tag of brackets": "{{ " + "(" * 5_000 + " }}",
    "a merge tag of filters": "{{ subscriber.name" + " | default('x')" * 5_000 + " }}",
    "one line": "word " * 190_000,
    "one word": "x" * 900_000,
    "lines": "a\n" * 400_000,
    "empty lines": "\n" * 900_000,
    "items": "- a\n" * 200_000,
    "headings": "# a\n" * 200_000,
    "sections": "## a\n" * 6_000,
    "rules": "---\n" * 200_000,
    "fences": "```\n" * 200_000,
    "code": "    a\n\n" * 100_000,
    "hard breaks": "a\\\n" * 3_000,
    "too large": "x" * 1_000_001,
    "underlines": "a\n===\n" * 100_000,
    "tabs": "\t" * 500_000 + "x",
    "no-break spaces": "\u00a0" * 9_000,
    "combining letters": "a" + "\u0301" * 9_000,
    "the last letters": "\U0010ffff" * 2_000 + "\ufdd0",
}


@pytest.mark.parametrize("text", _BOMBS.values(), ids=_BOMBS)
def test_a_bomb_does_not_go_off(judge: Judge, text: str) -> None:
    assert judge.harm(text) == []


_HOSTILE = [
    "[a](javascript:alert(1))",
    "[a](  javascript:alert(1))",
    "[a](<java\nscript:alert(1)>)",
    "[a](&#x6A;avascript&colon;alert(1))",
    "[a](\x01javascript:alert(1))",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "![a](data:image/svg+xml,<svg onload=alert(1)>)",
    "![a](https://x.test/pixel.gif)",
    "![a](//x.test/pixel.gif)",
    "![a](../../../../etc/passwd)",
    '![a](a.png "x\\" onerror=\\"alert(1)")',
    '![a" onerror="alert(1)](a.png)',
    '[a](https://a.test/"onmouseover="alert(1))',
    "[a](https://a.test){.button onclick=alert(1) style=x}",
    "[a](javascript:alert(1)){.button}",
    "[![a](a.png)](javascript:alert(1))",
    "# <script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "</td></table><script>alert(1)</script>",
    "x --> y <!-- z",
    "<!--> <script>alert(1)</script> -->",
    "<!-- a --!> <script>alert(1)</script> -->",
    "<!-- a --> <script>alert(1)</script> <!-- b -->",
    "<![endif]--><script>alert(1)</script>",
    "<svg><style>*{background:url(https://x.test)}</style></svg>",
    "<meta http-equiv='refresh' content='0;url=https://x.test'>",
    "<base href='https://x.test/'>",
    "::: event {title='<script>' date=2026-12-01 link='javascript:alert(1)'}\nx\n:::",
    "::: event {title=a date=b link='data:text/html,x'}\nx\n:::",
    "::: column {width='1px;background:url(https://x.test)'}\nx\n:::",
    "::: quote {by='\"><script>alert(1)</script>'}\nx\n:::",
]
_HOSTILE_MJML = [
    "<mj-raw><script>alert(1)</script></mj-raw>",
    "<mj-raw><form action='https://x.test'></form></mj-raw>",
    "<mj-raw><meta http-equiv='refresh' content='0;url=https://x.test'></meta></mj-raw>",
    "<mj-raw><base href='https://x.test/'></base></mj-raw>",
    "<mj-raw><!--[if mso]><script>alert(1)</script><![endif]--></mj-raw>",
    "<mj-raw><svg onload='alert(1)'></svg></mj-raw>",
    "<mj-text><p onclick='alert(1)'>x</p></mj-text>",
    "<mj-text><p style='width:expression(alert(1))'>x</p></mj-text>",
    "<mj-text><p style='background:url(https://x.test/a.png)'>x</p></mj-text>",
    "<mj-text><p style='background:u/**/rl(https://x.test/a.png)'>x</p></mj-text>",
    "<mj-text><p style='background:&#117;rl(https://x.test/a.png)'>x</p></mj-text>",
    "<mj-text><p style=\"background:image-set('https://x.test/a.png' 1x)\">x</p></mj-text>",
    "<mj-text><p style='background:u\\72l(https://x.test/a.png)'>x</p></mj-text>",
    "<mj-text><a href=' javascript:alert(1)'>x</a></mj-text>",
    "<mj-text><a href='java&#9;script:alert(1)'>x</a></mj-text>",
    "<mj-text><a href='https://a.test' ping='https://x.test/'>x</a></mj-text>",
    "<mj-text><img alt='x' src='https://x.test/a.png'></img></mj-text>",
    "<mj-text><img alt='x' src='a.png' lowsrc='https://x.test/a.png'></img></mj-text>",
    "<mj-text><table background='https://x.test/a.png'></table></mj-text>",
    "<mj-text font-family='a;background:url(https://x.test/a.png)'>x</mj-text>",
    "<mj-text line-height='1;background:url(https://x.test/a.png)'>x</mj-text>",
    "<mj-divider border-style='solid;background:url(https://x.test/a.png)' />",
    "<mj-button href='javascript:alert(1)'>x</mj-button>",
    "<mj-button href='vbscript:x'>x</mj-button>",
    "<mj-button href='https://a.test' border='0;background:url(https://x.test)'>x</mj-button>",
    "<mj-image alt='x' src='https://x.test/a.png' />",
    "<mj-image alt='x' src='data:image/png;base64,AA==' />",
    "<mj-section background-url='https://x.test/a.png'><mj-column></mj-column></mj-section>",
    "<mj-include path='/etc/passwd' />",
    "<mj-style>*{background:url(https://x.test)}</mj-style>",
    "<mj-html-attributes><mj-selector path='a'></mj-selector></mj-html-attributes>",
    "<mj-social><mj-social-element name='facebook' href='https://a.test'>x</mj-social-element></mj-social>",
    "<mj-text css-class='a\" onclick=\"alert(1)'>x</mj-text>",
    "<mj-text css-class='x' mj-class='y'>x</mj-text>",
    "<mj-table><tr><td onclick='alert(1)'>x</td></tr></mj-table>",
]


@pytest.mark.parametrize("text", _HOSTILE)
def test_no_hostile_text_does_harm(judge: Judge, text: str) -> None:
    assert judge.harm(text) == []


@pytest.mark.parametrize("mjml", _HOSTILE_MJML)
def test_no_mjml_of_an_author_does_harm(judge: Judge, mjml: str) -> None:
    assert judge.harm(f"::: html\n{mjml}\n:::") == []


@pytest.mark.parametrize("key", ["subject", "title", "preheader"])
def test_no_front_matter_does_harm(judge: Judge, key: str) -> None:
    hostile = "</title><script>alert(1)</script>\" onload='x' --> \u202e"
    fronts = {"subject": "Hello"} | {key: hostile}
    front = "\n".join(
        f"{name}: '{text.replace(chr(39), chr(39) * 2)}'" for name, text in fronts.items()
    )

    assert judge.harm("x", front) == []

"""Whatever stands in an issue, it compiles to something harmless, or is refused with a sentence."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter_mail.errors import CompileError, IssueError
from newsletter_mail.words import Build
from tests.unit.compose.desk import Desk, filled, parsed

_PIECES = st.sampled_from(
    [
        *(
            "# ",
            "## ",
            "- ",
            "1. ",
            "> ",
            "    ",
            "---\n",
            "```\n",
            "~~~\n",
            "| a | b |\n|---|---|\n",
        ),
        *(
            "::: when\n",
            "::: columns\n",
            "::: column\n",
            "::: card\n",
            "::: callout\n",
            "::: html\n",
        ),
        *(":::\n", "::::\n", "::: quote {by='x'}\n", "::: event {date=x link='https://a.org'}\n"),
        *(
            "<mj-text>",
            "</mj-text>",
            "<mj-button href='javascript:x'>",
            "<mj-raw>",
            "<!--[if mso]>",
        ),
        *("<![endif]-->", "<!--", "-->", "<script>", "</script>", "<img src=x onerror=alert(1)>"),
        *(
            "[a](",
            "![a](",
            "![a](a.png)",
            ")",
            "](",
            "{.button}",
            "{onclick=x}",
            "{",
            "}",
            '"',
            "'",
        ),
        *("javascript:alert(1)", "data:text/html,x", "https://example.org/", "mailto:", "//x", "<"),
        *("{{ subscriber.name }}", "{{ web_url }}", "{{", "}}", "{% x %}", "{#", "&lt;", "&#106;"),
        *(
            "**",
            "*",
            "_",
            "`",
            "\\",
            "\n",
            "\n\n",
            "  \n",
            "\t",
            "\u00a0",
            "\u2028",
            "&#13;",
            "é",
            "🏙",
        ),
    ]
)
_BODIES = st.lists(
    st.one_of(_PIECES, st.text(st.characters(codec="utf-8"), max_size=8)), max_size=30
).map("".join)


def _compiled(body: str, front: str = "subject: Hello") -> Build | None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(workspace=Path(folder))
        desk.picture("a.png", (20, 10))
        try:
            return desk.compile(body, front)
        except (IssueError, CompileError):
            return None


@given(_BODIES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example("[a](javascript&#58;alert(1))")
@example("[a](java\nscript:alert(1))")
@example("[a](<java&Tab;script:alert(1)>)")
@example('![a](a.png "\\" onload=x")')
@example("::: html\n<mj-text><a href='java&#115;cript:x'>y</a></mj-text>\n:::")
@example("::: html\n<mj-text><a href='java&#10;script:x'>y</a></mj-text>\n:::")
@example("::: html\n<mj-raw></mj-raw><!-- --><mj-text>x</mj-text>\n:::")
def test_nothing_in_a_body_runs_or_crashes(body: str) -> None:
    build = _compiled(body)
    if build is None:
        return
    for element in parsed(build).iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in ("script", "iframe", "object", "embed", "form", "base")
        for name, value in element.attrib.items():
            assert not str(name).lower().startswith("on")
            if name in ("href", "src"):
                scheme = "".join(value.split()).partition(":")[0].lower()
                assert scheme not in ("javascript", "data", "vbscript")
    assert "Zm" not in filled(build.html, "") or "Zm" in body
    assert "{{" not in filled(build.subject, "")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60))
@settings(max_examples=100, deadline=None)
@example("subject: *a")
@example("subject: &a [*a]")
@example("? [a]\n: b")
@example("!!binary x: y")
@example("subject: '\n---\n'")
def test_no_front_matter_crashes(front: str) -> None:
    build = _compiled("Text.", front)

    assert build is None or build.subject


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
@example("a\u00a0b\u202fc")
@example("\u0301x")
@example("a_b *c* [d] <e> & \"f\" 'g' \\")
def test_letters_come_out_as_they_went_in(letters: str) -> None:
    escaped = "".join(f"&#{ord(letter)};" for letter in letters)
    build = _compiled(f"x{escaped}x")

    assert build is not None
    body = "".join(parsed(build).find("body").itertext())
    expected = letters.replace("\u2028", " ").replace("\u2029", " ")
    assert f"x{expected}x" in body

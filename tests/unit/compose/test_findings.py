"""Everything that can be wrong in an issue is said with its line, and all of it at once."""

import pytest

from newsletter_mail.errors import IssueError, IssueErrors
from tests.unit.compose.desk import BODY, Desk


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        # Merge tags.
        ("a {{ 7*7 }}", BODY, "{{ 7*7 }} is not a merge tag"),
        ("a\n{% import os %}", BODY + 1, "{% is not allowed here"),
        ("a\n\n{{ subscriber.frist_name }}", BODY + 2, "did you mean subscriber.first_name?"),
        ("{{ subscriber.name", BODY, "{{ without its }}"),
        ("{{ subscriber.name\n}}", BODY + 1, "}} without its {{"),
        ("{{ " + "(" * 140 + "a" + ")" * 140 + " }}", BODY, "nested too deeply"),
        ("{{ " + "a" * 400 + " }}", BODY, "300 letters at most"),
        ("# For {{ subscriber.name }}\n\nx", BODY, "the title is the same for all"),
        # Raw HTML.
        ("a <script>alert(1)</script>", BODY, "raw HTML is not put into a mail: <script>"),
        ("a\n\n<div onclick='x'>\n", BODY + 2, "in ::: html"),
        ("a\nb <b>c</b>", BODY + 1, "<b>"),
        ("<!-- x --> <i>", BODY, "raw HTML"),
        # Links.
        ("[a](javascript:alert(1))", BODY, "cannot have the scheme javascript:"),
        ("a\n[a](JaVaScRiPt:alert(1))", BODY + 1, "cannot have the scheme JaVaScRiPt:"),
        ("<javascript:alert(1)>", BODY, "cannot have the scheme javascript:"),
        ("[a](data:text/html,x)", BODY, "cannot have the scheme data:"),
        ("[a](/news)", BODY, "/news is not a whole address"),
        ("[a](//example.org)", BODY, "is not a whole address"),
        ("[a](#top)", BODY, "leads to a place in the mail"),
        ("[a](https://)", BODY, "is no address"),
        ("[a](https:example.org)", BODY, "is no address"),
        ("::: event {date='x' link='https://[x'}\ny\n:::", BODY, "is no address"),
        ("::: event {date='x' link='https://x.org/a b'}\ny\n:::", BODY, "is no address"),
        ("[a](mailto:)", BODY, "is not a whole address"),
        ("[a]()", BODY, "has no address"),
        ("[](https://example.org)", BODY, "no text to click on"),
        ("[a]({{ web_url }}/x)", BODY, "{{ web_url }}/x is not a whole address"),
        ("[a](https://example.org){.buton}", BODY, "no class buton; did you mean button?"),
        ("[a](https://example.org){onclick=x}", BODY, "cannot have onclick"),
        ("[a](https://example.org){.secondary}", BODY, "secondary is for buttons"),
        ("x [a](https://example.org){.button}", BODY, "a paragraph of its own"),
        ("- [a](https://example.org){.button}", BODY, "cannot stand in a list or a quote"),
        # Headings.
        ("x\n\n# Title", BODY + 2, "this one stands after other text"),
        ("# A\n\n# B\n\nx", BODY + 2, "this one is the second"),
        ("## A {.feature}\n\nx", BODY, "no class feature; did you mean featured?"),
        ("##\n\nx", BODY, "this heading is empty"),
        ("::: callout\n# A\n:::", BODY + 1, "use ## or ### here"),
        # Blocks.
        ("a\n\n::: wehn\nx\n:::", BODY + 2, "there is no block wehn; did you mean when?"),
        ("::: text\nx\n:::", BODY, "there is no block text"),
        ("a\n\n::: when\nx", BODY + 2, "::: when is not closed; put a line ::: after it"),
        ("a\n\n:::\n", BODY + 2, "::: closes nothing"),
        ("::: when\nx\n::::\n:::", BODY + 2, "the block open here is ::: when of line 4"),
        (":::: callout\n::: when\nx\n::::", BODY + 1, "::: when is not closed"),
        ("::: {.x}\nx\n:::", BODY, "a block needs a name"),
        ("::: when 27 June\nx\n:::", BODY, "the text stands on the lines below"),
        ("::: event {dat='x' date='y'}\nx\n:::", BODY, "no option dat; did you mean date?"),
        ("::: event {place='x'}\nx\n:::", BODY, "::: event needs date"),
        ("::: event {date='x' date='y'}\nx\n:::", BODY, "date is given twice"),
        ("::: event {date='x' link='news'}\nx\n:::", BODY, "news is not a whole address"),
        ("::: when {x='y'}\nz\n:::", BODY, "no option x; it has none"),
        ("::: when\n:::", BODY, "::: when is empty"),
        ("::: when\n---\n:::", BODY + 1, "::: when has only text in it"),
        ("::: columns\nx\n:::", BODY + 1, "has ::: column in it"),
        ("::: columns\n::: column {width='wide'}\nx\n:::\n:::", BODY + 1, "'wide' is not a width"),
        ("::: column\n::: callout\nx\n:::\n:::", BODY + 1, "cannot stand in ::: column"),
        ("- a\n  ::: when\n  x\n  :::\n", BODY + 1, "cannot stand in a list or a quote"),
        ("a\n> ::: when", BODY + 1, "colons in running text open no block"),
        # Depth and size.
        ("x\n\n" + "> " * 200 + "y", BODY + 2, "nested too deeply"),
        ("x\n\n" + "y" * 20_000, BODY + 2, "break it up"),
        ("- a\n" * 20_000, None, "far too many parts"),
        ("", BODY, "the issue is empty"),
        ("a\nb\x07c", BODY + 1, "control character (U+0007)"),
    ],
)
def test_a_mistake_in_the_body_is_said_with_its_line(
    desk: Desk, body: str, line: int | None, words: str
) -> None:
    found = desk.findings(body)

    assert any(at == line and words in message for at, message in found), found


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("subjct: a", 2, "unknown key subjct; did you mean subject?"),
        ("preheader: a", 1, "the subject is missing"),
        ("subject: [a, b]", 2, "must be a text, not a list"),
        ("subject: {a: b}", 2, "must be a text, not a list or a table"),
        ("subject: 2023", 2, 'put it in quotes: subject: "2023"'),
        ("subject: 2023-13-45", 2, "must be a text"),
        ("subject: !!python/object:os.system x", 2, "must be a text"),
        ("subject:", 2, "subject is empty"),
        ("subject: |\n  a\n  b", 2, "must be one line"),
        ("subject: a\nsubject: b", 3, "given twice"),
        ("subject: a: b", 2, "not YAML"),
        ("subject: a\n\tb: c", 3, "not YAML"),
        ("subject: " + "[" * 4000, 1, "not YAML"),
        ("subject: a\nlanguage: english", 3, "language must be a language, such as en"),
        ("subject: a\ntemplate: ../x", 3, "template must be the name of a template"),
        ("subject: a\npictures: inline", 3, "pictures must be host or embed, not 'inline'"),
        ("subject: a\ntemplate: defalt", 3, "no template defalt; did you mean default?"),
        ("subject: a\npreheader: '{{ x }}'", 3, "there is no x"),
        ("subject: '{{ subscriber.nam }}'", 2, "did you mean subscriber.name?"),
        ("- a", 2, "must have lines such as subject"),
        ("subject: " + "a" * 20_000, 1, "too long"),
    ],
)
def test_a_mistake_in_the_front_matter_is_said_with_its_line(
    desk: Desk, front: str, line: int, words: str
) -> None:
    found = desk.findings("Text.", front)

    assert any(at == line and words in message for at, message in found), found


def test_all_findings_come_at_once_in_the_order_of_their_lines(desk: Desk) -> None:
    found = desk.findings(
        "{{ nobody }}\n\n::: wen\nx\n:::\n\n![a](b.png)\n\n[a](javascript:x)\n\n{% x %}",
        "subject: Hello\nsubjct: x",
    )

    assert [line for line, _ in found] == [3, 5, 7, 11, 13, 15]


def test_the_path_is_relative_to_the_workspace(desk: Desk) -> None:
    desk.write("[a](b)")

    with pytest.raises(IssueErrors) as caught:
        desk.compile()

    assert str(caught.value).startswith("issues/sample/issue.md:4: ")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"a" * 10_000_000, None, "10.0 MB; an issue may have 1 MB"),
        (b"---\nsubject: a\n---\ncaf\xe9\n", 4, "not UTF-8"),
        (b"# No front matter\n", 1, "must begin with its front matter"),
        (b"---\nsubject: a\n", 1, "must begin with its front matter"),
        (b"", 1, "must begin with its front matter"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    desk: Desk, content: bytes, line: int | None, words: str
) -> None:
    desk.write("")
    (desk.folder / "issue.md").write_bytes(content)

    with pytest.raises(IssueError) as caught:
        desk.compile()

    assert caught.value.line == line
    assert words in caught.value.message


def test_an_issue_that_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(IssueError, match=r"issues/sample/issue\.md: there is no such file"):
        desk.compile()


def test_findings_have_an_end(desk: Desk) -> None:
    assert len(desk.findings("{{ x }}\n" * 5000)) == 100


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(desk: Desk) -> None:
    plain = desk.compile("## A\n\nb\nc\n")
    file = desk.folder / "issue.md"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))

    assert desk.compile().digest == plain.digest

"""The plain-text part can be read by itself."""

import pytest

from newsletter_mail.words import HoleContext
from tests.unit.compose.desk import Desk, filled, holes


def _middle(desk: Desk, body: str) -> str:
    """The text of a body, without what stands around it."""
    text = filled(desk.compile(f"# T\n\n{body}").text)
    head, foot = "City Letters\nT\n=\n\n", "-" * 72
    assert text.startswith(head)
    return text.removeprefix(head).rpartition(foot)[0].strip("\n")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("**a**\n*b* `c`  \nd", "a b c\nd"),
        ("a&nbsp;b &lt;c&gt; {x}", "a\u00a0b <c> {x}"),
        ("## A\n\nb", "A\n-\n\nb"),
        ("### A b\n\nc", "A b\n~~~\n\nc"),
        ("see [a](https://example.org/a).", "see a.\n  https://example.org/a"),
        ("[a b](https://example.org/a)!", "a b!\n  https://example.org/a"),
        ("see [a](https://example.org/a) now.", "see a now.\n  a: https://example.org/a"),
        (
            "[a](https://example.org/a) [b](https://example.org/b)",
            "a b\n  a: https://example.org/a\n  b: https://example.org/b",
        ),
        ("<https://example.org>", "https://example.org"),
        ("[a@example.org](mailto:a@example.org)", "a@example.org"),
        ("[A b](https://example.org){.button}", "A b: https://example.org"),
        (
            f"[A](https://example.org/{'x' * 70}){{.button}}",
            f"A:\n  https://example.org/{'x' * 70}",
        ),
        ("- a\n- b\n  1. c\n  2. d", "- a\n- b\n\n  1. c\n  2. d"),
        ("3. a\n\n4. b\n\n   c", "3. a\n\n4. b\n\n   c"),
        ("> a\n>\n> b", "> a\n>\n> b"),
        ("::: quote {by='B, C'}\na\n:::", "> a\n> — B, C"),
        ("    a  b\n    c", "    a  b\n    c"),
        ("a\n\n---\n\nb", "a\n\n* * *\n\nb"),
        ("| A | B |\n|---|--:|\n| cc | 1 |", "A   B\n--  -\ncc  1"),
        ("| Aaaa | B |\n|:-:|---|\n| c | 都市 |", "Aaaa  B\n----  ----\n c    都市"),
        ("## 都市\n\nb", "都市\n----\n\nb"),
        ("![a town](a.png 'A caption')", "[Picture: a town]\nA caption"),
        ("b\n\n![](a.png){.decoration}", "b"),
        ("::: when\n27 June\n:::", "27 June"),
        (
            "::: event {title=T date=D place=P link='https://example.org'}\na\n:::",
            "T\nWhen: D\nWhere: P\nMore information: https://example.org\n\na",
        ),
        ("::: html {text='In words.'}\n<mj-text>x</mj-text>\n:::", "In words."),
        ("::: columns\n::: column {width=50%}\na\n:::\n::: card\nb\n:::\n:::", "a\n\nb"),
    ],
)
def test_blocks_in_plain_text(desk: Desk, body: str, text: str) -> None:
    desk.picture("a.png")

    assert _middle(desk, body) == text


def test_a_table_that_is_too_wide_becomes_records(desk: Desk) -> None:
    long = "word " * 12
    text = _middle(desk, f"| A | B |\n|---|---|\n| {long} | {long} |\n| c | d |")

    assert text.startswith("A: word word")
    assert text.endswith("A: c\nB: d")


def test_lines_are_wrapped_and_addresses_are_not(desk: Desk) -> None:
    address = "https://example.org/" + "long-path/" * 12
    text = _middle(desk, "some words " * 40 + f"[here]({address}) " + "and more " * 20)
    lines = text.split("\n")

    assert lines[-2:] == ["  here:", f"    {address}"]
    assert all(len(line) <= 72 for line in lines if address not in line)


def test_the_address_of_each_link_stands_under_its_own_block(desk: Desk) -> None:
    text = _middle(
        desk,
        "[a](https://example.org/1) and [a](https://example.org/1) too\n\n"
        "- [b](https://example.org/2)\n\n> [c](https://example.org/3)",
    )

    assert text.split("\n") == [
        "a and a too",
        "  a: https://example.org/1",
        "",
        "- b",
        "    https://example.org/2",
        "",
        "> c",
        ">   https://example.org/3",
    ]


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ("Dear {{ subscriber.name }},", HoleContext.TEXT),
        ("[a]({{ subscriber.name }})", HoleContext.TEXT),
        ("[a](https://example.org/?q={{ subscriber.name }}&x)", HoleContext.TEXT_URL_PART),
        ("[a](mailto:{{ subscriber.email }})", HoleContext.TEXT_URL_PART),
    ],
)
def test_a_merge_tag_in_plain_text_knows_where_it_stands(
    desk: Desk, body: str, context: HoleContext
) -> None:
    build = desk.compile(body)
    found = [hole for hole in holes(build.text) if hole.expression.startswith("subscriber.")]

    assert [hole.context for hole in found] == [context]


def test_the_foot_says_how_to_leave_in_the_language_of_the_issue(desk: Desk) -> None:
    build = desk.compile("Texte.", "subject: S\nlanguage: fr-CA")
    text = filled(build.text)

    assert "Se désabonner: VALUE\n" in text
    assert "Modifier vos préférences: VALUE\n" in text
    assert text.endswith("City Letters\n1 Example Street\n08002 Barcelona, Spain\n")
    assert [hole.expression for hole in holes(build.text)] == [
        "unsubscribe_url",
        "preferences_url",
        "web_url",
    ]


def test_no_line_of_plain_text_ends_in_a_space(desk: Desk) -> None:
    text = filled(desk.compile("> a\n>\n> b\n\n- \n\n| a | b |\n|---|---|\n| c | |").text)

    assert not any(line.endswith(" ") for line in text.split("\n"))
    assert "\r" not in text

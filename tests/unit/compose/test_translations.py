"""A translation has the sections, links and pictures of the issue, and dates in its own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.compose.build import compile_issue, structure_findings
from newsletter_mail.compose.comparison import compare_outlines
from newsletter_mail.compose.outline import Outline, OutlineSection
from newsletter_mail.errors import IssueErrors
from tests.unit.compose.desk import BODY, SETTINGS, Desk, filled, visible_text

ENGLISH = """\
# News

Dear reader, [read on](https://example.org/en/).

## Paris

![a town](town.png)

- A [link](https://example.org/1)
- **[Another](https://example.org/2)**

## Mardan

::: event {date="2026-04-02" link="https://example.org/day"}
Come.
:::

[Join](https://example.org/join){.button}
"""
FRENCH = """\
# Nouvelles

Chers lecteurs, [lisez](https://example.org/fr/).

## À Paris

![une ville](town.png)

- Un [lien](https://example.org/1)
- **[Encore](https://example.org/2)**

## À Mardan

::: event {date="2026-04-02" link="https://example.org/day"}
Venez.
:::

[Participer](https://example.org/join){.button}
"""


def findings(desk: Desk, english: str, french: str) -> list[tuple[str, str, int, str]]:
    desk.picture("town.png")
    desk.write(english)
    desk.write(french, name="issue.fr.md")
    found = structure_findings(desk.folder, workspace=desk.workspace, settings=SETTINGS)
    return [(one.rule, one.file.rpartition("/")[2], one.line, one.message) for one in found]


def test_translations_that_say_the_same_have_no_findings(desk: Desk) -> None:
    assert findings(desk, ENGLISH, FRENCH) == []


def line_of(text: str, words: str) -> int:
    return BODY + text[: text.index(words)].count("\n")


@pytest.mark.parametrize(
    ("cut", "rule", "where", "words"),
    [
        (FRENCH[FRENCH.index("## À Paris") : FRENCH.index("## À M")], "section", "", "“Paris” of"),
        (FRENCH[FRENCH.index("## À M") :], "section", "## À Paris", "“Mardan” of issues/sample"),
        ("[lien](https://example.org/1)", "link", "## À Paris", "https://example.org/1 is not"),
        (' link="https://example.org/day"', "link", "## À M", "https://example.org/day is not"),
        ("[Participer](https://example.org/join){.button}", "link", "## À M", "there is 1 link"),
        ("![une ville](town.png)", "picture", "## À Paris", "there are no pictures here, and 1"),
        ("[lisez](https://example.org/fr/)", "link", "", "example.org/en/ is not here"),
    ],
)
def test_what_a_translation_lacks(desk: Desk, cut: str, rule: str, where: str, words: str) -> None:
    french = FRENCH.replace(cut, "")
    ((found, file, line, message),) = findings(desk, ENGLISH, french)

    assert found == f"translations.{rule}-missing"
    assert (file, line) == ("issue.fr.md", line_of(french, where) if where else BODY)
    assert words in message


def test_what_only_a_translation_has_is_missing_in_the_issue(desk: Desk) -> None:
    extra = "\n## En plus\n\nBonjour.\n"
    ((rule, file, line, message),) = findings(desk, ENGLISH, FRENCH + extra)

    assert (rule, file) == ("translations.section-missing", "issue.md")
    assert line == line_of(ENGLISH, "## Mardan")
    assert f"issue.fr.md:{line_of(FRENCH + extra, '## En plus')}" in message


def test_an_issue_in_one_language_has_nothing_to_compare(desk: Desk) -> None:
    desk.picture("town.png")
    desk.write(ENGLISH)
    assert structure_findings(desk.folder, workspace=desk.workspace, settings=SETTINGS) == []


def test_what_is_wrong_otherwise_is_said_first(desk: Desk) -> None:
    with pytest.raises(IssueErrors, match=r"issue\.fr\.md:6"):
        findings(desk, ENGLISH, "Text.\n\n![a](nowhere.png)")


SECTIONS = st.lists(
    st.builds(
        OutlineSection,
        title=st.sampled_from(["", "A", "B"]),
        line=st.integers(1, 99),
        links=st.lists(st.sampled_from(["https://a/", "https://b/"]), max_size=3).map(tuple),
        pictures=st.lists(st.sampled_from(["1", "2"]), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=6,
).map(tuple)


@given(sections=SECTIONS, gone=st.integers(0, 5))
def test_one_section_less_is_one_section_missing(
    sections: tuple[OutlineSection, ...], gone: int
) -> None:
    whole = Outline(file="issue.md", sections=sections)
    assert compare_outlines([whole, whole]) == []
    if not 0 < gone < len(sections):
        return
    rest = Outline(file="issue.fr.md", sections=sections[:gone] + sections[gone + 1 :])
    found = compare_outlines([whole, rest])
    assert [one.rule for one in found] == ["translations.section-missing"]
    assert found[0].file == "issue.fr.md"
    # Alike sections side by side cannot be told apart.
    lines = {one.line for one in sections if one.links == sections[gone].links}
    assert any(f"issue.md:{line}" in found[0].message for line in lines)


def test_dates_come_in_the_words_of_each_language(desk: Desk) -> None:
    body = '::: when\n2026-06-27\n:::\n\n::: event {title="A" date="2026-04-02 10:00"}\nB\n:::\n'
    desk.write(body)
    desk.write(body, name="issue.es.md")
    english = compile_issue(desk.folder, workspace=desk.workspace, settings=SETTINGS)
    spanish = compile_issue(desk.folder, workspace=desk.workspace, settings=SETTINGS, language="es")

    for said in (filled(spanish.text), visible_text(spanish)):
        assert "27 de junio de 2026" in said
        assert "2 de abril de 2026, 10:00" in said
        assert "Cuándo: 2 de abril" in said
    assert "June 27, 2026" in filled(english.text)
    assert "2026-06" not in filled(english.html)


def test_a_date_that_there_is_not_is_named_with_its_line(desk: Desk) -> None:
    found = desk.findings('::: when\n2026-02-30\n:::\n\n::: event {date="2026-13-01"}\nB\n:::\n')
    assert found == [
        (BODY + 1, "there is no date 2026-02-30"),
        (BODY + 4, "there is no date 2026-13-01"),
    ]

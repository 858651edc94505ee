"""``diff``: what has changed since the first send froze an issue."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.integration.people import Desk

FRONT = "---\nsubject: Hello {{ subscriber.first_name | default('you') }}\n---\n"
TEXT = FRONT + "# News\n\nOne line.\n\n## Paris\n\n![a town](town.png)\n\nAnother line.\n"


def _picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A workspace whose issue was sent to one person."""
    desk = Desk.make(tmp_path / "workspace")
    (desk.path / "issues" / "spring").mkdir(parents=True)
    desk.file("issues/spring/issue.md", TEXT)
    desk.file("issues/spring/town.png", _picture("red"))
    desk.do("subscribers", "add", "ada@example.org")
    desk.do("send", "spring", "--yes")
    return desk


def test_an_issue_as_it_was_frozen(desk: Desk) -> None:
    ended = desk.do("diff", "spring")
    assert ended.out.startswith("spring: as it was frozen on 20")


def test_other_words_are_shown_line_by_line(desk: Desk) -> None:
    desk.file("issues/spring/issue.md", TEXT.replace("One line", "Two lines"))
    ended = desk.run("diff", "spring")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0].startswith("spring: changed since it was frozen on 20")
    assert "en: the text is different" in lines
    assert lines[lines.index("--- frozen") + 1] == "+++ now"
    assert "-One line." in lines
    assert "+Two lines." in lines
    assert not any("Another line" in line for line in lines)


def test_another_subject_is_shown_with_its_merge_tag(desk: Desk) -> None:
    desk.file("issues/spring/issue.md", TEXT.replace("Hello", "Good day"))
    lines = desk.run("diff", "spring").out.splitlines()
    assert "-Subject: Hello {{ subscriber.first_name | default('you') }}" in lines
    assert "+Subject: Good day {{ subscriber.first_name | default('you') }}" in lines


def test_another_picture(desk: Desk) -> None:
    desk.file("issues/spring/town.png", _picture("blue"))
    ended = desk.run("diff", "spring")
    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "en: pictures are different: 1 gone, 1 new"


def test_another_look_of_the_same_text(desk: Desk) -> None:
    theme = desk.path / "templates" / "default" / "theme.toml"
    theme.parent.mkdir(parents=True)
    theme.write_text('[light]\npage = "#eeeeee"\n')
    ended = desk.run("diff", "spring")
    assert ended.code == 1
    assert "en: only the HTML is different" in ended.out


def test_pictures_that_move_into_the_message(desk: Desk) -> None:
    desk.file("newsletter.toml", '[newsletter]\npictures = "embed"\n')
    ended = desk.run("diff", "spring")
    assert (ended.code, ended.out.splitlines()[-1]) == (
        1,
        "en: pictures are embedded in the message now",
    )


def test_a_language_that_comes_and_one_that_goes(desk: Desk) -> None:
    desk.file("issues/spring/issue.fr.md", TEXT)
    desk.file("issues/spring/issue.md", TEXT.replace("---\ns", "---\nlanguage: de\ns", 1))
    ended = desk.run("diff", "spring")
    assert ended.code == 1
    assert [line for line in ended.out.splitlines() if line[2:3] == ":"] == [
        "en: this language is gone; the frozen edition has it",
        "de: this language is new; the frozen edition does not have it",
        "fr: this language is new; the frozen edition does not have it",
    ]


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        ("autumn", "autumn was never sent to a list: there is nothing to compare with"),
        ("sprung", "there is no issue sprung; did you mean spring?"),
    ],
)
def test_an_issue_that_cannot_be_compared(desk: Desk, issue: str, words: str) -> None:
    (desk.path / "issues" / "autumn").mkdir()
    desk.file("issues/autumn/issue.md", TEXT.replace("![a town](town.png)", ""))
    ended = desk.run("diff", issue)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"Error: {words}\n"


def test_a_file_that_is_broken_since(desk: Desk) -> None:
    desk.file("issues/spring/issue.md", TEXT + "\n::: wehn\nx\n:::\n")
    ended = desk.run("diff", "spring")
    assert ended.code == 2
    assert "issues/spring/issue.md:14: there is no block wehn" in ended.err

"""A build is the same everywhere, knows its languages, and its digest covers all of it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter_mail.compose.build import compile_issue, issue_languages
from newsletter_mail.compose.phrases import phrases_for
from newsletter_mail.errors import IssueError, IssueErrors
from newsletter_mail.phrases import direction_of
from tests.unit.compose.desk import SETTINGS, Desk, filled, visible_text

_BODY = """# Summer

Dear {{ subscriber.name | default("you") }}, [a](https://example.org/{{ subscriber.email }})

![a town](town.png) ![a hill](hill.png)

## Section {.featured}

::: event {date=today place=here link="https://example.org"}
Text.
:::
"""

_PRINT_DIGEST = """
import sys
from pathlib import Path
from tests.unit.compose.desk import Desk
print(Desk(workspace=Path(sys.argv[1])).compile().digest)
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "4242", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
    ],
)
def test_the_same_issue_gives_the_same_bytes_in_every_process(
    desk: Desk, environment: dict[str, str]
) -> None:
    desk.picture("town.png")
    desk.picture("hill.png", (40, 40))
    here = desk.compile(_BODY).digest
    there = subprocess.run(
        [sys.executable, "-c", _PRINT_DIGEST, str(desk.workspace)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.strip() == here


def test_the_same_issue_in_another_folder_gives_the_same_bytes(desk: Desk, tmp_path: Path) -> None:
    other = Desk(workspace=tmp_path / "other" / "place")
    # Written in the other order: a directory's order is its history.
    other.picture("hill.png")
    other.picture("town.png")
    desk.picture("town.png")
    desk.picture("hill.png")

    assert desk.compile(_BODY).digest == other.compile(_BODY).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [("Summer", "Winter"), ("today", "tomorrow"), ("hill.png", "town.png"), ("| default", "or")],
)
def test_the_digest_covers_what_is_written(desk: Desk, old: str, new: str) -> None:
    desk.picture("town.png")
    desk.picture("hill.png", (40, 40))
    body = _BODY.replace('| default("you")', 'or "you"') if new == "or" else _BODY.replace(old, new)

    assert desk.compile(body).digest != desk.compile(_BODY).digest


def test_the_digest_covers_pictures_settings_and_subject(desk: Desk) -> None:
    desk.picture("town.png")
    desk.picture("hill.png", (40, 40))
    first = desk.compile(_BODY).digest
    subject = desk.compile(_BODY, "subject: Other").digest
    desk.write(_BODY)
    moved = compile_issue(
        desk.folder,
        workspace=desk.workspace,
        settings=replace(SETTINGS, postal_address="2 Example Street"),
    ).digest
    desk.picture("hill.png", (41, 40))

    assert len({first, subject, moved, desk.compile(_BODY).digest}) == 4


def test_an_issue_knows_its_slug_title_and_language(desk: Desk) -> None:
    build = desk.compile("# A *summer*\n\nText.", "subject: S\nlanguage: pt-BR\ntitle: T")

    assert (build.slug, build.title, build.language) == ("sample", "A summer", "pt-BR")
    assert "<title>T</title>" in filled(build.html)


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ("subject: S\ntitle: T", "T"),
        ("subject: S", "S"),
        ("subject: '{{ subscriber.name }}'", "City Letters"),
    ],
)
def test_without_a_masthead_another_title_is_taken(desk: Desk, front: str, title: str) -> None:
    assert desk.compile("Text.", front).title == title


def test_the_languages_of_an_issue(desk: Desk) -> None:
    desk.write("English.", "subject: Hello\nlanguage: en")
    desk.write("Español.", "subject: Hola", "issue.es.md")
    desk.write("Français.", "subject: Bonjour\nlanguage: fr", "issue.fr.md")

    def build(language: str | None) -> tuple[str, str]:
        found = compile_issue(
            desk.folder, workspace=desk.workspace, settings=SETTINGS, language=language
        )
        return found.language, filled(found.subject)

    languages = issue_languages(desk.folder, workspace=desk.workspace, settings=SETTINGS)
    assert languages == ["en", "es", "fr"]
    assert build(None) == build("en") == ("en", "Hello")
    assert build("es") == ("es", "Hola")
    assert build("fr") == ("fr", "Bonjour")
    with pytest.raises(IssueError, match=r"issues/sample: there is no issue\.de\.md"):
        build("de")


def test_a_translation_must_be_in_the_language_of_its_name(desk: Desk) -> None:
    desk.write("English.")
    desk.write("Français.", "subject: Bonjour\nlanguage: es", "issue.fr.md")

    with pytest.raises(IssueErrors, match=r"issue\.fr\.md:3: the file is named for fr"):
        compile_issue(desk.folder, workspace=desk.workspace, settings=SETTINGS, language="fr")


def test_only_pictures_that_are_shown_travel(desk: Desk) -> None:
    desk.picture("town.png")
    desk.picture("hill.png", (40, 40))
    desk.picture("unused.png", (50, 50))

    assert len(desk.compile(_BODY).pictures) == 2


def test_phrases_fall_back_to_the_parent_and_then_to_english() -> None:
    assert phrases_for("fr-CA") == phrases_for("fr") != phrases_for("en")
    assert phrases_for("xx") == phrases_for("en")
    assert [direction_of(tag) for tag in ("ar", "he-IL", "FA", "ur", "en", "fr-CA")] == [
        "rtl",
        "rtl",
        "rtl",
        "rtl",
        "ltr",
        "ltr",
    ]


def test_settings_are_text_and_nothing_else(desk: Desk) -> None:
    desk.write("Text.")
    settings = replace(
        SETTINGS, newsletter_name="<script>A & B</script>", postal_address="<b>\nx", sender_name="&"
    )
    build = compile_issue(desk.folder, workspace=desk.workspace, settings=settings)

    assert "<script>A & B</script>" in visible_text(build)
    assert "<script" not in filled(build.html)
    assert filled(build.text).endswith("&\n<b>\nx\n")

"""The catalogues say all that the code says, in every language."""

import contextlib
import os
import re
import string
import subprocess
import sys

import pytest
from babel import Locale
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from docs.make_catalogues import catalogue, phrases
from newsletter_mail.phrases import (
    NoSuchDate,
    direction_of,
    languages,
    localised_date,
    phrase,
    spoken,
    translate,
)
from newsletter_mail.phrases.catalogue import catalogue_file

OTHERS = [language for language in languages() if language != "en"]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_languages_of_the_united_nations_events_are_there() -> None:
    assert set(languages()) >= {"ar", "de", "en", "es", "fr", "pt"}
    assert len(phrases()) > 25


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_as_the_script_makes_it(language: str) -> None:
    assert catalogue_file(language).read_bytes() == catalogue(language)


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_says_all_of_it(language: str) -> None:
    with catalogue_file(language).open("rb") as file:
        entries = {str(one.id): one for one in read_po(file, locale=language) if one.id}
    assert list(entries) == phrases()
    for english, entry in entries.items():
        text = str(entry.string)
        assert not entry.fuzzy, english
        assert text.strip() == text != "", english
        assert places(text) == places(english), english
        assert translate(english, language) == text != english


@pytest.mark.parametrize("language", languages())
def test_babel_knows_how_each_is_written(language: str) -> None:
    assert direction_of(language) == Locale.parse(language).text_direction


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (("fr-CA", "es"), "fr-CA"),
        (("tlh", "es"), "es"),
        (("", "de"), "de"),
        (("tlh", "xx"), "en"),
        (("../../etc", "PT-br"), "PT-br"),
    ],
)
def test_the_first_language_that_is_spoken(tags: tuple[str, ...], chosen: str) -> None:
    assert spoken(*tags) == chosen


@pytest.mark.parametrize("tag", ["", "-", "../de", "xx", "x" * 5000, "en-GB", "de/../fr"])
def test_what_is_no_language_of_ours_is_english(tag: str) -> None:
    assert translate("Unsubscribe", tag) == "Unsubscribe"
    assert translate(phrase("Not in any catalogue"), "fr") == "Not in any catalogue"


@pytest.mark.parametrize(
    ("tag", "direction"),
    [
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("FA", "rtl"),
        ("az-Arab", "rtl"),
        ("az", "ltr"),
        ("ar-XX", "rtl"),
        ("en-GB", "ltr"),
        ("tlh", "ltr"),
        ("", "ltr"),
        ("x" * 5000, "ltr"),
    ],
)
def test_which_way_a_language_is_written(tag: str, direction: str) -> None:
    assert direction_of(tag) == direction


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("2026-06-27", "en", "June 27, 2026"),
        ("2026-06-27", "en-GB", "27 June 2026"),
        ("2026-06-27", "fr-CA", "27 juin 2026"),
        ("2026-06-27", "es", "27 de junio de 2026"),
        ("2026-06-27", "pt", "27 de junho de 2026"),
        ("2026-06-27", "de", "27. Juni 2026"),
        ("2026-06-27", "ar", "27 يونيو 2026"),
        ("2026-06-27", "tlh", "June 27, 2026"),
        ("2026-04-02 10:00", "de", "2. April 2026, 10:00"),
        ("2026-04-02T10:00", "fr", "2 avril 2026, 10:00"),
        (" 2026-06-27/2026-06-28 ", "es", "27–28 de junio de 2026"),
        ("2026-06-27 – 2026-07-02", "de", "27. Juni – 2. Juli 2026"),
        ("2026-06-27/2026-06-27", "de", "27. Juni 2026"),
        ("27 – 28 June", "fr", "27 – 28 June"),
        ("on 2026-06-27", "fr", "on 2026-06-27"),
        ("", "fr", ""),
    ],
)
def test_a_date_in_the_words_of_a_language(text: str, language: str, words: str) -> None:
    # Thin and no-break spaces come and go with the versions of the CLDR.
    said = localised_date(text, language)
    assert " ".join(said.replace("\u2009", " ").split()) == " ".join(words.split())


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-06-27 25:00", "2026-13-01", "2026-06-28/2026-06-27"]
)
def test_a_date_that_there_is_not(text: str) -> None:
    with pytest.raises(NoSuchDate, match=text):
        localised_date(text, "en")


@given(text=st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T/–].{0,12})?", fullmatch=True))
def test_every_date_is_said_or_refused(text: str) -> None:
    said = ""
    with contextlib.suppress(NoSuchDate):
        said = localised_date(text, "fr")
    assert not said or said == text or not re.search(r"[0-9]{4}-[0-9]{2}", said)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/St_Johns", "Nowhere/At_all", ":", ""])
def test_a_date_is_the_same_in_every_zone(zone: str) -> None:
    code = (
        "from newsletter_mail.phrases import localised_date;"
        "print(ascii(localised_date('2026-04-02 10:00', 'de')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": zone, "LC_ALL": "ja_JP.UTF-8", "LANGUAGE": "ja"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "'2. April 2026, 10:00'\n"


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["status", "--help"]])
def test_a_command_without_an_issue_does_not_wait_for_babel(command: list[str]) -> None:
    code = (
        "import sys; from newsletter_mail.cli.app import app;"
        f"app({command!r}, standalone_mode=False); sys.exit('babel' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

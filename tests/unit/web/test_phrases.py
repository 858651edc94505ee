import string
from dataclasses import asdict, fields

import pytest

from newsletter_mail.web.phrases import _CATALOGUE, Phrases, phrases_for, spoken
from newsletter_mail.web.rendering import with_marks

ENGLISH = asdict(_CATALOGUE["en"])


def places(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


@pytest.mark.parametrize("language", sorted(_CATALOGUE))
@pytest.mark.parametrize("key", [field.name for field in fields(Phrases)])
def test_each_language_says_all_of_it(language: str, key: str) -> None:
    phrase = asdict(_CATALOGUE[language])[key]
    assert phrase.strip() == phrase != ""
    assert places(phrase) == places(ENGLISH[key])
    assert language == "en" or phrase != ENGLISH[key]


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [
        (("fr-CA", "es"), "fr-CA"),
        (("tlh", "es"), "es"),
        (("", "de"), "de"),
        (("tlh", "xx"), "en"),
    ],
)
def test_the_first_language_that_is_spoken(languages: tuple[str, ...], chosen: str) -> None:
    assert spoken(*languages) == chosen


def test_a_parent_language_stands_in() -> None:
    assert phrases_for("fr-CA") == _CATALOGUE["fr"]


def test_a_value_cannot_be_markup_or_another_place() -> None:
    filled = with_marks("{address} gets {name}", address="<b>{name}</b>", name="{0.__class__}")
    assert "<b>" not in filled
    assert "&lt;b&gt;{name}&lt;/b&gt;" in filled
    assert "{0.__class__}" in filled

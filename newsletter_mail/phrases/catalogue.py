"""The catalogues of translations.

Babel is imported where a language asks for it: it takes 50 ms, and English needs none of it.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")

#: The language of the phrases in the code.
SOURCE = "en"
_FOLDER = Path(__file__).with_name("locale")


def phrase(english: str) -> str:
    """Marks a phrase for the catalogues; comes back as it is."""
    return english


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages that there are phrases in, English among them."""
    return tuple(
        sorted((SOURCE, *(folder.name for folder in _FOLDER.iterdir() if folder.is_dir())))
    )


def spoken(*wanted: str) -> str:
    """The first of these languages that there are phrases in, as it was given, or English.

    ``fr-CA`` is spoken where ``fr`` is.
    """
    return next((tag for tag in wanted if _primary(tag) in languages()), SOURCE)


def translate(english: str, language: str) -> str:
    """A phrase in a language, in its parent (``fr`` for ``fr-CA``), or else in English."""
    primary = _primary(language)
    if primary == SOURCE or primary not in languages():
        return english
    return _catalogue(primary).get(english, english)


def translated(english: Record, language: str) -> Record:
    """A record whose fields are phrases, in a language."""
    changes = {
        field.name: translate(getattr(english, field.name), language) for field in fields(english)
    }
    return replace(english, **changes)


def catalogue_file(language: str) -> Path:
    """Where the translations into a language are."""
    return _FOLDER / language / "LC_MESSAGES" / "newsletter.po"


@lru_cache
def _catalogue(language: str) -> Mapping[str, str]:
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with catalogue_file(language).open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    return {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id and message.string and not message.fuzzy
    }


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()

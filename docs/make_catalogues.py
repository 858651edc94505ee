"""Put the phrases of the code into the catalogues of all languages.

    python docs/make_catalogues.py [LANGUAGE]

A new phrase comes without a translation, one that the code does not say goes, the others stay. A
test holds the catalogues against the code: it fails until somebody has translated what is new. With
a language that there is no catalogue of, it makes one.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from newsletter_mail.phrases import languages
from newsletter_mail.phrases.catalogue import SOURCE, catalogue_file

PACKAGE = Path(__file__).parents[1] / "newsletter_mail"
WIDTH = 100


def phrases() -> list[str]:
    """What is marked with ``phrase(…)`` in the package, in the order of files and lines; once."""
    found = (text for file in sorted(PACKAGE.rglob("*.py")) for text in _phrases_in(file))
    return list(dict.fromkeys(found))


def _phrases_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="phrase"), args=[ast.Constant(value=str(text))]):
                yield text


def translations(language: str) -> dict[str, str]:
    """What the catalogue of a language says; without what is marked as a guess (fuzzy)."""
    if not catalogue_file(language).is_file():
        return {}
    with catalogue_file(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id and not message.fuzzy
    }


def catalogue(language: str) -> bytes:
    """The file as it should be."""
    known = translations(language)
    made = Catalog(locale=language)
    for text in phrases():
        made.add(text, known.get(text, ""), flags=["python-brace-format"] if "{" in text else [])
    buffer = BytesIO()
    # Babel's header has times and names in it, which say nothing that Git does not.
    write_po(buffer, made, width=WIDTH, omit_header=True)
    return _header(language).encode() + buffer.getvalue()


def _header(language: str) -> str:
    plural = get_plural(language)
    return (
        f"# What newsletter-mail says to readers, in {Locale.parse(language).english_name}.\n"
        'msgid ""\n'
        'msgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {plural.plural_forms}\\n"\n'
        "\n"
    )


if __name__ == "__main__":
    for one in sorted({*languages(), *sys.argv[1:]}):
        if one != SOURCE:
            content = catalogue(one)
            catalogue_file(one).parent.mkdir(parents=True, exist_ok=True)
            catalogue_file(one).write_bytes(content)
            missing = sum(not text for text in translations(one).values())
            print(f"{one}: {len(phrases())} phrases, {missing} to translate")

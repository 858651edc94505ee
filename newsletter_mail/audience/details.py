"""What may be stored about a person: text made safe, names completed, language tags. Pure.

The same rules hold for one person added by hand and for a row of a file, so every refusal is an
``InputError`` that names the field.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from newsletter_mail.addresses import parse_address
from newsletter_mail.errors import InputError

#: Longest name, first name or last name, characters.
MAX_NAME_LENGTH = 200
#: Longest value of an attribute, characters.
MAX_ATTRIBUTE_LENGTH = 65_536
#: Longest name of an attribute, characters.
MAX_KEY_LENGTH = 64
#: Longest language tag, characters (RFC 5646 section 4.4.1).
MAX_LANGUAGE_LENGTH = 35

# Control characters, line separators, what turns the direction of text (they can make a name read
# as something else), and the halves of surrogate pairs that stand for bytes that are no text.
_UNSAFE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE_IN_LINE = re.compile(rf"[{_UNSAFE}\t\r\n]")
_UNSAFE_IN_TEXT = re.compile(rf"[{_UNSAFE}]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_SCRIPT_LENGTH = 4
_REGION_LENGTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a person is called; each part may be empty."""

    name: str = ""
    first_name: str = ""
    last_name: str = ""


NO_NAMES = Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person as somebody gave them to us, checked and cleaned.

    Attributes:
        email: for people and for the To header.
        email_key: the same for two spellings of one mailbox.
        names: completed.
        language: BCP 47 tag, or "".
        attributes: free ones.
    """

    email: str
    email_key: str
    names: Names = NO_NAMES
    language: str = ""
    attributes: Mapping[str, object]


def make_person(
    email: str, *, names: Names, language: str, attributes: Mapping[str, str]
) -> Person:
    """Check and clean everything that is given about one person.

    Args:
        attributes: one that is empty stays, and means that it is to be taken away.

    Raises:
        InvalidAddress: it cannot be written to.
        InputError: a field has in it what it may not have; the message names the field.
    """
    address = parse_address(email)
    return Person(
        email=address.display,
        email_key=address.key,
        names=complete_names(
            Names(
                name=clean_name("name", names.name),
                first_name=clean_name("first name", names.first_name),
                last_name=clean_name("last name", names.last_name),
            )
        ),
        language=language_tag(language),
        attributes={key: clean_attribute(key, value) for key, value in attributes.items()},
    )


def clean_name(field: str, value: str) -> str:
    """A name without spaces around it.

    Raises:
        InputError: longer than ``MAX_NAME_LENGTH``, or a control character in it.
    """
    value = value.strip(" \t\xa0")
    # Two of three names: a quarter of the time.
    if len(value) <= MAX_NAME_LENGTH and value.isascii() and value.isprintable():
        return value
    if unsafe := _UNSAFE_IN_LINE.search(value):
        raise InputError(f"{field}: has {_describe(unsafe[0])} in it")
    if len(value) > MAX_NAME_LENGTH:
        raise InputError(f"{field}: is {len(value)} characters long; {MAX_NAME_LENGTH} are allowed")
    return value


def clean_attribute(key: str, value: str) -> str:
    """The value of an attribute: several lines are allowed, ended by LF.

    Raises:
        InputError: longer than ``MAX_ATTRIBUTE_LENGTH``, or a control character in it.
    """
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = value.strip(" \t\n\xa0")
    if unsafe := _UNSAFE_IN_TEXT.search(value):
        raise InputError(f"{key}: has {_describe(unsafe[0])} in it")
    if len(value) > MAX_ATTRIBUTE_LENGTH:
        raise InputError(
            f"{key}: is {len(value)} characters long; {MAX_ATTRIBUTE_LENGTH} are allowed"
        )
    return value


def complete_names(given: Names) -> Names:
    """Fill in what follows from the rest.

    The first name is the first word of the name; the name is the first and the last name.
    Completing twice changes nothing.

    >>> complete_names(Names(name="Ana Maria Silva")).first_name
    'Ana'
    >>> complete_names(Names(first_name="Ana", last_name="Silva")).name
    'Ana Silva'
    """
    if given.name:
        # Of somebody with a family name only, that is no first name.
        if given.first_name or given.name == given.last_name:
            return given
        first = given.name.split()[0]
        return Names(name=given.name, first_name=first, last_name=given.last_name)
    name = f"{given.first_name} {given.last_name}".strip()
    return Names(name=name, first_name=given.first_name, last_name=given.last_name)


def updated_names(stored: Names, given: Names) -> Names:
    """The names of a known person after somebody gave some of them anew.

    What is not given stays, unless a new full name makes it wrong.
    """
    if given.name and given.name != stored.name:
        return complete_names(given)
    first = given.first_name or stored.first_name
    last = given.last_name or stored.last_name
    has_changed = (first, last) != (stored.first_name, stored.last_name)
    # A first name alone must not cost a family name that only the full name has.
    name = "" if has_changed and first and last and not given.name else stored.name
    return complete_names(Names(name=name, first_name=first, last_name=last))


@lru_cache(maxsize=1024)
def language_tag(value: str) -> str:
    """A language tag as RFC 5646 section 2.1.1 writes it: ``pt_br`` gives ``pt-BR``.

    Raises:
        InputError: it is not one.
    """
    value = value.strip().replace("_", "-")
    if not value:
        return ""
    if not _LANGUAGE.fullmatch(value) or len(value) > MAX_LANGUAGE_LENGTH:
        raise InputError(f"language: {value[:40]!r} is not a language tag such as en or pt-BR")
    language, *rest = value.split("-")
    return "-".join([language.lower(), *map(_subtag, rest)])


def _subtag(part: str) -> str:
    if len(part) == _SCRIPT_LENGTH and part.isalpha():
        return part.title()
    return part.upper() if len(part) == _REGION_LENGTH else part.lower()


def attribute_key(text: str) -> str:
    """The name under which a merge tag finds an attribute: ``Job title`` gives ``job_title``.

    Returns:
        A name that Jinja2 can read, at most ``MAX_KEY_LENGTH`` characters; "" where nothing is
        left of the text. Giving the result again changes nothing.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(letter if f"_{letter}".isidentifier() else " " for letter in text)
    key = "_".join(letters.replace("_", " ").split())[:MAX_KEY_LENGTH].strip("_")
    return key if not key or key.isidentifier() else f"x_{key}"[:MAX_KEY_LENGTH].rstrip("_")


def parse_attributes(settings: list[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` as typed; an empty value is kept, it takes the attribute away.

    Raises:
        InputError: no ``=``, or a key that no merge tag could name.
    """
    attributes = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set {setting}: write KEY=VALUE, such as region=LAC")
        if not key or key != attribute_key(key):
            hint = f"; write {attribute_key(key)}=…" if attribute_key(key) else ""
            raise InputError(f"--set {setting}: {key!r} cannot be named in a merge tag{hint}")
        attributes[key] = clean_attribute(key, value)
    return attributes


def _describe(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character in "\r\n\u2028\u2029":
        return f"a line break ({code})"
    if "\ud800" <= character <= "\udfff":
        return "bytes that are not text in the encoding of the file"
    if character > "\u2000":
        return f"a character that turns the direction of text ({code})"
    return f"a control character ({code})"

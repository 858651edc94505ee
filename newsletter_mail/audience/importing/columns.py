"""Which column of a file is what: the header read in any case, order and usual wording. Pure."""

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter_mail.audience.details import attribute_key
from newsletter_mail.errors import InputError

#: What a column of attributes is called in our own exports.
ATTRIBUTE_PREFIX = "attributes."
#: With ``--map COLUMN=-`` a column is left out.
LEFT_OUT = "-"


class Field(StrEnum):
    """What a column can be, besides an attribute."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    LANGUAGE = "language"
    #: Only in our own exports: whether the person was on the list.
    STATE = "state"


#: Columns that all stand in an export of ours, and in hardly any other file.
_OWN_COLUMNS = frozenset({"list", "state", "joined at"})
_SYNONYMS = {
    Field.EMAIL: (
        "email, e mail, mail, email address, e mail address, mail address, emailaddress, "
        "subscriber email, adresse email, adresse e mail, adresse mail, courriel, correo, "
        "correo electronico, correo electrónico, e mail adresse, email adresse, endereço de email"
    ),
    Field.NAME: (
        "name, full name, fullname, display name, nombre completo, nom complet, vollständiger name"
    ),
    Field.FIRST_NAME: (
        "first name, firstname, fname, given name, givenname, forename, prénom, prenom, vorname, "
        "nombre, primer nombre"
    ),
    Field.LAST_NAME: (
        "last name, lastname, lname, surname, family name, familyname, nom de famille, nachname, "
        "apellido, apellidos, sobrenome"
    ),
    Field.LANGUAGE: (
        "language, lang, locale, preferred language, language code, langue, sprache, idioma"
    ),
}
_BY_WORDING = {
    wording.strip(): field for field, line in _SYNONYMS.items() for wording in line.split(",")
}
# What --map can name.
_FIELD_NAMES = tuple(field.value for field in Field if field is not Field.STATE)
_SHOWN_COLUMNS = 12
_SHOWN_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a record each thing stands.

    Attributes:
        width: fields of a record.
        places: index of each field that the file has.
        attributes: index and name of each attribute.
    """

    width: int
    places: Mapping[Field, int]
    attributes: tuple[tuple[int, str], ...]

    @property
    def has_email(self) -> bool:
        """Whether one of them is the address."""
        return Field.EMAIL in self.places


#: A file of one column without a header.
ADDRESSES_ONLY = Columns(width=1, places={Field.EMAIL: 0}, attributes=())


def plan_columns(header: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """Read a header.

    Args:
        mapping: from a column to a field, to ``attributes.KEY``, or to ``-`` (left out); what is
            said here is stronger than how a column is called.

    Raises:
        InputError: a column of the mapping is not there, or two columns are the same field.
    """
    wordings = [_wording(title) for title in header]
    chosen = _chosen(wordings, header, mapping)
    is_own_export = _OWN_COLUMNS.issubset(wordings)
    places: dict[Field, int] = {}
    attributes: dict[int, str] = {}
    # What was chosen by hand first, so that a usual title cannot take its place.
    for index in sorted(range(len(header)), key=lambda index: index not in chosen):
        title = header[index]
        usual = _usual_target(title, wordings[index], is_own_export=is_own_export)
        target = chosen.get(index, usual)
        if isinstance(target, Field) and target not in places:
            places[target] = index
        elif isinstance(target, Field) and (index in chosen) == (places[target] in chosen):
            raise InputError(_both(header[places[target]], title, target))
        elif target != LEFT_OUT:
            attributes[index] = target.removeprefix(ATTRIBUTE_PREFIX)
    return Columns(width=len(header), places=places, attributes=_keyed(attributes))


def _both(first: str, second: str, field: Field) -> str:
    return (
        f"the columns {_shown(first)} and {_shown(second)} are both the {field}: choose one with "
        f"--map COLUMN={field}, and leave the other out with --map COLUMN={LEFT_OUT}"
    )


def _keyed(attributes: Mapping[int, str]) -> tuple[tuple[int, str], ...]:
    """A name of its own for each; two columns may have one title (Mailchimp's exports do)."""
    keyed: dict[str, int] = {}
    for index, title in sorted(attributes.items()):
        key = unused = attribute_key(title) or f"column_{index + 1}"
        number = 2
        while unused in keyed:
            unused, number = f"{key}_{number}", number + 1
        keyed[unused] = index
    return tuple((index, key) for key, index in keyed.items())


def parse_mapping(settings: Sequence[str]) -> dict[str, str]:
    """Read ``COLUMN=FIELD`` as typed.

    Raises:
        InputError: no ``=``, or a field that there is not.
    """
    mapping = {}
    for setting in settings:
        column, equals, target = setting.rpartition("=")
        is_attribute = target.startswith(ATTRIBUTE_PREFIX) and attribute_key(
            target.removeprefix(ATTRIBUTE_PREFIX)
        )
        if not equals or not (is_attribute or target in (*_FIELD_NAMES, LEFT_OUT)):
            raise InputError(
                f"--map {setting}: write COLUMN=FIELD, where FIELD is one of "
                f"{', '.join(_FIELD_NAMES)}, {ATTRIBUTE_PREFIX}NAME, or - to leave the column out"
            )
        mapping[column] = target
    return mapping


def has_email_title(header: Sequence[str]) -> bool:
    """Whether one of these titles is usual for a column of addresses."""
    return any(_BY_WORDING.get(_wording(title)) is Field.EMAIL for title in header)


def name_columns(header: Sequence[str]) -> str:
    """The titles of a header for a sentence; not all of them, and none at length."""
    shown = [_shown(title) for title in header[:_SHOWN_COLUMNS]]
    return ", ".join(shown) + (" …" if len(header) > _SHOWN_COLUMNS else "")


def _shown(title: str) -> str:
    title = "".join(character if character.isprintable() else "�" for character in title)
    return repr(title if len(title) <= _SHOWN_LENGTH else title[:_SHOWN_LENGTH] + "…")


def _chosen(
    wordings: Sequence[str], header: Sequence[str], mapping: Mapping[str, str]
) -> dict[int, Field | str]:
    chosen: dict[int, Field | str] = {}
    for column, target in mapping.items():
        wording = _wording(column)
        if wording not in wordings:
            close = difflib.get_close_matches(wording, wordings, n=1)
            hint = (
                f"did you mean {_shown(header[wordings.index(close[0])])}?"
                if close
                else f"there are {name_columns(header)}"
            )
            raise InputError(f"--map {column}={target}: there is no such column; {hint}")
        chosen[wordings.index(wording)] = Field(target) if target in _FIELD_NAMES else target
    return chosen


def _usual_target(title: str, wording: str, *, is_own_export: bool) -> Field | str:
    if is_own_export and wording in _OWN_COLUMNS:
        return Field.STATE if wording == "state" else LEFT_OUT
    # A column called "-" is not left out.
    return _BY_WORDING.get(wording) or title.replace(LEFT_OUT, "_")


def _wording(title: str) -> str:
    title = unicodedata.normalize("NFC", title).casefold()
    if title.strip().startswith(ATTRIBUTE_PREFIX):
        return title.strip()
    return re.sub(r"[\s_.:\-]+", " ", title).strip()

"""Whole dates in running text, in the languages of most newsletters. Pure."""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

_MONTHS = (
    ("january", "jan", "janvier", "januar", "jänner", "enero", "gennaio", "janeiro"),
    ("february", "feb", "février", "fevrier", "februar", "febrero", "febbraio", "fevereiro"),
    ("march", "mar", "mars", "märz", "marzo", "março"),
    ("april", "apr", "avril", "abril", "aprile"),
    ("may", "mai", "mayo", "maggio", "maio"),
    ("june", "jun", "juin", "juni", "junio", "giugno", "junho"),
    ("july", "jul", "juillet", "juli", "julio", "luglio", "julho"),
    ("august", "aug", "août", "aout", "agosto"),
    ("september", "sept", "sep", "septembre", "septiembre", "settembre", "setembro"),
    ("october", "oct", "octobre", "oktober", "octubre", "ottobre", "outubro"),
    ("november", "nov", "novembre", "noviembre", "novembro"),
    ("december", "dec", "décembre", "decembre", "dezember", "diciembre", "dicembre", "dezembro"),
)
_NUMBER_OF = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_MONTH = "|".join(sorted(_NUMBER_OF, key=len, reverse=True))
_DATES = (
    re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?,? (?:de |of )?(?P<m>{_MONTH})\.?,? "
        r"(?:de |of )?(?P<y>20\d\d)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<m>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>20\d\d)\b", re.IGNORECASE
    ),
)


class Found(NamedTuple):
    """A date, as it is written and where it ends in the text."""

    day: date
    shown: str
    start: int


def dates_in(text: str) -> Iterator[Found]:
    """Every date that has a day, a month and a year; of a range, its last day."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            month = _NUMBER_OF.get(match["m"].lower()) or int(match["m"])
            try:
                day = date(int(match["y"]), month, int(match["d"]))
            except ValueError:
                continue
            yield Found(day, match[0], match.start())

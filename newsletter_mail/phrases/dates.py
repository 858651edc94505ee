"""Dates as a language writes them.

An author who writes ``2026-06-27`` means a date in every translation; one who writes
``27 – 28 June`` has said it in words already.
"""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.core import Locale

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ONE = re.compile(rf"({_DAY})(?:[T ]([0-9]{{2}}:[0-9]{{2}}))?")
# ISO 8601-1 section 5.5: an interval; people write a dash, too.
_SEVERAL = re.compile(rf"({_DAY})\s*(?:/|–|--)\s*({_DAY})")


class NoSuchDate(ValueError):
    """Looks like a date, and the calendar does not have it; ``str()`` is the date."""


def localised_date(text: str, language: str) -> str:
    """A date of ISO 8601 in words, or the text as it is where it is none.

    Args:
        text: ``2026-06-27``, ``2026-06-27 10:00`` or ``2026-06-27/2026-06-28``.
        language: BCP 47 tag; ``en`` writes dates as in the USA, ``en-GB`` as in Britain.

    Raises:
        NoSuchDate: such as 30 February, or an interval that ends before it begins.
    """
    stripped = text.strip()
    try:
        if match := _ONE.fullmatch(stripped):
            return _in_words(_parsed(match[1], match[2]), language)
        if match := _SEVERAL.fullmatch(stripped):
            return _interval(date.fromisoformat(match[1]), date.fromisoformat(match[2]), language)
    except ValueError as error:
        raise NoSuchDate(stripped) from error
    return text


def _parsed(day: str, time: str | None) -> date:
    # A date on a poster has no zone.
    return datetime.fromisoformat(f"{day}T{time}") if time else date.fromisoformat(day)


def _in_words(when: date, language: str) -> str:
    from babel.dates import format_date, format_time, get_datetime_format  # noqa: PLC0415

    locale = _locale(language)
    day = format_date(when, "long", locale)
    if not isinstance(when, datetime):
        return day
    # CLDR, UTS 35 part 4: the pattern that joins a date {1} and a time {0}.
    pattern = str(get_datetime_format("long", locale=locale))
    return pattern.format(format_time(when.time(), "short", locale=locale), day)


def _interval(first: date, last: date, language: str) -> str:
    from babel.dates import format_interval  # noqa: PLC0415

    if last < first:
        raise NoSuchDate
    if first == last:
        return _in_words(first, language)
    return format_interval(first, last, "yMMMMd", locale=_locale(language))


@lru_cache
def _locale(language: str) -> "Locale":
    from babel.core import Locale, UnknownLocaleError  # noqa: PLC0415

    for tag in (language, language.partition("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")

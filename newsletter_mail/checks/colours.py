"""Colours and their contrast (WCAG 2.2, 1.4.3). Pure."""

import re
from typing import NamedTuple

from tinycss2.color3 import parse_color

from newsletter_mail.compose.contrast import contrast_of

_FIRST = re.compile(r"#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([^)]*\)|[a-z]+", re.IGNORECASE)


class Colour(NamedTuple):
    """Red, green and blue, 0 to 1."""

    red: float
    green: float
    blue: float

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in self)


def colour(value: str | None) -> Colour | None:
    """An opaque colour; None for anything else, also where one shines through."""
    try:
        found = parse_color(value) if value else None
    except (ValueError, TypeError):
        return None
    if found is None or isinstance(found, str) or found.alpha < 1:
        return None
    return Colour(found.red, found.green, found.blue)


def background_colour(value: str) -> Colour | None:
    """The colour in a ``background``, which may say more."""
    if "url(" in value or "gradient(" in value:
        return None
    return next((c for part in _FIRST.findall(value) if (c := colour(part))), None)


def contrast(one: Colour, other: Colour) -> float:
    """1 to 21 (WCAG 2.2, "contrast ratio").

    >>> contrast(Colour(0, 0, 0), Colour(1, 1, 1))
    21.0
    """
    return round(contrast_of(one, other), 2)

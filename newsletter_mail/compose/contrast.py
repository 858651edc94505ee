"""Whether the colours of a theme can be read on one another (WCAG 2.2, 1.4.3). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter_mail.compose.theme import Theme

#: Of text; it is not asked how large the letters are, since a theme may change that.
MIN_CONTRAST = 4.5
MODES = ("light", "dark")
Channels = tuple[float, float, float]
#: What is written on what, by the names of the colours in a theme.
PAIRS = (
    *(
        (front, back)
        for front in ("text", "muted", "heading", "accent")
        for back in ("surface", "tint")
    ),
    ("page_text", "page"),
    ("button_text", "button"),
    ("masthead_text", "masthead"),
    ("masthead_name", "masthead"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LowContrast:
    """Two colours of a theme that are shown together and too much alike.

    Attributes:
        mode: ``light`` or ``dark``.
        front: the name of the colour of the letters.
        back: the name of the colour under them.
        ratio: 1 to 21.
    """

    mode: str
    front: str
    back: str
    ratio: float

    def __str__(self) -> str:
        return (
            f"[{self.mode}] {self.front} on {self.back} has a contrast of {self.ratio:.2f}:1, "
            f"and needs {MIN_CONTRAST}:1"
        )


def low_contrasts(theme: Theme) -> tuple[LowContrast, ...]:
    """All pairs of a theme that not everybody can read."""
    return tuple(_low_contrasts(theme))


def _low_contrasts(theme: Theme) -> Iterator[LowContrast]:
    for mode in MODES:
        for front, back in PAIRS:
            ratio = contrast(str(theme[mode][front]), str(theme[mode][back]))
            if ratio < MIN_CONTRAST:
                yield LowContrast(mode=mode, front=front, back=back, ratio=ratio)


def contrast(front: str, back: str) -> float:
    """1 to 21, of two colours ``#rrggbb``.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    return contrast_of(_channels(front), _channels(back))


def contrast_of(one: Channels, other: Channels) -> float:
    """The same of two colours as red, green and blue, 0 to 1."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(channels: Channels) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> Channels:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue

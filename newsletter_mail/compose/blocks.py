"""What an issue is made of, as small records; no I/O.

Texts may contain marks (``newsletter_mail.compose.marks``) where merge tags stood. ``line`` is
1-based, in the file of the issue.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_WHITE_SPACE = re.compile(r"[ \t\r\n\f\v]+")


@dataclass(frozen=True, slots=True)
class Text:
    """Letters."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Letters of one width."""

    text: str


@dataclass(frozen=True, slots=True)
class LineBreak:
    """A line break that the author asked for."""


@dataclass(frozen=True, slots=True)
class Styled:
    """Emphasis."""

    tag: Literal["em", "strong"]
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link; its address has been checked.

    Attributes:
        href: percent-encoded, or a mark alone.
        classes: ``button``, ``secondary``.
    """

    href: str
    children: tuple["Inline", ...]
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the issue.

    Attributes:
        address: the mark that stands for its address.
        alt: what it shows; "" for decoration.
        caption: "" for none.
        width: pixels of the file.
        height: pixels of the file.
    """

    address: str
    alt: str
    caption: str
    width: int
    height: int


Inline = Text | Code | LineBreak | Styled | Link | Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text."""

    line: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of level 1 to 6.

    Attributes:
        classes: ``featured``.
    """

    line: int
    level: int
    children: tuple[Inline, ...]
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBlock:
    """A list.

    Attributes:
        start: the first number, or None for bullets.
        is_tight: no empty lines between the items.
    """

    line: int
    start: int | None
    is_tight: bool
    items: tuple[tuple["Block", ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """Preformatted lines."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with one line of headers.

    Attributes:
        aligns: for each column ``left``, ``center``, ``right`` or "".
    """

    line: int
    aligns: tuple[str, ...]
    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Divider:
    """A line across."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureBlock:
    """A picture alone in its paragraph.

    Attributes:
        href: where a click leads, or "".
    """

    line: int
    image: Image
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """One button, or several side by side."""

    line: int
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A block between colons: ``::: name {option="value"}``; a ``>`` quote is one named quote.

    Attributes:
        raw: the lines between, for ``html``; else "".
        date: the option of that name as it was written, before it was put into words.
        calendar: the mark that stands for the address of the calendar file; "" for none.
    """

    line: int
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    children: tuple["Block", ...] = ()
    raw: str = ""
    date: str = ""
    calendar: str = ""


Block = (
    Paragraph | Heading | ListBlock | CodeBlock | Table | Divider | PictureBlock | Buttons | Fence
)

#: What may stand in running text, and in a block whose template asks for ``html``.
PROSE = (Paragraph, Heading, ListBlock, CodeBlock, Table)


def plain(children: tuple[Inline, ...]) -> str:
    """The words only, on one line."""
    return squeeze("".join(_plain_parts(children)))


def squeeze(text: str) -> str:
    """Runs of white space made one space; no-break spaces stay, since they are meant."""
    return _WHITE_SPACE.sub(" ", text).strip(" ")


def _plain_parts(children: tuple[Inline, ...]) -> list[str]:
    parts: list[str] = []
    for child in children:
        match child:
            case Text(text=text) | Code(text=text):
                parts.append(text)
            case LineBreak():
                parts.append(" ")
            case Styled(children=inner) | Link(children=inner):
                parts.extend(_plain_parts(inner))
            case Image(alt=alt):
                parts.append(alt)
    return parts

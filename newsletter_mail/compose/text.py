"""The plain-text part, from the same blocks as the HTML and never from the HTML. Pure.

Lines are wrapped at 72 letters. A sentence with links stands as it was written; their addresses
stand under its paragraph and are never broken: each after the words that carry it, or alone where
these are the last words anyway.
"""

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from newsletter_mail.compose.blocks import (
    Block,
    Buttons,
    Code,
    CodeBlock,
    Divider,
    Fence,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    PictureBlock,
    Styled,
    Table,
    Text,
    plain,
)
from newsletter_mail.compose.document import Document
from newsletter_mail.compose.phrases import Phrases

WIDTH = 72

# What may stand between the last word of a link and the end of its sentence.
_CLOSING = " .,:;!?…)]’”»\"'"
_UNDERLINES = {1: "=", 2: "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around the text of an issue; links are marks.

    Attributes:
        title: of the masthead, one line.
        sender: name and postal address, in lines.
    """

    newsletter_name: str
    title: str
    sender: str
    unsubscribe_url: str
    preferences_url: str
    web_url: str


def make_text(document: Document, frame: Frame, phrases: Phrases) -> str:
    """The whole plain text, lines ended by LF."""
    writer = _Writer(phrases=phrases)
    is_said = frame.newsletter_name.casefold() in frame.title.casefold()
    head = [] if is_said else [frame.newsletter_name]
    masthead = document.masthead
    head += writer.block(masthead, WIDTH) if masthead else _underlined(frame.title, 1)
    parts = ["\n".join(head)]
    for block in document.blocks:
        written = "\n".join(writer.block(block, WIDTH))
        if written.strip():
            is_section = isinstance(block, Heading) and block.level == 2
            parts.append(f"\n{written}" if is_section else written)
    foot = [
        "-" * WIDTH,
        *_wrapped(phrases.why.format(name=frame.newsletter_name), WIDTH),
        "",
        f"{phrases.unsubscribe}: {frame.unsubscribe_url}",
        f"{phrases.preferences}: {frame.preferences_url}",
        f"{phrases.view_in_browser}: {frame.web_url}",
        "",
        *frame.sender.split("\n"),
    ]
    parts.append("\n".join(["", *foot]))
    lines = "\n\n".join(parts).split("\n")
    return "\n".join(line.rstrip(" ") for line in lines) + "\n"


@dataclass(slots=True, kw_only=True)
class _Writer:
    phrases: Phrases
    #: Addresses of the block at hand, each with the words that carry it.
    _links: dict[tuple[str, str], None] = field(default_factory=dict)

    def block(self, block: Block, width: int) -> list[str]:
        """The lines of one block, and under them the addresses of its links."""
        lines = self._lines(block, width)
        links, self._links = self._links, {}
        if len(links) == 1 and _ends_with(lines, next(iter(links))[0]):
            # What it leads to has just been said.
            return [*lines, *(f"  {address}" for _, address in links)]
        for words, address in links:
            lines += [f"  {line}" for line in _labelled(words, address, width - 2)]
        return lines

    def _lines(self, block: Block, width: int) -> list[str]:  # noqa: PLR0911  one for each kind
        match block:
            case Paragraph(children=children):
                return _wrapped(self._inline(children), width)
            case Heading(level=level, children=children):
                return _underlined(self._inline(children), level, width)
            case ListBlock():
                return self._list(block, width)
            case CodeBlock(text=text):
                return [f"    {line}" for line in text.split("\n")]
            case Table():
                return self._table(block, width)
            case Divider():
                return ["* * *"]
            case PictureBlock():
                return self._picture(block, width)
            case Buttons(links=links):
                return [line for link in links for line in self._button(link, width)]
            case Fence():
                return self._fence(block, width)

    def _inline(self, children: Sequence[Inline]) -> str:
        return "".join(self._inline_one(child) for child in children)

    def _inline_one(self, child: Inline) -> str:
        match child:
            case Text(text=text) | Code(text=text):
                return text
            case LineBreak():
                return "\n"
            case Styled(children=children):
                return self._inline(children)
            case Image(alt=alt):
                return f"[{alt}]" if alt else ""
            case Link(href=href, children=children):
                text = self._inline(children)
                if text.strip() in (href, href.partition(":")[2].lstrip("/")):
                    return text
                self._links[" ".join(text.split()), href] = None
                return text

    def _blocks(self, blocks: Sequence[Block], width: int) -> list[str]:
        lines: list[str] = []
        for block in blocks:
            written = self.block(block, width)
            if written:
                lines += ["", *written] if lines else written
        return lines

    def _list(self, block: ListBlock, width: int) -> list[str]:
        lines: list[str] = []
        for position, item in enumerate(block.items):
            bullet = "- " if block.start is None else f"{block.start + position}. "
            inside = self._blocks(item, width - len(bullet)) or [""]
            if position and not block.is_tight:
                lines.append("")
            lines.append(bullet + inside[0])
            lines += [" " * len(bullet) + line for line in inside[1:]]
        return lines

    def _table(self, block: Table, width: int) -> list[str]:
        header = [self._inline(cell) for cell in block.header]
        rows = [[self._inline(cell) for cell in row] for row in block.rows]
        widths = [max(map(_columns, column)) for column in zip(header, *rows, strict=True)]
        if sum(widths) + 2 * (len(widths) - 1) > width:
            return self._records(header, rows, width)

        def line(cells: Iterable[str]) -> str:
            return "  ".join(
                _filled(cell, size, align)
                for cell, size, align in zip(cells, widths, block.aligns, strict=True)
            )

        return [line(header), line("-" * size for size in widths), *map(line, rows)]

    def _records(self, header: list[str], rows: list[list[str]], width: int) -> list[str]:
        """A table that is too wide for lines of text: each row as lines of its own."""
        lines: list[str] = []
        for row in rows:
            lines += [""] if lines else []
            for name, cell in zip(header, row, strict=True):
                lines += _wrapped(f"{name}: {cell}" if name else cell, width)
        return lines

    def _picture(self, block: PictureBlock, width: int) -> list[str]:
        image = block.image
        lines = _wrapped(f"[{self.phrases.picture}: {image.alt}]", width) if image.alt else []
        lines += _wrapped(image.caption, width) if image.caption else []
        return [*lines, block.href] if block.href else lines

    def _button(self, link: Link, width: int) -> list[str]:
        return _labelled(plain(link.children), link.href, width)

    def _fence(self, block: Fence, width: int) -> list[str]:
        options = block.options
        match block.name:
            case "quote":
                lines = self._blocks(block.children, width - 2)
                lines += [f"— {options['by']}"] if options.get("by") else []
                return [f"> {line}" for line in lines]
            case "event":
                return self._event(block, width)
            case "html":
                return _wrapped(options.get("text", ""), width)
        lines = [f"{name}: {value}" for name, value in options.items() if name != "width"]
        lines += [""] if lines and block.children else []
        return lines + self._blocks(block.children, width)

    def _event(self, block: Fence, width: int) -> list[str]:
        options, phrases = block.options, self.phrases
        labels = {"date": phrases.when, "place": phrases.where, "link": phrases.more}
        facts = [
            line
            for name, label in labels.items()
            if options.get(name)
            for line in _wrapped(f"{label}: {options[name]}", width)
        ]
        if block.calendar:
            facts += _labelled(phrases.calendar, block.calendar, width)
        inside = self._blocks(block.children, width)
        title = _wrapped(options.get("title", ""), width)
        return [*title, *facts, *([""] if inside else []), *inside]


def _ends_with(lines: Sequence[str], words: str) -> bool:
    text = " ".join(" ".join(lines).split())
    return text.rstrip(_CLOSING).endswith(words.rstrip(_CLOSING))


def _columns(text: str) -> int:
    """How many columns a text takes where all letters have one width, or two (UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(_letter_columns(letter) for letter in text)


def _letter_columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _filled(cell: str, size: int, align: str) -> str:
    room = size - _columns(cell)
    before = {"right": room, "center": room // 2}.get(align, 0)
    return " " * before + cell + " " * (room - before)


def _labelled(words: str, address: str, width: int) -> list[str]:
    """An address after its words, on a line of its own where both are too long for one."""
    line = f"{words}: {address}"
    return [line] if len(line) <= width else [*_wrapped(f"{words}:", width), f"  {address}"]


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of a text; a word that is longer than a line, such as an address, stays whole."""
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(
            part, max(width, 20), break_long_words=False, break_on_hyphens=False
        )
    ]


def _underlined(text: str, level: int, width: int = WIDTH) -> list[str]:
    lines = _wrapped(text, width)
    under = _UNDERLINES.get(level, "~")
    return [*lines, under * max(map(_columns, lines), default=0)]

"""What an issue is made of, without its words: what two translations must have in common. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter_mail.compose.blocks import (
    Block,
    Buttons,
    Fence,
    Heading,
    Image,
    Inline,
    Link,
    ListBlock,
    Paragraph,
    PictureBlock,
    Styled,
    Table,
    plain,
)
from newsletter_mail.compose.document import Document
from newsletter_mail.compose.marks import Marks

_LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineSection:
    """What stands before the first ``##``, or under one of them.

    Attributes:
        title: its heading; "" before the first one.
        line: of the heading, or of the first line of the text.
        links: addresses in their order, merge tags as they were written.
        pictures: digests in their order.
    """

    title: str
    line: int
    links: tuple[str, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One language of an issue.

    Attributes:
        file: as the user would type it.
        sections: the opening first, which is always there.
    """

    file: str
    sections: tuple[OutlineSection, ...]


def outline_of(document: Document, marks: Marks, *, file: str, first_line: int) -> Outline:
    """The outline of a document, whose text begins on that line of its file."""
    opening = document.opening
    if document.masthead is not None:
        opening = (document.masthead, *opening)
    sections = [_section("", first_line, opening, marks)]
    for section in document.sections:
        heading = section.blocks[0]
        title = plain(heading.children) if isinstance(heading, Heading) else ""
        sections.append(
            _section(marks.readable(title), heading.line, section.blocks, marks),
        )
    return Outline(file=file, sections=tuple(sections))


def _section(title: str, line: int, blocks: Sequence[Block], marks: Marks) -> OutlineSection:
    found = list(_of_blocks(blocks))
    return OutlineSection(
        title=title,
        line=line,
        links=tuple(marks.readable(one) for one in found if isinstance(one, str)),
        pictures=tuple(marks.value(one.address) for one in found if isinstance(one, Image)),
    )


def _of_blocks(blocks: Sequence[Block]) -> Iterator[str | Image]:
    """Addresses of links, and pictures."""
    for block in blocks:
        yield from _of_block(block)


def _of_block(block: Block) -> Iterator[str | Image]:
    match block:
        case Paragraph(children=children) | Heading(children=children):
            yield from _of_inlines(children)
        case ListBlock(items=items):
            for item in items:
                yield from _of_blocks(item)
        case Table(header=header, rows=rows):
            for cell in (*header, *(cell for row in rows for cell in row)):
                yield from _of_inlines(cell)
        case PictureBlock(image=image, href=href):
            yield from (href, image) if href else (image,)
        case Buttons(links=links):
            yield from _of_inlines(links)
        case Fence(options=options, children=children):
            if options.get(_LINK):
                yield options[_LINK]
            yield from _of_blocks(children)


def _of_inlines(children: Sequence[Inline]) -> Iterator[str | Image]:
    for child in children:
        match child:
            case Link(href=href, children=inside):
                yield href
                yield from _of_inlines(inside)
            case Styled(children=inside):
                yield from _of_inlines(inside)
            case Image():
                yield child

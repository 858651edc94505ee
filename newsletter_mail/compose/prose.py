"""Running text as HTML: what goes into an ``mj-text``. Everything is escaped here. Pure."""

from collections.abc import Sequence
from html import escape

from newsletter_mail.compose.blocks import (
    Block,
    Code,
    CodeBlock,
    Fence,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Styled,
    Table,
    Text,
)


def inline_html(children: Sequence[Inline]) -> str:
    """Inline records as HTML."""
    return "".join(_inline(child) for child in children)


def _inline(child: Inline) -> str:
    match child:
        case Text(text=text):
            return escape(text)
        case Code(text=text):
            # In a right-to-left mail too a command reads from left to right.
            return f'<code dir="auto">{escape(text)}</code>'
        case LineBreak():
            return "<br>"
        case Styled(tag=tag, children=children):
            return f"<{tag}>{inline_html(children)}</{tag}>"
        case Link(href=href, children=children):
            return f'<a href="{escape(href)}">{inline_html(children)}</a>'
        case Image():
            return (
                f'<img src="{child.address}" alt="{escape(child.alt)}" width="{child.width}" '
                f'height="{child.height}">'
            )


def prose_html(blocks: Sequence[Block]) -> str:
    """Blocks of running text as HTML."""
    return "".join(_block(block) for block in blocks)


def _block(block: Block) -> str:  # noqa: PLR0911  one for each kind
    match block:
        case Paragraph(children=children):
            return f"<p>{inline_html(children)}</p>"
        case Heading(level=level, children=children):
            return f"<h{level}>{inline_html(children)}</h{level}>"
        case ListBlock():
            return _list(block)
        case CodeBlock(text=text):
            return f'<pre dir="auto">{escape(text)}</pre>'
        case Table():
            return _table(block)
        case Fence(name="quote", children=children):
            return f"<blockquote>{prose_html(children)}</blockquote>"
    # A rule inside a list or a quote.
    return "<hr>"


def _list(block: ListBlock) -> str:
    items = "".join(f"<li>{_item(item, is_tight=block.is_tight)}</li>" for item in block.items)
    if block.start is None:
        return f"<ul>{items}</ul>"
    start = "" if block.start == 1 else f' start="{block.start}"'
    return f"<ol{start}>{items}</ol>"


def _item(blocks: Sequence[Block], *, is_tight: bool) -> str:
    return "".join(
        inline_html(block.children) if is_tight and isinstance(block, Paragraph) else _block(block)
        for block in blocks
    )


def _table(block: Table) -> str:
    head = "".join(
        f'<th scope="col"{_align(align)}>{inline_html(cell)}</th>'
        for align, cell in zip(block.aligns, block.header, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_align(align)}>{inline_html(cell)}</td>"
            for align, cell in zip(block.aligns, row, strict=True)
        )
        + "</tr>"
        for row in block.rows
    )
    return (
        '<table class="grid" width="100%" cellpadding="0" cellspacing="0">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _align(align: str) -> str:
    return f' align="{align}"' if align else ""

"""Markdown to blocks: CommonMark with tables, links with classes, blocks between colons.

markdown-it-py reads; this module makes our own records of what it read, each with its line, and
notes everything that a mail cannot have.
"""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import escapedSplit
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.attrs import attrs_plugin

from newsletter_mail.compose.blocks import (
    Block,
    Buttons,
    CodeBlock,
    Divider,
    Fence,
    Heading,
    Image,
    Inline,
    Link,
    ListBlock,
    Paragraph,
    PictureBlock,
    Table,
    Text,
)
from newsletter_mail.compose.fences import RAW, FoundFence, find_fences
from newsletter_mail.compose.findings import did_you_mean
from newsletter_mail.compose.inlines import InlineReader
from newsletter_mail.compose.limits import (
    PARSER_LEVEL,
    drop_costly_paragraphs,
    has_too_many_lines,
    refuse_excess,
)

_HEADING_CLASSES = ("featured",)
_COLONS = re.compile(r"\s*:{3,}")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")
_NO_FOOTNOTES = "a mail has no footnotes; put the note in brackets where it belongs"
_TRAILING_CLASSES = re.compile(r"\s*\{((?:\s*\.[A-Za-z-]+)+)\s*\}$")


def read_markdown(text: str, first_line: int, inlines: InlineReader) -> tuple[Block, ...]:
    """The blocks of a text.

    Args:
        text: merge tags already replaced by marks.
        first_line: where it begins in the file.
        inlines: reads links and pictures, and has the findings.
    """
    findings = inlines.findings
    if has_too_many_lines(text, findings):
        return ()
    fences = find_fences(text, first_line, findings)
    environment: dict[str, Any] = {"fences": fences, "too_long": [], "too_costly": []}
    tokens = _PARSER.parse(text, environment)
    for label, reference in environment.get("references", {}).items():
        if label.startswith("^"):
            findings.add(_NO_FOOTNOTES, first_line + reference["map"][0])
    if refuse_excess(tokens, environment, first_line, findings):
        return ()
    reader = _Reader(text.split("\n"), first_line, fences, inlines)
    return reader.blocks(SyntaxTreeNode(tokens).children, can_have_blocks=True)


def _fence_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  markdown-it calls it so
    found: FoundFence | None = state.env["fences"].get(start)
    if found is None or found.end > max(end, state.lineMax) or state.is_code_block(start):
        return False
    if silent:
        return True
    if found.name == RAW:
        token = state.push("colon_raw", "", 0)
        token.content = state.getLines(start + 1, found.end, 0, keepLastLF=True)
        token.map = [start, found.end + 1]
    else:
        old_parent, old_line_max = state.parentType, state.lineMax
        # Ends a lazy continuation (CommonMark 5.1) at the closing colons.
        state.parentType, state.lineMax = "container", found.end
        token = state.push("colon_fence_open", "", 1)
        token.map = [start, found.end + 1]
        state.md.block.tokenize(state, start + 1, found.end)
        state.push("colon_fence_close", "", -1)
        state.parentType, state.lineMax = old_parent, old_line_max
    state.line = found.end + 1
    return True


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": PARSER_LEVEL}).enable("table")
    parser.use(attrs_plugin, after=("image", "link_close"), allowed=("class",))
    parser.block.ruler.before(
        "fence",
        "colon_fence",
        _fence_rule,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )
    parser.core.ruler.before("inline", "drop_costly_paragraphs", drop_costly_paragraphs)
    # Addresses are checked by us, who can say what is wrong with them and where.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


_PARSER = _make_parser()


class _Reader:
    """Makes blocks of markdown-it's tree."""

    def __init__(
        self,
        lines: list[str],
        first_line: int,
        fences: dict[int, FoundFence],
        inlines: InlineReader,
    ) -> None:
        self._lines = lines
        self._first_line = first_line
        self._fences = fences
        self._inlines = inlines
        self._findings = inlines.findings

    def blocks(
        self, nodes: Sequence[SyntaxTreeNode], *, can_have_blocks: bool
    ) -> tuple[Block, ...]:
        found = (self._block(node, can_have_blocks=can_have_blocks) for node in nodes)
        return tuple(block for block in found if block is not None)

    def _line(self, node: SyntaxTreeNode) -> int:
        return self._first_line + (node.map[0] if node.map else 0)

    def _block(self, node: SyntaxTreeNode, *, can_have_blocks: bool) -> Block | None:  # noqa: PLR0911  one for each kind
        line = self._line(node)
        match node.type:
            case "paragraph":
                return self._paragraph(node, line, can_have_blocks=can_have_blocks)
            case "heading":
                return self._heading(node, line)
            case "bullet_list" | "ordered_list":
                return self._list(node, line)
            case "fence" | "code_block":
                return CodeBlock(line=line, text=node.content.rstrip("\n"))
            case "table":
                return self._table(node, line)
            case "hr":
                return Divider(line=line)
            case "blockquote":
                children = self.blocks(node.children, can_have_blocks=False)
                return Fence(line=line, name="quote", children=children)
            case "colon_fence" | "colon_raw":
                return self._fence(node, line, can_have_blocks=can_have_blocks)
            case "html_block":
                self._inlines.refuse_html(node.content, line)
                return None
        raise AssertionError(node.type)

    def _paragraph(self, node: SyntaxTreeNode, line: int, *, can_have_blocks: bool) -> Block | None:
        for number, text in enumerate(node.children[0].content.split("\n")):
            if _COLONS.match(text):
                self._findings.add(
                    "colons in running text open no block; begin the line with them, "
                    "outside of lists and quotes",
                    line + number,
                )
                return None
            if _FOOTNOTE.match(text):
                self._findings.add(_NO_FOOTNOTES, line + number)
        children = self._inlines.read(node.children[0], line)
        if not children:
            return None
        buttons = tuple(c for c in children if isinstance(c, Link) and "button" in c.classes)
        if buttons and all(child in buttons or _is_blank(child) for child in children):
            if can_have_blocks:
                return Buttons(line=line, links=buttons)
            self._findings.add("a button cannot stand in a list or a quote", line)
        elif buttons:
            self._findings.add("a button stands in a paragraph of its own", line)
        picture = _lone_picture(children)
        if picture is not None and can_have_blocks:
            return PictureBlock(line=line, image=picture[0], href=picture[1])
        return Paragraph(line=line, children=children)

    def _heading(self, node: SyntaxTreeNode, line: int) -> Heading:
        children = self._inlines.read(node.children[0], line)
        classes: frozenset[str] = frozenset()
        match children[-1:]:
            case (Text(text=text),) if found := _TRAILING_CLASSES.search(text):
                children = (*children[:-1], Text(text[: found.start()]))
                classes = frozenset(found[1].replace(".", " ").split())
        for name in sorted(classes.difference(_HEADING_CLASSES)):
            self._findings.add(
                f"a heading has no class {name}; {did_you_mean(name, _HEADING_CLASSES)}", line
            )
        if not any(not _is_blank(child) for child in children):
            self._findings.add("this heading is empty", line)
        return Heading(line=line, level=int(node.tag[1]), children=children, classes=classes)

    def _list(self, node: SyntaxTreeNode, line: int) -> ListBlock:
        is_ordered = node.type == "ordered_list"
        return ListBlock(
            line=line,
            start=int(str(node.attrs.get("start", 1))) if is_ordered else None,
            is_tight=any(
                child.type == "paragraph" and child.hidden
                for item in node.children
                for child in item.children
            ),
            items=tuple(
                self.blocks(item.children, can_have_blocks=False) for item in node.children
            ),
        )

    def _table(self, node: SyntaxTreeNode, line: int) -> Table:
        head, *bodies = node.children
        rows = [row for body in bodies for row in body.children]
        for row in rows:
            self._say_lost_cells(row, len(head.children[0].children))
        return Table(
            line=line,
            aligns=tuple(
                str(cell.attrs.get("style", "")).removeprefix("text-align:")
                for cell in head.children[0].children
            ),
            header=self._cells(head.children[0]),
            rows=tuple(self._cells(row) for row in rows),
        )

    def _say_lost_cells(self, row: SyntaxTreeNode, columns: int) -> None:
        """Note the cells beyond the last column: GFM drops them without a word."""
        line = self._line(row)
        cells = escapedSplit(self._lines[line - self._first_line].strip().lstrip("> \t"))
        cells = cells[not cells[0].strip() :]
        lost = " | ".join(cell.strip() for cell in cells[columns:]).strip("| ")
        if lost:
            self._findings.add(
                f"this row has more cells than the table has columns: {lost[:40]}; "
                "write \\| where a bar is meant",
                line,
            )

    def _cells(self, row: SyntaxTreeNode) -> tuple[tuple[Inline, ...], ...]:
        return tuple(self._inlines.read(cell.children[0], self._line(row)) for cell in row.children)

    def _fence(self, node: SyntaxTreeNode, line: int, *, can_have_blocks: bool) -> Fence | None:
        found = self._fences[line - self._first_line]
        if not can_have_blocks:
            self._findings.add(f"::: {found.name} cannot stand in a list or a quote", line)
            return None
        if not found.name:
            return None
        return Fence(
            line=line,
            name=found.name,
            options=found.options,
            children=self.blocks(node.children, can_have_blocks=True),
            raw=node.content if found.name == RAW else "",
        )


def _is_blank(child: Inline) -> bool:
    return isinstance(child, Text) and not child.text.strip()


def _lone_picture(children: tuple[Inline, ...]) -> tuple[Image, str] | None:
    match tuple(child for child in children if not _is_blank(child)):
        case (Image() as image,):
            return image, ""
        case (Link(href=href, children=(Image() as image,)),):
            return image, href
    return None

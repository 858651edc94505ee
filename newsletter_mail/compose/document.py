"""Arranges the blocks of an issue: masthead, opening, sections. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter_mail.compose.blocks import Block, Fence, Heading
from newsletter_mail.compose.findings import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands under one ``##``; its heading is the first block.

    Attributes:
        is_featured: the heading has ``{.featured}``.
    """

    blocks: tuple[Block, ...]
    is_featured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An issue, arranged.

    Attributes:
        masthead: the heading of level 1, or None.
        opening: what stands before the first ``##``.
        sections: one for each ``##``.
    """

    masthead: Heading | None
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks but the masthead, in their order."""
        return self.opening + tuple(b for section in self.sections for b in section.blocks)


def arrange(blocks: Sequence[Block], findings: Findings) -> Document:
    """Take the blocks of an issue apart at its headings."""
    _refuse_titles_inside(blocks, findings)
    masthead: Heading | None = None
    groups: list[list[Block]] = [[]]
    for position, block in enumerate(blocks):
        match block:
            case Heading(level=1) if position == 0:
                masthead = block
            case Heading(level=1, line=line):
                why = "is the second" if masthead else "stands after other text"
                findings.add(f"# is the title of the issue and comes first; this one {why}", line)
            case Heading(level=2):
                groups.append([block])
            case _:
                groups[-1].append(block)
    return Document(
        masthead=masthead,
        opening=tuple(groups[0]),
        sections=tuple(
            Section(
                blocks=tuple(group),
                is_featured=isinstance(group[0], Heading) and "featured" in group[0].classes,
            )
            for group in groups[1:]
        ),
    )


def _refuse_titles_inside(blocks: Sequence[Block], findings: Findings) -> None:
    for block in blocks:
        if isinstance(block, Fence):
            for child in block.children:
                if isinstance(child, Heading) and child.level == 1:
                    findings.add("# is the title of the issue; use ## or ### here", child.line)
            _refuse_titles_inside(block.children, findings)

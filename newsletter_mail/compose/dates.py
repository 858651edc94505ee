"""Dates that an author wrote as numbers, in the words of the issue's language. Pure.

They stand in the option ``date`` of a block, and alone in a line of ``::: when``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter_mail.compose.blocks import Block, Fence, Paragraph, Text
from newsletter_mail.compose.findings import Findings
from newsletter_mail.phrases import NoSuchDate, localised_date

_WHEN = "when"
_OPTION = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWriter:
    """Writes the dates of one issue; one that the calendar does not have is noted."""

    language: str
    findings: Findings

    def blocks(self, blocks: Sequence[Block]) -> list[Block]:
        """The same blocks with their dates in words."""
        return [self._fence(block) if isinstance(block, Fence) else block for block in blocks]

    def _fence(self, block: Fence) -> Fence:
        options = dict(block.options)
        if _OPTION in options:
            options[_OPTION] = self._words(options[_OPTION], block.line)
        children = self.blocks(block.children)
        if block.name == _WHEN:
            children = [self._when(child) for child in children]
        return replace(block, options=options, children=tuple(children))

    def _when(self, block: Block) -> Block:
        match block:
            case Paragraph(line=line, children=(Text(text=text),)):
                return replace(block, children=(Text(self._words(text, line)),))
        return block

    def _words(self, text: str, line: int) -> str:
        try:
            return localised_date(text, self.language)
        except NoSuchDate as error:
            self.findings.add(f"there is no date {error}", line)
            return text

"""Dates that an author wrote as numbers, in the words of the issue's language. Pure.

They stand in the option ``date`` of a block, and alone in a line of ``::: when``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsletter_mail.compose.blocks import Block, Fence, Paragraph, Text
from newsletter_mail.compose.findings import Findings
from newsletter_mail.phrases import NoSuchDate, localised_date

_WHEN = "when"
_OPTION = "date"
# The one zone whose name is the same in all languages.
_UTC = re.compile(r"([0-9-]{10}[T ][0-9:]{5})\s*(?:UTC|Z)")


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
        written = options.get(_OPTION, "")
        if written:
            options[_OPTION] = self._words(written, block.line)
        children = self.blocks(block.children)
        if block.name == _WHEN:
            children = [self._when(child) for child in children]
        return replace(block, options=options, children=tuple(children), date=written)

    def _when(self, block: Block) -> Block:
        match block:
            case Paragraph(line=line, children=(Text(text=text),)):
                return replace(block, children=(Text(self._words(text, line)),))
        return block

    def _words(self, text: str, line: int) -> str:
        when, zone = _UTC.fullmatch(text.strip()), ""
        if when is not None:
            text, zone = when[1], " UTC"
        try:
            return localised_date(text, self.language) + zone
        except NoSuchDate as error:
            self.findings.add(f"there is no date {error}", line)
            return text

"""The text of an issue as its author wrote it, to say in which line something stands. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_COLONS = re.compile(r"\s*:{3,}\s*([A-Za-z][\w-]*)?")
_COMMENT = re.compile(r"<!--.*?-->")
# A link's address, a picture's path, an automatic link, options and classes are no prose.
_NOT_PROSE = re.compile(
    r"(?<=\])\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)|<[a-z]+:[^>\s]*>|https?://\S+|"
    r"\{[.\w =\"%-]*\}|`[^`]*`"
)
_MERGE_TAG = re.compile(r"\{\{.*?\}\}")
_MARKS = re.compile(r"[*_]{1,3}|^\s*(?:#{1,6}|>|[-+]|\d+[.)])\s+|[\[\]!|]")
#: Stands in prose where a merge tag or an address was taken out.
GAP = "\ufffc"


@dataclass(frozen=True)
class SourceText:
    """One file of an issue.

    Attributes:
        file: as the user would type it.
        lines: all of them; none where there is only a build to look at.
    """

    file: str
    lines: tuple[str, ...] = ()

    def line_with(self, needle: str) -> int | None:
        """The first line with a text in it, 1-based; None where there is none."""
        if not needle:
            return None
        return next((n for n, line in enumerate(self.lines, start=1) if needle in line), None)

    def line_of_key(self, key: str) -> int | None:
        """The line of an entry of the front matter."""
        end = self._front_matter_end
        for number, line in enumerate(self.lines[:end], start=1):
            if re.match(rf"{key}\s*:", line):
                return number
        return 1 if self.lines else None

    def entry(self, key: str) -> str:
        """What the front matter says of a key, on its line; "" where it says nothing."""
        number = self.line_of_key(key)
        line = self.lines[number - 1] if number else ""
        name, _, value = line.partition(":")
        return value.strip(" \t\"'") if name.strip() == key else ""

    @cached_property
    def prose(self) -> tuple[tuple[int, str], ...]:
        """Each line that readers read, with its number: without code, addresses and markup."""
        return tuple(self._prose())

    @cached_property
    def options(self) -> tuple[tuple[int, str, str], ...]:
        """Line, name and whole text of each line that opens a block."""
        found = ((n, _COLONS.match(line), line) for n, line in enumerate(self.lines, start=1))
        return tuple((n, match[1], line) for n, match, line in found if match and match[1])

    @cached_property
    def _front_matter_end(self) -> int:
        ends = (n for n, line in enumerate(self.lines) if n and line.rstrip() in {"---", "..."})
        return next(ends, -1) + 1

    def _prose(self) -> Iterator[tuple[int, str]]:
        fence = ""
        for number, line in enumerate(self.lines, start=1):
            if number <= self._front_matter_end:
                entry = re.match(r"(?:subject|preheader|title)\s*:(.*)", line)
                if entry:
                    yield number, _MERGE_TAG.sub(GAP, entry[1]).strip()
                continue
            opened = _FENCE.match(line)
            if opened and (not fence or opened[1].startswith(fence)):
                fence = "" if fence else opened[1]
            elif not fence and not _COLONS.match(line):
                yield number, _words_of(line)


def _words_of(line: str) -> str:
    line = _COMMENT.sub("", line)
    line = _NOT_PROSE.sub(GAP, _MERGE_TAG.sub(GAP, line))
    return _MARKS.sub("", line).strip()

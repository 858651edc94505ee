"""What each section of a mail costs in bytes, as it is sent. Pure."""

from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise

from newsletter_mail.checks.html import squeezed

#: What belongs to no section.
FRAME, OPENING = "head and footer", "opening"
_VOID = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SectionCost:
    """One section: the text of its heading, and its bytes in the HTML part."""

    heading: str
    size: int


def section_costs(html: str) -> tuple[SectionCost, ...]:
    """The frame and the sections in their order; the sizes add up to the whole.

    A section begins with the outermost part of the page that has an ``<h2>`` in it. What goes
    before the first is the opening; the last part, where it has no heading, is the footer.
    """
    reader = _Reader(html)
    reader.feed(html)
    reader.close()
    parts = reader.parts
    frame = len(html[: parts[0].start if parts else len(html)].encode())
    costs: list[SectionCost] = []
    ends = [*(after.start for _, after in pairwise(parts)), len(html)]
    for number, (part, end) in enumerate(zip(parts, ends, strict=False), start=1):
        size = len(html[part.start : end].encode())
        if part.heading or (not costs and number < len(parts)):
            costs.append(SectionCost(part.heading or OPENING, size))
        elif number == len(parts):
            frame += size
        else:
            costs[-1] = SectionCost(costs[-1].heading, costs[-1].size + size)
    return (SectionCost(FRAME, frame), *costs)


@dataclass(slots=True)
class _Part:
    """A child of the element that holds the page: where it starts, and its ``<h2>``."""

    start: int
    heading: str = ""


class _Reader(HTMLParser):
    """Finds the children of the first element in ``<body>`` that has more than one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[_Part] = []
        self._line_starts = [0]
        for line in html.split("\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)
        self._depth = -1
        self._heading: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._depth = 0
        if self._depth < 0 or tag in _VOID:
            return
        self._depth += 1
        # Body, the wrapper, and its children.
        if self._depth == 3:
            line, column = self.getpos()
            self.parts.append(_Part(self._line_starts[line - 1] + column))
        if tag == "h2" and self.parts and not self.parts[-1].heading:
            self._heading = []

    def handle_endtag(self, tag: str) -> None:
        if self._depth < 0 or tag in _VOID:
            return
        self._depth -= 1
        if tag == "h2" and self._heading is not None:
            self.parts[-1].heading = squeezed("".join(self._heading)) or "a section"
            self._heading = None

    def handle_data(self, data: str) -> None:
        if self._heading is not None:
            self._heading.append(data)

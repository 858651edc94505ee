"""The totals of a soak, as a table in Markdown. Pure."""

from collections.abc import Mapping
from dataclasses import astuple

from benchmarks.soak.rounds import Counts

_HEAD = (
    "fault",
    "rounds",
    "hits",
    "commands",
    "messages",
    "uncertain",
    "sent again by `settle --resend`",
    "duplicates",
    "missed",
    "lost rows",
)


class Totals:
    """Counts by fault."""

    def __init__(self) -> None:
        self.rounds = 0
        self._by_fault: dict[str, tuple[int, ...]] = {}

    def add(self, fault: str, counts: Counts) -> None:
        """One more round."""
        self.rounds += 1
        fresh = (1, *astuple(counts))
        former = self._by_fault.get(fault, (0,) * len(fresh))
        self._by_fault[fault] = tuple(map(sum, zip(former, fresh, strict=True)))

    def table(self, order: Mapping[str, object]) -> str:
        """The table, its lines in this order, and a line of sums."""
        rows = [(name, *self._by_fault[name]) for name in order if name in self._by_fault]
        sums = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
        lines = [_HEAD, ("---",) * len(_HEAD), *rows, ("**all**", *sums)]
        return "\n".join(
            "| "
            + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in line)
            + " |"
            for line in lines
        )

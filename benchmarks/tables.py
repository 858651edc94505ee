"""Markdown tables, and targets with whether they are met."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number that should be reached.

    Attributes:
        name: what is measured.
        wanted: the bound, with its unit.
        measured: the number, with its unit.
    """

    name: str
    wanted: str
    measured: str
    is_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What one measure says, in Markdown.

    Attributes:
        text: what was measured.
        paragraphs: tables and notes.
    """

    title: str
    text: str = ""
    paragraphs: Sequence[str] = ()
    targets: Sequence[Target] = ()

    def markdown(self) -> str:
        """All of it, the targets in a table at the end."""
        parts = [f"## {self.title}", self.text, *self.paragraphs]
        if self.targets:
            parts.append(targets_table(self.targets))
        return "\n\n".join(filter(None, parts))


def at_most(name: str, measured: float, bound: float, unit: str = "", *, digits: int = 0) -> Target:
    """A target that a larger number misses."""
    return Target(
        name=name,
        wanted=f"at most {_shown(bound, unit)}",
        measured=f"{measured:,.{digits}f}{unit}",
        is_met=measured <= bound,
    )


def at_least(name: str, measured: float, bound: float, *, digits: int = 2) -> Target:
    """A target that a smaller number misses."""
    return Target(
        name=name,
        wanted=f"at least {_shown(bound)}",
        measured=f"{measured:,.{digits}f}",
        is_met=measured >= bound,
    )


def _shown(bound: float, unit: str = "") -> str:
    return f"{bound:,g}{unit}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def targets_table(targets: Sequence[Target]) -> str:
    """Targets, one a line."""
    rows = [
        (target.name, target.wanted, target.measured, "yes" if target.is_met else "**no**")
        for target in targets
    ]
    return table(("target", "wanted", "measured", "met"), rows)

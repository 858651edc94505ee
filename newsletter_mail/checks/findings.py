"""What a check found. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    #: The issue must not be sent like this.
    ERROR = "error"
    #: Worth a look.
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with an issue.

    Attributes:
        rule: a stable id, ``group.name``.
        message: what is wrong and what to do.
        file: as the user would type it; "" for the settings as a whole.
        line: 1-based, or None.
    """

    rule: str
    level: Level
    message: str
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule yields; the rule's id and advice are added to it.

    Attributes:
        what: what is wrong: a clause that starts in lower case and has no full stop.
        file: where it is not the file of the issue.
        level: where it is not the rule's own.
        advice: where it is not the rule's own.
    """

    what: str
    line: int | None = None
    file: str | None = None
    level: Level | None = None
    advice: str | None = None


def count_level(findings: Sequence[Finding], level: Level) -> int:
    """How many findings are of a level."""
    return sum(finding.level is level for finding in findings)

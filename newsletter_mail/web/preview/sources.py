"""The file that an author writes, line by line, with what was found in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter_mail.checks.findings import Finding
from newsletter_mail.compose.source import MAX_SOURCE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a file.

    Attributes:
        number: 1-based.
        findings: what is wrong in it.
    """

    number: int
    text: str
    findings: tuple[Finding, ...] = ()


def read_lines(file: Path, name: str, findings: Sequence[Finding]) -> list[Line]:
    """The lines of a file; none where it cannot be read.

    Args:
        name: of the file in the findings.
    """
    try:
        if file.stat().st_size > MAX_SOURCE_BYTES:
            return []
        text = file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return []
    here = [finding for finding in findings if finding.file == name]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    return [
        Line(
            number=number,
            text=line,
            findings=tuple(finding for finding in here if finding.line == number),
        )
        for number, line in enumerate(lines, start=1)
    ]

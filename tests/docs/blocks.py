"""Reads the code blocks of the documentation."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """A block of code between backticks.

    Attributes:
        line: of its first backtick, 1-based.
        language: the first word behind the backticks.
        is_run: not marked ``no-run``.
    """

    file: Path
    line: int
    language: str
    is_run: bool
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}"


def code_blocks(file: Path, *languages: str) -> list[CodeBlock]:
    """The blocks of a file that are in one of these languages; all of them where none is named."""
    text = file.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        language, *marks = match["info"].split() or [""]
        if not languages or language in languages:
            found.append(
                CodeBlock(
                    file=file,
                    line=text.count("\n", 0, match.start()) + 1,
                    language=language,
                    is_run="no-run" not in marks,
                    text=match["text"],
                )
            )
    return found


def documents() -> list[Path]:
    """README and everything in ``docs/``."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]

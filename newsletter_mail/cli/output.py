"""What commands print: results on stdout, everything else on stderr."""

import json
import re
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

# What a subscriber or a mail server says must not move the cursor or ring the bell.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: Wide enough that a table in a pipe is never cut.
_PIPE_WIDTH = 400


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Rich ends the process here, with code 1; the end of a command is for exits.py to decide.
        raise  # noqa: PLE0704 - rich calls this where it has caught the error


def shown(text: object) -> str:
    """Text from outside, safe on a terminal: one line, control characters replaced."""
    return _CONTROL.sub("�", str(text).replace("\n", " ").replace("\t", " "))


def say(message: str = "") -> None:
    """A line of the result, on stdout."""
    print(message)  # noqa: T201 - the one place that prints results


def note(message: str = "") -> None:
    """A line of progress or explanation, on stderr."""
    print(message, file=sys.stderr)  # noqa: T201 - the one place that prints notes


def complain(message: str) -> None:
    """What went wrong, on stderr; one line each."""
    for line in message.splitlines():
        note(f"Error: {shown(line)}")


def warn(message: str) -> None:
    """What may go wrong, on stderr."""
    note(f"Warning: {shown(message)}")


def say_json(document: object) -> None:
    """One JSON document on stdout."""
    say(as_json(document, indent=2))


def as_json(document: object, *, indent: int | None = None) -> str:
    """JSON as it may go to a terminal: control characters are written as escapes."""
    text = json.dumps(document, ensure_ascii=False, indent=indent, default=str)
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout; never cut when it goes into a pipe or a file."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console = _Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    console.print(table)

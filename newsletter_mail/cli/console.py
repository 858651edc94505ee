"""What is drawn with rich on a terminal; apart, because most commands draw nothing."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from newsletter_mail.cli.output import shown

#: Wide enough that a table in a pipe is never cut.
_PIPE_WIDTH = 400


class SafeConsole(Console):
    """A console of rich that leaves the end of the process to ``exits``."""

    def on_broken_pipe(self) -> None:
        """Let the error through; rich would end the process with code 1."""
        raise  # noqa: PLE0704 - rich calls this where it has caught the error


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout; never cut when it goes into a pipe or a file."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console = SafeConsole(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    console.print(table)

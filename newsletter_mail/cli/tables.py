"""Files that commands about people read and write: exports, and reports of rejected rows."""

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from newsletter_mail.audience.importing.people import Rejected
from newsletter_mail.audience.spreadsheets import guard
from newsletter_mail.cli.output import note, shown
from newsletter_mail.errors import InputError

#: Rejected rows that are named on the terminal; all of them are in the report.
SHOWN_ROWS = 20


@contextmanager
def writing_text(path: Path | None) -> Iterator[TextIO]:
    """A file to write CSV or JSON lines to, or stdout where none is named.

    Raises:
        InputError: the file cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def reporting(source: Path, report: Path | None) -> Iterator[Callable[[Rejected], None]]:
    """What takes rejected rows: the first go to stderr, all go to the report.

    Args:
        source: the file that the rows are in.
        report: CSV: ``line,email,reason``; it appears even where no row is rejected.

    Raises:
        InputError: the report cannot be written, or is the very file that is read.
    """
    if report is not None and report.exists() and source.exists() and report.samefile(source):
        raise InputError(f"--report {report}: is the file that is read")
    if report is None:
        yield _Terminal(source)
        return
    with writing_text(report) as stream:
        writer = csv.writer(stream)
        writer.writerow(("line", "email", "reason"))
        terminal = _Terminal(source)

        def both(row: Rejected) -> None:
            terminal(row)
            writer.writerow((row.line, guard(shown(row.email)), guard(shown(row.reason))))

        yield both


class _Terminal:
    def __init__(self, source: Path) -> None:
        self._source = source
        self._count = 0

    def __call__(self, row: Rejected) -> None:
        self._count += 1
        if self._count <= SHOWN_ROWS:
            email = f"{row.email}: " if row.email else ""
            note(shown(f"{self._source}:{row.line}: {email}{row.reason}"))
        elif self._count == SHOWN_ROWS + 1:
            note("… and more; --report FILE has all of them")

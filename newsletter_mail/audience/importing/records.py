"""CSV as a stream of records with their line numbers; one that is broken does not end the stream.

RFC 4180, with ``;`` or a tab in place of the comma, any line end, and bounds on everything.
"""

import csv
from collections.abc import Generator, Iterator
from typing import NamedTuple, TextIO

#: Longest field, characters.
MAX_FIELD_LENGTH = 65_536
#: Most fields of a record.
MAX_FIELDS = 500
#: Longest record, characters: what one record may cost in memory.
MAX_RECORD_LENGTH = 1 << 20


class Record(NamedTuple):
    """One record.

    Attributes:
        line: the line of the file that it starts on, from 1.
        fields: empty where it could not be read.
        fault: why it could not be read, or "".
    """

    line: int
    fields: list[str]
    fault: str = ""


class _TooLong(Exception):
    """The record has grown beyond its bound."""


class _Lines:
    """The lines of a stream for ``csv.reader``, counted, and bounded for each record."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._has_open_line = False
        self._quotes = 0
        #: Characters of the record so far.
        self.length = 0
        #: Lines that have been begun.
        self.number = 0

    def begin_record(self) -> None:
        self.length = self._quotes = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._read():
            if self.length >= MAX_RECORD_LENGTH:
                raise _TooLong
            yield line

    def skip_record(self) -> None:
        """Read on to the end of a record: a line end outside of quotes."""
        while self._has_open_line or self._quotes % 2:
            if not self._read():
                return

    def _read(self) -> str:
        line = self._stream.readline(MAX_RECORD_LENGTH)
        if line:
            self.number += not self._has_open_line
            self._has_open_line = line[-1] not in "\r\n"
            self.length += len(line)
            self._quotes += line.count('"')
        return line


def read_records(stream: TextIO, delimiter: str) -> Generator[Record, None, None]:
    """The records of a stream, blank lines left out.

    Args:
        stream: opened with ``newline=""``.
    """
    # The module has one limit for all; ours on a single field is looked at below, where the
    # record is whole and the next one starts at its right place.
    csv.field_size_limit(MAX_RECORD_LENGTH)
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_record()
        start = lines.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except _TooLong:
            lines.skip_record()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            kilobytes = MAX_RECORD_LENGTH >> 10
            yield Record(start, [], _over(start, lines, f"the row is longer than {kilobytes} KB"))
        except csv.Error as error:
            yield Record(start, [], _over(start, lines, _explain(error)))
        else:
            if any(fields):
                fault = _fault_of(fields) if lines.length > MAX_FIELDS else ""
                yield Record(start, [] if fault else fields, fault)


def _fault_of(fields: list[str]) -> str:
    if len(fields) > MAX_FIELDS:
        return f"the row has {len(fields)} fields; {MAX_FIELDS} are allowed"
    longest = max(map(len, fields))
    if longest > MAX_FIELD_LENGTH:
        return f"a field is {longest} characters long; {MAX_FIELD_LENGTH} are allowed"
    return ""


def _explain(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quote that opens in this row is never closed"
    if "expected after" in str(error):
        return 'a quoted field goes on after its closing quote; a quote inside is written ""'
    return f"the row cannot be read: {error}"


def _over(start: int, lines: _Lines, reason: str) -> str:
    """The reason, and how far the row goes where it is more than one line."""
    if lines.number <= start:
        return reason
    return f"{reason}; lines {start} to {lines.number} are left out"

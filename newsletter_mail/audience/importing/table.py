"""A CSV file as a table: its delimiter, its columns, and its rows."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from newsletter_mail.addresses import parse_address
from newsletter_mail.audience.importing.columns import (
    ADDRESSES_ONLY,
    Columns,
    has_email_title,
    name_columns,
    plan_columns,
)
from newsletter_mail.audience.importing.files import TextFile, examine_file
from newsletter_mail.audience.importing.records import Record, read_records
from newsletter_mail.errors import InputError, InvalidAddress

_DELIMITERS = (",", ";", "\t")
# Excel's way of saying it, in a line before the header.
_EXCEL_HINT = "sep="


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file that has an address in each row.

    Attributes:
        header: records before the first person.
        warning: what may be wrong with the file, or "".
    """

    file: TextFile
    delimiter: str
    columns: Columns
    header: int
    warning: str

    def rows(self) -> Iterator[Record]:
        """The rows below the header, as a stream; what is wrong with one is in its ``fault``."""
        is_in_doubt = False
        width = self.columns.width
        with self.file.open() as stream:
            try:
                for record in islice(read_records(stream, self.delimiter), self.header, None):
                    if not record.fault and len(record.fields) == width:
                        is_in_doubt = False
                        yield record
                        continue
                    row = self._checked(record, is_in_doubt=is_in_doubt)
                    is_in_doubt = bool(row.fault) and (is_in_doubt or bool(record.fault))
                    yield row
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{self.file.path}: is not {self.file.encoding}, as its first bytes say it is"
                ) from error

    def _checked(self, record: Record, *, is_in_doubt: bool) -> Record:
        width, found = self.columns.width, len(record.fields)
        if record.fault:
            return record
        if found > width and any(record.fields[width:]):
            return record._replace(
                fault=f"the row has {found} fields and the header {width}; "
                "a value with the separator in it stands in quotes"
            )
        # What follows a broken quote may be the rest of a note, and an address in a note is not
        # a subscriber: rows count again from the first that is whole.
        if is_in_doubt and found != width:
            return record._replace(fault="it follows a row with a broken quote, and is not whole")
        if found < width:
            record.fields.extend([""] * (width - found))
        return record


def open_table(path: Path, mapping: Mapping[str, str]) -> Table:
    """Find out how a file is to be read.

    Args:
        mapping: columns that are named by hand, as ``columns.parse_mapping`` gives them.

    Raises:
        InputError: it is not a text file, or has no column of addresses; or the mapping names a
            column that it does not have.
    """
    file = examine_file(path)
    delimiter, first = _first_record(file)
    skipped = 0
    if first and first[0].startswith(_EXCEL_HINT):
        named = first[0].removeprefix(_EXCEL_HINT)
        delimiter = named if named in _DELIMITERS else delimiter
        delimiter, first = _first_record(file, skip=1, delimiters=(delimiter,))
        skipped = 1
    columns, header = _columns_of(path, first, mapping)
    return Table(
        file=file,
        delimiter=delimiter,
        columns=columns,
        header=skipped + header,
        warning=file.warning,
    )


def _columns_of(path: Path, first: list[str], mapping: Mapping[str, str]) -> tuple[Columns, int]:
    """The columns, and whether the first record was a header (1) or a person already (0)."""
    has_address = any(map(_is_address, first))
    if has_address and len(first) == 1 and not mapping:
        return ADDRESSES_ONLY, 0
    if has_address:
        raise InputError(
            f"{path}: the first line has an address in it where the names of the columns should "
            "be; put a line such as email,name above it"
        )
    try:
        columns = plan_columns(first, mapping)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if not columns.has_email:
        raise InputError(
            f"{path}: no column of e-mail addresses; its columns are {name_columns(first)}. "
            "Say which one it is with --map COLUMN=email"
        )
    return columns, 1


def _first_record(
    file: TextFile, *, skip: int = 0, delimiters: tuple[str, ...] = _DELIMITERS
) -> tuple[str, list[str]]:
    """The delimiter that takes the first record apart best, and what it comes to."""
    records = {delimiter: _read_one(file, delimiter, skip) for delimiter in delimiters}
    whole = {key: record.fields for key, record in records.items() if not record.fault}
    if not whole:
        fault = records[delimiters[0]].fault
        raise InputError(f"{file.path}: the first line cannot be read: {fault}")
    return max(whole.items(), key=lambda item: (has_email_title(item[1]), len(item[1])))


def _read_one(file: TextFile, delimiter: str, skip: int) -> Record:
    with file.open() as stream, closing(read_records(stream, delimiter)) as records:
        try:
            return next(islice(records, skip, None), Record(1, []))
        except UnicodeDecodeError:
            return Record(1, [], f"it is not {file.encoding}")


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except InvalidAddress:
        return False
    return True

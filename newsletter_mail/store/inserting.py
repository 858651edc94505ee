"""Many rows at a time, and INSERT … ON CONFLICT DO NOTHING, which SQL itself does not have."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Table,
    any_,
    bindparam,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.types import String, TypeEngine

#: Rows in one statement.
CHUNK_SIZE = 1000

_Item = TypeVar("_Item")


def insert_ignoring(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves rows alone that are there already."""
    # Only the module of the database in use, which is loaded: another one costs 20 ms.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    statement: Insert = dialect.insert(table).on_conflict_do_nothing()
    return statement


class BulkInsert:
    """INSERT for hundreds of thousands of rows.

    SQLAlchemy's own way through the types of every value costs 10 µs a row, half of an import.
    Here the statement is made once, and the caller encodes a value once where it is the same in
    all rows (``encoded``).

    Args:
        columns: names of those that each row gives, in the order of the table.

    Raises:
        ValueError: they stand in another order.
    """

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        self._connection = connection
        self._columns = tuple(columns)
        # Inline: nobody asks for the keys of so many rows.
        compiled = (
            insert(table).inline().compile(dialect=connection.dialect, column_keys=list(columns))
        )
        self._sql = str(compiled)
        self._is_positional = compiled.positiontup is not None
        if self._is_positional and compiled.positiontup != list(columns):
            raise ValueError(f"the columns of {table.name} come in the order of the table")

    def execute(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Insert rows whose values the driver takes as they are."""
        if self._is_positional:
            self._connection.exec_driver_sql(self._sql, list(rows))
        else:
            named = [dict(zip(self._columns, row, strict=True)) for row in rows]
            self._connection.exec_driver_sql(self._sql, named)


def encoded(dialect: Dialect, kind: TypeEngine[Any], value: object) -> object:
    """A value as the driver takes it for a column of a type."""
    encode = kind.dialect_impl(dialect).bind_processor(dialect)
    return value if encode is None else encode(value)


def is_one_of(
    connection: Connection, target: Column[Any], values: Collection[str]
) -> ColumnElement[bool]:
    """``target IN (values)`` with one parameter, so that the statement is prepared once.

    A thousand parameters cost 1 ms each time.
    """
    if connection.dialect.name == "postgresql":
        return target == any_(literal(list(values), ARRAY(String)))
    each = func.json_each(bindparam(None, json.dumps(list(values)), String))
    return target.in_(select(column("value")).select_from(each.table_valued("value")))


def in_chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """The items in lists of ``CHUNK_SIZE``; the last one may be shorter."""
    chunk: list[_Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK_SIZE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk

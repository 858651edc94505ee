"""Statements for the hot loop: written with SQLAlchemy, compiled once, run by the driver.

Binding the values of one row of an executemany takes SQLAlchemy 20 to 25 µs, most of it for values
that are the same in every row; the driver takes 2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Update
from sqlalchemy.sql.compiler import SQLCompiler

from newsletter_mail.store.inserting import encoded


class Prepared:
    """An UPDATE that is run for many rows at once.

    Args:
        statement: with parameters by name (``bindparam``).
        by_row: the parameters that differ from row to row; whole numbers and text only, which
            every driver takes as they are. All others are given once.
    """

    def __init__(self, statement: Update, *, by_row: Sequence[str]) -> None:
        self._statement = statement
        self._by_row = tuple(by_row)
        self._compiled: dict[str, SQLCompiler] = {}

    def run(
        self,
        connection: Connection,
        rows: Sequence[tuple[int | str, ...]],
        shared: Mapping[str, object],
    ) -> int:
        """Run it for each row, in the caller's transaction.

        Args:
            rows: values in the order of ``by_row``; at least one row.
            shared: the other parameters, by name.

        Returns:
            How many rows of the table it changed.
        """
        compiled = self._compile(connection.dialect)
        common = self._common_values(compiled, connection.dialect, shared)
        parameters: list[Any]
        if compiled.positiontup is None:
            parameters = [common | dict(zip(self._by_row, row, strict=True)) for row in rows]
        else:
            # As many values as the statement has places, those of a row by their position in it.
            values = [common.get(name) for name in compiled.positiontup]
            places = [compiled.positiontup.index(name) for name in self._by_row]
            parameters = [_with(values, places, row) for row in rows]
        return connection.exec_driver_sql(str(compiled), parameters).rowcount

    def _compile(self, dialect: Dialect) -> SQLCompiler:
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled = self._statement.compile(dialect=dialect)
            assert isinstance(compiled, SQLCompiler)  # noqa: S101 - tells mypy what an UPDATE is
            known = self._compiled[dialect.name] = compiled
        return known

    def _common_values(
        self, compiled: SQLCompiler, dialect: Dialect, shared: Mapping[str, object]
    ) -> dict[str, object]:
        return {
            name: encoded(dialect, parameter.type, shared.get(name, parameter.effective_value))
            for parameter, name in compiled.bind_names.items()
            if name not in self._by_row
        }


def _with(
    values: Sequence[object], places: Sequence[int], row: Sequence[object]
) -> tuple[object, ...]:
    filled = list(values)
    for place, value in zip(places, row, strict=True):
        filled[place] = value
    return tuple(filled)

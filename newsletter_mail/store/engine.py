"""Connections: an SQLite file or a PostgreSQL server, and the errors that they have.

On SQLite a commit is on disk before it returns (``synchronous=FULL``), readers do not wait for a
writer (WAL), and a writer takes its lock at BEGIN, so that two writers wait for each other instead
of one failing half-way (https://sqlite.org/isolation.html).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from newsletter_mail.errors import ConfigError, StoreError

#: How long a writer waits for another one, seconds.
BUSY_TIMEOUT_S = 10


def connect(url: str) -> Engine:
    """An engine on which reads and writes are ready to go.

    Raises:
        ConfigError: the URL is not one of SQLite or PostgreSQL.
    """
    try:
        engine = sqlalchemy.create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigError(
            f"[database] url cannot be used: {error}. "
            "Write sqlite:///newsletter.db or postgresql+psycopg://…"
        ) from error
    event.listen(engine, "handle_error", _translate)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end of the block, or undone.

    Raises:
        StoreError: the database is read-only, full, locked by another process or gone.
    """
    options = {"is_writing": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and sees one state of the database throughout."""
    with engine.connect() as connection:
        yield connection


def sqlite_path(engine: Engine) -> Path | None:
    """The file of the database, or None where it is not SQLite or lies in memory."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database or database == ":memory:":
        return None
    return Path(database)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite does.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    # A database on a read-only medium can be read all the same.
    mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode not in ("wal", "memory"):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


_SENTENCES = {
    "readonly database": "cannot be written to: it, or its folder, is read-only",
    "disk is full": "cannot be written to: the disk is full. Nothing of this step was kept",
    "disk i/o error": "cannot be written to: the disk is full or broken. "
    "Nothing of this step was kept",
    "database is locked": f"has been locked by another program for {BUSY_TIMEOUT_S} s",
    "unable to open database file": "cannot be opened: look at its folder and its permissions",
    "not a database": "is not a database of ours: another file lies in its place",
    "disk image is malformed": "is damaged: restore a backup",
}


def _translate(context: ExceptionContext) -> None:
    """Turn what a person can do something about into a sentence."""
    original = context.original_exception
    is_ours = isinstance(original, sqlite3.Error) or isinstance(
        context.sqlalchemy_exception, OperationalError
    )
    if context.engine is None or not is_ours:
        return
    place = context.engine.url.render_as_string(hide_password=True)
    path = sqlite_path(context.engine)
    text = str(original).lower()
    for sign, sentence in _SENTENCES.items():
        if sign in text:
            raise StoreError(f"the database {path or place} {sentence}") from original
    if isinstance(context.sqlalchemy_exception, OperationalError) and path is None:
        raise StoreError(f"the database {place} does not answer: {original}") from original

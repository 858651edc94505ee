"""Whole copies of an SQLite database, made while it is in use."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Engine

from newsletter_mail.errors import StoreError
from newsletter_mail.store.engine import sqlite_path


def back_up(engine: Engine, target: Path) -> None:
    """Copy the database with SQLite's backup API: one state of it, whoever writes meanwhile.

    Only the owner can read the copy: it holds addresses.

    Raises:
        StoreError: not SQLite, or the copy cannot be written; no half of one is left.
    """
    source_path = sqlite_path(engine)
    if source_path is None:
        raise StoreError("this database is not SQLite: make its backup with pg_dump")
    if not source_path.is_file():
        raise StoreError(f"there is no database yet: {source_path}")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise StoreError(f"{target} is there already: name a new file") from error
    except OSError as error:
        raise StoreError(f"{target} cannot be made: {error.strerror}") from error
    copy = sqlite3.connect(target)
    try:
        with engine.connect() as connection:
            source = connection.connection.driver_connection
            assert source is not None  # noqa: S101 - a connection in use has a driver connection
            source.backup(copy)
    except (sqlite3.Error, StoreError) as error:
        copy.close()
        target.unlink()
        raise StoreError(f"{target}: the copy could not be written: {error}") from error
    copy.close()

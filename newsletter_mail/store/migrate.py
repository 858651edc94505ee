"""Bring a database up to date with Alembic's revisions in ``migrations/``."""

from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from newsletter_mail.errors import SchemaOutdated, StoreError
from newsletter_mail.resources import resource_dir
from newsletter_mail.store.engine import connect, reading, sqlite_path


def open_database(url: str) -> Engine:
    """An engine on a database that is up to date; a new SQLite file is made.

    Raises:
        SchemaOutdated: the database is older than this program, or newer.
        StoreError: it cannot be opened or written.
    """
    engine = connect(url)
    path = sqlite_path(engine)
    if path is not None and not path.parent.is_dir():
        raise StoreError(f"the database {path} cannot be made: there is no folder {path.parent}")
    if _has_no_tables(engine):
        if path is None:
            raise SchemaOutdated("the database is empty: run `newsletter db upgrade`")
        upgrade(engine)
        return engine
    _refuse_foreign(engine)
    current, newest = revisions(engine)
    if current != newest:
        raise SchemaOutdated(
            f"the database is at revision {current}, this program at {newest}: "
            "make a backup (`newsletter db backup FILE`), then run `newsletter db upgrade`"
        )
    return engine


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """The revision that the database is at, and the newest that there is."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision(), newest


def _refuse_foreign(engine: Engine) -> None:
    """Raise where the tables are of a newer program, or of another one."""
    current, newest = revisions(engine)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current is None and not _has_no_tables(engine):
        raise StoreError(
            "the database has tables of another program: name another one in [database] url"
        )
    if current is not None and current not in known:
        raise SchemaOutdated(
            f"the database is at revision {current}, and this program knows {newest} at most: "
            "install a newer version of newsletter-mail"
        )


def _has_no_tables(engine: Engine) -> bool:
    with reading(engine) as connection:
        # Alembic's own stays when every revision is taken back.
        return set(inspect(connection).get_table_names()) <= {"alembic_version"}


def upgrade(engine: Engine) -> None:
    """Run every revision that the database has not seen, in one transaction.

    Raises:
        SchemaOutdated: the database is newer than this program.
        StoreError: it is not ours, or a revision would have broken a reference between rows.
    """
    _refuse_foreign(engine)
    config = _config()
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A table that is made anew drops the old one first, and with foreign keys on that
            # deletes the rows that point to it. The pragma does nothing inside a transaction.
            _set_foreign_keys(connection, on=False)
        try:
            with connection.execution_options(is_writing=True).begin():
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, "head")
                _check_foreign_keys(connection)
        finally:
            if connection.dialect.name == "sqlite":
                _set_foreign_keys(connection, on=True)


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    raw = connection.connection.driver_connection
    assert raw is not None  # noqa: S101 - a connection in use has a driver connection
    raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise StoreError(f"the upgrade was undone: rows of {broken[0]} point to nothing")


def _config() -> Config:
    config = Config()
    folder: Path = resource_dir("migrations")
    # "%" has a meaning in Alembic's settings.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config

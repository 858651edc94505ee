"""Opens a database that is up to date with ``migrations/``, and brings it there."""

from sqlalchemy import Connection, Engine, String, column, inspect, select, table, text

from newsletter_mail.errors import SchemaOutdated, StoreError
from newsletter_mail.resources import resource_dir
from newsletter_mail.store.engine import connect, reading, sqlite_path

# Where Alembic keeps the revision; the table stays when every revision is taken back.
_VERSION_TABLE = "alembic_version"


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
    current, is_empty = _look_at(engine)
    if is_empty:
        if path is None:
            raise SchemaOutdated("the database is empty: run `newsletter db upgrade`")
        upgrade(engine)
        return engine
    newest = _refuse_foreign(current)
    if current != newest:
        raise SchemaOutdated(
            f"the database is at revision {current}, this program at {newest}: "
            "make a backup (`newsletter db backup FILE`), then run `newsletter db upgrade`"
        )
    return engine


def revisions(engine: Engine) -> tuple[str | None, str]:
    """The revision that the database is at, and the newest that there is."""
    current, _ = _look_at(engine)
    return current, _known_revisions()[-1]


def _look_at(engine: Engine) -> tuple[str | None, bool]:
    """The revision that the database is at, and whether it has no tables yet."""
    with reading(engine) as connection:
        tables = set(inspect(connection).get_table_names())
        current = None
        if _VERSION_TABLE in tables:
            version = select(column("version_num", String)).select_from(table(_VERSION_TABLE))
            current = connection.execute(version).scalar()
        return current, tables <= {_VERSION_TABLE}


def _known_revisions() -> list[str]:
    """All revisions, oldest first; the name of each one's file begins with it.

    Alembic would run every file to know as much, and takes a tenth of a second to be imported.
    """
    folder = resource_dir("migrations") / "versions"
    return sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))


def _refuse_foreign(current: str | None) -> str:
    """Raise where tables are of a newer program, or of another one; else the newest revision."""
    known = _known_revisions()
    if current is None:
        raise StoreError(
            "the database has tables of another program: name another one in [database] url"
        )
    if current not in known:
        raise SchemaOutdated(
            f"the database is at revision {current}, and this program knows {known[-1]} at most: "
            "install a newer version of newsletter-mail"
        )
    return known[-1]


def upgrade(engine: Engine) -> None:
    """Run every revision that the database has not seen, in one transaction.

    Raises:
        SchemaOutdated: the database is newer than this program.
        StoreError: it is not ours, or a revision would have broken a reference between rows.
    """
    # A tenth of a second, which a command on a database that is up to date must not wait for.
    from newsletter_mail.store.revise import run_revisions  # noqa: PLC0415

    current, is_empty = _look_at(engine)
    if current is not None or not is_empty:
        _refuse_foreign(current)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A table that is made anew drops the old one first, and with foreign keys on that
            # deletes the rows that point to it. The pragma does nothing inside a transaction.
            _set_foreign_keys(connection, on=False)
        try:
            with connection.execution_options(is_writing=True).begin():
                run_revisions(connection)
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

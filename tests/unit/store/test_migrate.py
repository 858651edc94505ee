import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from newsletter_mail.errors import SchemaOutdated, StoreError
from newsletter_mail.store.engine import connect, reading
from newsletter_mail.store.migrate import open_database, revisions, upgrade
from newsletter_mail.store.schema import lists


def _sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_new_file_is_made_up_to_date_and_has_the_list_main(path: Path) -> None:
    engine = open_database(f"sqlite:///{path}")
    current, newest = revisions(engine)
    assert current == newest is not None
    with reading(engine) as connection:
        assert connection.execute(select(lists.c.id, lists.c.slug)).all() == [(1, "main")]
    engine.dispose()


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.touch()
    engine = open_database(f"sqlite:///{path}")
    assert revisions(engine)[0] is not None
    engine.dispose()


def test_opening_again_changes_nothing(engine: Engine, path: Path) -> None:
    again = open_database(f"sqlite:///{path}")
    with reading(again) as connection:
        assert connection.execute(select(func.count()).select_from(lists)).scalar_one() == 1
    again.dispose()


def test_a_database_of_a_newer_program_is_refused_with_the_way_out(
    engine: Engine, path: Path
) -> None:
    _sql(path, "UPDATE alembic_version SET version_num = 'from-the-future'")
    for action in (lambda: open_database(f"sqlite:///{path}"), lambda: upgrade(engine)):
        with pytest.raises(SchemaOutdated) as caught:
            action()
        assert "at revision from-the-future, and this program knows" in str(caught.value)
        assert "install a newer version of newsletter-mail" in str(caught.value)
    assert revisions(engine)[0] == "from-the-future"


def test_a_database_of_another_program_is_refused_and_stays(path: Path) -> None:
    _sql(path, "CREATE TABLE recipes (name TEXT)")
    url = f"sqlite:///{path}"
    for action in (lambda: open_database(url), lambda: upgrade(connect(url))):
        with pytest.raises(StoreError, match="has tables of another program"):
            action()
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("recipes",)]


def test_a_row_that_points_to_nothing_undoes_the_upgrade(path: Path) -> None:
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    _sql(path, "INSERT INTO subscriptions VALUES (1, 99, 1, '2023-07-01')")
    with pytest.raises(StoreError, match="was undone: rows of subscriptions point to nothing"):
        upgrade(engine)
    engine.dispose()


def test_references_are_held_after_an_upgrade(path: Path) -> None:
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    engine.dispose()

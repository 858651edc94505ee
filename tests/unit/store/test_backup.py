import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from newsletter_mail.errors import StoreError
from newsletter_mail.store.backup import back_up
from newsletter_mail.store.engine import connect, writing
from newsletter_mail.store.migrate import open_database, revisions
from newsletter_mail.store.schema import lists, suppressions

NOW = datetime(2023, 7, 1, tzinfo=UTC)


def _count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return count


def test_a_copy_is_a_whole_database_for_its_owner_only(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        connection.execute(insert(lists).values(slug="board", name="", created_at=NOW))
    copy = tmp_path / "copy.db"
    back_up(engine, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert _count(copy, "lists") == 2
    opened = open_database(f"sqlite:///{copy}")
    assert revisions(opened) == revisions(engine)
    opened.dispose()


def test_a_file_that_is_there_is_not_written_over(engine: Engine, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("mine")
    with pytest.raises(StoreError, match="is there already: name a new file"):
        back_up(engine, target)
    assert target.read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="is there already"):
        back_up(engine, tmp_path / "link")


def test_a_place_that_cannot_be_written_is_a_sentence(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made: No such file or directory"):
        back_up(engine, tmp_path / "no" / "copy.db")


def test_what_is_not_sqlite_is_referred_to_its_own_program(tmp_path: Path) -> None:
    memory = connect("sqlite://")
    with pytest.raises(StoreError, match="pg_dump"):
        back_up(memory, tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_is_broken_leaves_no_half_of_a_copy(engine: Engine, tmp_path: Path) -> None:
    engine.dispose()
    source = tmp_path / "newsletter.db"
    source.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError):
        back_up(engine, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_made_while_others_write_is_of_one_moment(engine: Engine, tmp_path: Path) -> None:
    is_over = threading.Event()

    def write() -> None:
        number = 0
        # Two tables always change together: a copy in which they differ is of two moments.
        while not is_over.is_set():
            with writing(engine) as connection:
                connection.execute(
                    insert(lists).values(slug=f"l{number}", name="x" * 2000, created_at=NOW)
                )
                connection.execute(
                    insert(suppressions).values(
                        email_key=f"{number}@x.org", reason="manual", at=NOW, source="s" * 2000
                    )
                )
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(8):
            copy = tmp_path / f"copy{number}.db"
            back_up(engine, copy)
            assert _count(copy, "lists") == _count(copy, "suppressions") + 1
    finally:
        is_over.set()
        thread.join(10)

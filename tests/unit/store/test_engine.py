import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from newsletter_mail.errors import ConfigError, StoreError
from newsletter_mail.store import engine as engine_module
from newsletter_mail.store.engine import connect, reading, sqlite_path, writing
from newsletter_mail.store.migrate import open_database
from newsletter_mail.store.schema import lists, subscriptions

NOW = datetime(2023, 7, 1, 12, tzinfo=UTC)


def _add_list(engine: Engine, slug: str) -> None:
    with writing(engine) as connection:
        connection.execute(insert(lists).values(slug=slug, name=slug, created_at=NOW))


def _slugs(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return sorted(connection.execute(select(lists.c.slug)).scalars())


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_how_sqlite_is_set(pragma: str, value: object, engine: Engine) -> None:
    for transaction in (reading, writing):
        with transaction(engine) as connection:
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_what_is_written_is_there_for_the_next_process(engine: Engine, path: Path) -> None:
    _add_list(engine, "board")
    with closing(sqlite3.connect(path)) as connection:
        assert ("board",) in connection.execute("SELECT slug FROM lists").fetchall()


def test_a_block_that_breaks_leaves_nothing(engine: Engine) -> None:
    def break_off() -> None:
        with writing(engine) as connection:
            connection.execute(insert(lists).values(slug="board", name="", created_at=NOW))
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert _slugs(engine) == ["main"]


def test_references_are_held(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(
            insert(subscriptions).values(list_id=1, subscriber_id=99, state=None, changed_at=NOW)
        )
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), writing(engine) as connection:
        connection.execute(text("INSERT INTO subscriptions VALUES (1, 99, 1, '2023-07-01')"))


def test_a_reader_sees_one_state_while_others_write(engine: Engine) -> None:
    count = select(func.count()).select_from(lists)
    with reading(engine) as connection:
        assert connection.execute(count).scalar_one() == 1
        _add_list(engine, "board")
        assert connection.execute(count).scalar_one() == 1
    assert len(_slugs(engine)) == 2


def test_a_writer_has_its_lock_from_the_beginning(engine: Engine, path: Path) -> None:
    with (
        writing(engine),
        closing(sqlite3.connect(path, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")
    with reading(engine), closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.rollback()


def test_two_writers_wait_for_each_other(engine: Engine) -> None:
    is_inside, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with writing(engine) as connection:
            connection.execute(insert(lists).values(slug="a", name="", created_at=NOW))
            is_inside.set()
            may_end.wait(5)

    def second() -> None:
        is_inside.wait(5)
        # Read before write: with a plain BEGIN this fails at once instead of waiting.
        with writing(engine) as connection:
            slugs = connection.execute(select(lists.c.slug)).scalars().all()
            assert "a" in slugs
            connection.execute(insert(lists).values(slug="b", name="", created_at=NOW))

    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - the thread's failure is the test's
                failures.append(error)

        return run

    threads = [threading.Thread(target=guarded(work)) for work in (first, second)]
    for thread in threads:
        thread.start()
    is_inside.wait(5)
    time.sleep(0.05)
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert failures == []
    assert _slugs(engine) == ["a", "b", "main"]


def test_a_database_that_stays_locked_is_a_sentence(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0)
    impatient = connect(f"sqlite:///{path}")
    with writing(engine), pytest.raises(StoreError, match="has been locked by another program"):
        _add_list(impatient, "a")
    impatient.dispose()


def test_a_database_that_is_read_only_is_a_sentence_and_can_be_read(
    engine: Engine, path: Path
) -> None:
    # A file mode does not stop root; SQLite's own switch stops everybody.
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError) as caught:
        _add_list(engine, "a")
    assert str(caught.value) == (
        f"the database {path} cannot be written to: it, or its folder, is read-only"
    )
    assert _slugs(engine) == ["main"]


def test_a_file_that_is_read_only_is_a_sentence(engine: Engine, path: Path) -> None:
    engine.dispose()
    read_only = connect(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert _slugs(read_only) == ["main"]
    with pytest.raises(StoreError, match="cannot be written to: it, or its folder, is read-only"):
        _add_list(read_only, "a")
    read_only.dispose()


def test_a_full_disk_is_a_sentence_and_nothing_is_lost(engine: Engine) -> None:
    _add_list(engine, "before")
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"the disk is full\. Nothing of this step was kept"):
        _add_list(engine, "x" * 100_000)
    assert _slugs(engine) == ["before", "main"]


def test_another_file_in_its_place_is_a_sentence_and_stays(path: Path) -> None:
    content = b"no database at all, and long enough for one\n" * 100
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_database(f"sqlite:///{path}")
    assert str(caught.value) == (
        f"the database {path} is not a database of ours: another file lies in its place"
    )
    assert path.read_bytes() == content


def test_a_damaged_database_is_a_sentence(engine: Engine, path: Path) -> None:
    for number in range(200):
        _add_list(engine, f"l{number}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged: restore a backup"):
        _slugs(connect(f"sqlite:///{path}"))


def test_a_folder_in_its_place_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: look at its folder"):
        open_database(f"sqlite:///{tmp_path}")


def test_a_folder_that_is_not_there_is_a_sentence_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made: there is no folder"):
        open_database(f"sqlite:///{tmp_path / 'no' / 'x.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["", "newsletter.db", "nosuch://x", "sqlite:/x", "mysql+nosuch://u:hush@h/d"]
)
def test_a_url_that_cannot_be_used_is_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be used: .* Write sqlite:///") as caught:
        connect(url)
    assert "hush" not in str(caught.value)


def test_where_the_file_is() -> None:
    assert sqlite_path(connect("sqlite:////var/x.db")) == Path("/var/x.db")
    assert sqlite_path(connect("sqlite://")) is None
    assert sqlite_path(connect("sqlite:///:memory:")) is None

"""The tables of the code and those that the migrations make are the same."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Table, insert, inspect, select

from newsletter_mail.store.engine import connect, reading, writing
from newsletter_mail.store.migrate import _known_revisions, revisions, upgrade
from newsletter_mail.store.revise import alembic_config
from newsletter_mail.store.schema import (
    attempts,
    consent_events,
    deliveries,
    editions,
    issues,
    lists,
    metadata,
    pictures,
    subscribers,
    subscriptions,
    suppressions,
    tests,
)
from newsletter_mail.words import DeliveryState, SubscriptionState

NOW = datetime(2023, 7, 1, 12, tzinfo=UTC)
_REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'newsletter.db'}")
    yield engine
    engine.dispose()


def _with_connection(engine: Engine, step: str, revision: str) -> None:
    config: Config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        getattr(alembic.command, step)(config, revision)


def _fill(engine: Engine) -> None:
    """A row in every table."""
    values: dict[Table, dict[str, object]] = {
        subscribers: {
            "id": 1,
            "public_id": "p",
            "email": "a@b.org",
            "email_key": "a@b.org",
            "attributes": {"city": "São Paulo"},
            "created_at": NOW,
            "updated_at": NOW,
        },
        subscriptions: {
            "list_id": 1,
            "subscriber_id": 1,
            "state": SubscriptionState.ACTIVE,
            "changed_at": NOW,
        },
        consent_events: {
            "subscriber_id": 1,
            "list_id": 1,
            "kind": "joined",
            "at": NOW,
            "source": "cli",
        },
        suppressions: {"email_key": "x@b.org", "reason": "manual", "at": NOW, "source": "cli"},
        issues: {"id": 1, "slug": "s", "digest": "d", "frozen_at": NOW},
        editions: {
            "issue_id": 1,
            "language": "en",
            "is_default": 1,
            "digest": "d",
            "content": {"html": ["x"]},
            "version": "0",
        },
        pictures: {"name": "x.png", "media_type": "image/png", "content": b"\0\xff"},
        deliveries: {
            "issue_id": 1,
            "subscriber_id": 1,
            "list_id": 1,
            "state": DeliveryState.DEFERRED,
            "due_at": NOW,
        },
        attempts: {
            "issue_id": 1,
            "subscriber_id": 1,
            "at": NOW,
            "verdict": "try_later",
            "stage": "rcpt",
            "reply": "451",
        },
        tests: {
            "slug": "s",
            "digest": "d",
            "email": "t@b.org",
            "at": NOW,
            "verdict": "accepted",
            "reply": "",
        },
    }
    assert {*values, lists} == set(metadata.tables.values())
    with writing(engine) as connection:
        for table, row in values.items():
            connection.execute(insert(table).values(row))


def _rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with reading(engine) as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table))]
            for name, table in metadata.tables.items()
        }


def test_the_tables_of_the_code_are_those_of_the_migrations(engine: Engine) -> None:
    upgrade(engine)
    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "render_as_batch": True}
        )
        assert compare_metadata(context, metadata) == []


def test_alembic_finds_nothing_to_do(engine: Engine) -> None:
    upgrade(engine)
    config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        # Raises where a new revision would not be empty.
        alembic.command.check(config)


@pytest.mark.parametrize(
    "kind",
    [
        "get_indexes",
        "get_foreign_keys",
        "get_columns",
        "get_unique_constraints",
        "get_check_constraints",
    ],
)
def test_what_alembic_does_not_compare_is_the_same_too(
    kind: str, tmp_path: Path, engine: Engine
) -> None:
    upgrade(engine)
    of_code = connect(f"sqlite:///{tmp_path / 'code.db'}")
    with writing(of_code) as connection:
        metadata.create_all(connection)
    for table in metadata.tables:
        expected, found = (
            sorted(map(_plain, getattr(inspect(one), kind)(table))) for one in (of_code, engine)
        )
        assert found == expected
    of_code.dispose()


def _plain(facts: dict[str, object]) -> str:
    """What is said of a column or an index, the texts of conditions without their table."""
    options = facts.get("dialect_options", {})
    assert isinstance(options, dict)
    conditions = [str(one).replace("deliveries.", "") for one in options.values()]
    rest = {key: str(value) for key, value in facts.items() if key != "dialect_options"}
    return f"{rest} {conditions}"


def test_there_is_one_line_of_revisions() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1
    assert _REVISIONS[0] == "0001"


def test_the_names_of_the_files_say_what_alembic_reads_in_them() -> None:
    assert _known_revisions() == _REVISIONS


def test_the_list_main_is_there_from_the_first(engine: Engine) -> None:
    upgrade(engine)
    with reading(engine) as connection:
        row = connection.execute(select(lists)).one()
    assert (row.id, row.slug, row.name) == (1, "main", "Main list")
    assert row.created_at.tzinfo is UTC


def test_an_upgrade_of_what_is_up_to_date_keeps_every_row(engine: Engine) -> None:
    upgrade(engine)
    _fill(engine)
    before = _rows(engine)
    assert all(before.values())
    upgrade(engine)
    assert _rows(engine) == before


@pytest.mark.parametrize("revision", _REVISIONS[1:])
def test_each_revision_goes_up_and_down_with_rows(revision: str, engine: Engine) -> None:
    upgrade(engine)
    _fill(engine)
    before = _rows(engine)
    _with_connection(engine, "downgrade", f"{revision}-1")
    assert revisions(engine)[0] == _REVISIONS[_REVISIONS.index(revision) - 1]
    upgrade(engine)
    assert _rows(engine) == before


def test_the_way_down_to_nothing_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine)
    _with_connection(engine, "downgrade", "base")
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert names == [("alembic_version",)]
    upgrade(engine)
    assert revisions(engine)[0] == _REVISIONS[-1]

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Dialect,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, StatementError

from newsletter_mail.delivery.claims import Claim, claim_deliveries
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.schema import (
    DELIVERY_STATE,
    SUBSCRIPTION_STATE,
    UtcDateTime,
    lists,
    metadata,
)
from newsletter_mail.words import DeliveryState

NOW = datetime(2023, 7, 1, 12, 30, 15, 123456, tzinfo=UTC)
_times = Table("times", MetaData(), Column("at", UtcDateTime))
_FIRST, _LAST = NOW.replace(year=1970, tzinfo=None), NOW.replace(year=2999, tzinfo=None)
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def test_a_time_without_zone_is_refused(engine: Engine) -> None:
    naive = NOW.replace(tzinfo=None)
    with (
        pytest.raises(StatementError, match="a time without a zone cannot be stored"),
        writing(engine) as connection,
    ):
        connection.execute(insert(lists).values(slug="a", name="", created_at=naive))


@given(st.datetimes(_FIRST, _LAST, timezones=_ZONES))
def test_a_time_comes_back_as_the_same_moment_in_utc(moment: datetime) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _times.create(connection)
        connection.execute(insert(_times).values(at=moment))
        stored = connection.execute(select(_times.c.at)).scalar_one()
        found = connection.execute(select(_times).where(_times.c.at == moment)).all()
    engine.dispose()
    assert stored == moment
    assert stored.tzinfo is UTC
    assert len(found) == 1


def test_a_time_of_another_zone_is_stored_as_utc(engine: Engine, path: Path) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    with writing(engine) as connection:
        connection.execute(insert(lists).values(slug="a", name="", created_at=tokyo))
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute("SELECT created_at FROM lists WHERE slug = 'a'").fetchall()
    assert rows == [("2023-07-01 12:30:15.123456",)]


def test_no_time_is_no_time() -> None:
    dialects: tuple[Dialect, ...] = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call] # SQLAlchemy publishes no type
    for dialect in dialects:
        assert UtcDateTime().process_bind_param(None, dialect) is None
        assert UtcDateTime().process_result_value(None, dialect) is None
        bound = UtcDateTime().process_bind_param(NOW, dialect)
        assert UtcDateTime().process_result_value(bound, dialect) == NOW


def test_the_numbers_of_the_states_never_change() -> None:
    # They are in every database that there is, and in the conditions of the indexes.
    assert [state.value for state in DELIVERY_STATE.members] == [
        "pending",
        "sending",
        "deferred",
        "uncertain",
        "sent",
        "failed",
        "skipped",
        "bounced",
    ]
    assert [state.value for state in SUBSCRIPTION_STATE.members] == [
        "pending",
        "active",
        "unsubscribed",
    ]


@pytest.mark.parametrize("state", DeliveryState)
def test_a_state_is_a_number_in_the_table(state: DeliveryState) -> None:
    dialect = sqlite.dialect()
    code = DELIVERY_STATE.process_bind_param(state, dialect)
    assert isinstance(code, int)
    assert DELIVERY_STATE.process_result_value(code, dialect) is state
    assert DELIVERY_STATE.process_bind_param(None, dialect) is None
    assert DELIVERY_STATE.process_result_value(None, dialect) is None


@pytest.mark.parametrize(("state", "is_good"), [(-1, 0), (0, 1), (7, 1), (8, 0)])
def test_no_other_number_gets_into_the_table(state: int, is_good: int, engine: Engine) -> None:
    statements = (
        "INSERT INTO subscribers (public_id, created_at, updated_at) VALUES ('p', '2023', '2023')",
        "INSERT INTO issues (slug, digest, frozen_at) VALUES ('s', 'd', '2023')",
        (
            "INSERT INTO deliveries (issue_id, subscriber_id, list_id, state, due_at) "
            f"VALUES (1, 1, 1, {state}, '2023')"
        ),
    )
    with writing(engine) as connection:
        for statement in statements[:2]:
            connection.exec_driver_sql(statement)
    if is_good:
        with writing(engine) as connection:
            connection.exec_driver_sql(statements[2])
        with pytest.raises(IntegrityError, match="UNIQUE"), writing(engine) as connection:
            connection.exec_driver_sql(statements[2])
    else:
        with pytest.raises(IntegrityError, match="CHECK"), writing(engine) as connection:
            connection.exec_driver_sql(statements[2])


def test_deliveries_hold_no_address() -> None:
    for name in ("deliveries", "attempts"):
        assert not {"email", "email_key", "name"} & set(metadata.tables[name].columns.keys())


@pytest.mark.parametrize("only", [None, [1, 2, 3]])
def test_the_next_deliveries_are_found_without_a_sort(
    only: list[int] | None, engine: Engine
) -> None:
    statements: list[tuple[str, tuple[object, ...]]] = []

    def listen(
        _connection: object, _cursor: object, statement: str, values: Any, *_rest: object
    ) -> None:
        statements.append((statement, tuple(values)))

    claim = Claim(owner="us", lease=timedelta(minutes=5))
    event.listen(engine, "before_cursor_execute", listen)
    with writing(engine) as connection:
        claim_deliveries(connection, 1, claim, limit=20, now=NOW, ref_of=str, only=only)
    event.remove(engine, "before_cursor_execute", listen)
    query, values = next(one for one in statements if one[0].startswith("SELECT"))
    with reading(engine) as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()
    steps = [str(row[3]) for row in plan]

    assert steps[0].startswith("SEARCH deliveries USING INDEX ix_deliveries_waiting")
    assert not any("TEMP B-TREE" in step for step in steps)
    # Nothing is looked through from end to end.
    assert not any(step.startswith("SCAN") for step in steps)

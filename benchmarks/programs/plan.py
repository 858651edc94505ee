"""Plans an issue for everybody on the list of a prepared database; prints the seconds as JSON.

``--how`` is ``ours`` (``plan_deliveries``), ``bare`` (INSERT … SELECT through ``sqlite3``), or
``keyed`` (the same with foreign keys checked, as ours has them).
"""

import argparse
import json
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from newsletter_mail.delivery.plan import Audience, plan_deliveries
from newsletter_mail.store.engine import connect, writing
from newsletter_mail.store.schema import issues

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MAIN_LIST = 1
_BARE = """\
INSERT INTO deliveries (issue_id, subscriber_id, list_id, state, due_at)
SELECT 1, subscriber_id, list_id, 0, '2026-01-01 00:00:00.000000'
FROM subscriptions WHERE list_id = 1 AND state = 1 ORDER BY subscriber_id
"""


def _prepare(database: Path) -> None:
    """The issue that is planned."""
    engine = connect(f"sqlite:///{database}")
    with writing(engine) as connection:
        connection.execute(insert(issues).values(slug="bench", digest="digest", frozen_at=_NOW))
    engine.dispose()


def _plan_ours(database: Path) -> float:
    engine = connect(f"sqlite:///{database}")
    audience = Audience(list_ids=(_MAIN_LIST,), issue_id=1)
    # The connection is opened before the clock starts, as that of sqlite3 is.
    engine.connect().close()
    started = time.perf_counter()
    with writing(engine) as connection:
        plan_deliveries(connection, audience, now=_NOW, limit=None)
    taken_s = time.perf_counter() - started
    engine.dispose()
    return taken_s


def _plan_bare(database: Path, *, has_foreign_keys: bool) -> float:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if has_foreign_keys else 'OFF'}")
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_BARE)
        connection.execute("COMMIT")
        return time.perf_counter() - started


def _count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM deliveries").fetchone()[0])


def main() -> None:
    """Plan; exit code 1 where not everybody was planned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path, required=True, help="is changed")
    parser.add_argument("--people", type=int, required=True, help="on its list")
    parser.add_argument("--how", choices=("ours", "bare", "keyed"), required=True)
    chosen = parser.parse_args()
    _prepare(chosen.database)
    if chosen.how == "ours":
        taken_s = _plan_ours(chosen.database)
    else:
        taken_s = _plan_bare(chosen.database, has_foreign_keys=chosen.how == "keyed")
    planned = _count(chosen.database)
    if planned != chosen.people:
        sys.exit(f"{planned} of {chosen.people} people were planned")
    print(json.dumps({"taken_s": taken_s}))


if __name__ == "__main__":
    main()

"""The workspace of a round: its people, its issues, and what its database says."""

import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.soak.faults import RoundPlan
from benchmarks.soak.server import KINDS
from newsletter_mail.store.schema import DELIVERY_STATE
from newsletter_mail.words import DeliveryState
from tests.acceptance.newsroom import Newsroom, Running
from tests.integration.people import Ended

_SENTENCE = "A sentence of a newsletter, of the usual length and without any surprise in it.\n\n"
#: Of a hundred people; the rest is "ok".
_SHARES = {"dead": 2, "full": 2, "grey": 4, "never": 1, "busy": 3, "spam": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A delivery as the database has it."""

    email: str
    state: DeliveryState
    reason: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the database says of an issue.

    Attributes:
        damage: of SQLite's own checks; "" for none.
    """

    rows: Sequence[Row]
    damage: str

    def emails(self, *states: DeliveryState) -> set[str]:
        """Whose delivery is in one of these states."""
        return {row.email for row in self.rows if row.state in states}

    def count(self, *states: DeliveryState) -> int:
        """How many are in one of these states."""
        return len(self.emails(*states))


class Workspace:
    """A fresh workspace in a folder."""

    def __init__(self, folder: Path, plan: RoundPlan, port: int) -> None:
        self.room = Newsroom.make(folder)
        self.room.configure(
            transport={
                "url": f"smtp://127.0.0.1:{port}?tls=none&timeout={plan.timeout_s}",
                "connections": plan.connections,
            },
            # The server's opinion of some messages is no reason to stop here.
            delivery={"max_attempts": plan.max_attempts, "stop_after_refusals": 100_000},
        )
        self._chance = Random(f"{plan.seed}/{plan.number}/people")
        self._added = 0
        self._file = folder / "newsletter.db"

    def close(self) -> None:
        """End what is still at work."""
        self.room.close()

    def add_people(self, number: int) -> None:
        """Import so many more, of all kinds that the server knows."""
        weights = [_SHARES.get(kind, 100 - sum(_SHARES.values())) for kind in KINDS]
        kinds = self._chance.choices(KINDS, weights, k=number)
        first, self._added = self._added, self._added + number
        rows = [
            f"{kind}{n}@d{n % 7}.example.net,Name {n}" for n, kind in enumerate(kinds, start=first)
        ]
        file = self.room.desk.file("people.csv", "\n".join(["email,first_name", *rows]) + "\n")
        self.room.desk.do("subscribers", "import", file)

    def write_issue(self, slug: str, body_bytes: int) -> None:
        """An issue with so much text."""
        body = _SENTENCE * (body_bytes // len(_SENTENCE))
        greeting = 'Dear {{ subscriber.first_name | default("friend") }},'
        self.room.write_issue(f"---\nsubject: News {slug}\n---\n{greeting}\n\n{body}", slug)

    def audience(self) -> set[str]:
        """Who is to get the next issue."""
        return {
            email
            for (email,) in self.room.desk.query(
                "SELECT email FROM subscribers JOIN subscriptions ON subscriber_id = id "
                "WHERE subscriptions.state = 1 AND email_key NOT IN "
                "(SELECT email_key FROM suppressions)"
            )
        }

    def make_leave(self, email: str, *, is_suppressed: bool) -> None:
        """Somebody leaves, or is put on the list of those who are never written to again."""
        command = ("suppressions", "add") if is_suppressed else ("subscribers", "unsubscribe")
        self.room.desk.do(*command, email)

    def start(self, *arguments: str) -> Running:
        """A command at work, in a process of its own."""
        return self.room.start(*arguments)

    def run(self, *arguments: str | Path) -> Ended:
        """A command to its end, in a process of its own."""
        return self.room.run(*arguments)

    def status(self, slug: str) -> dict[str, int]:
        """What ``status`` says, with the sum as ``planned``."""
        said = self.room.desk.do("status", slug, "--json").json
        return {"planned": said["planned"], **said["deliveries"]}

    def snapshot(self, slug: str) -> Snapshot:
        """What a process would find that opens the database now.

        Of a copy: the last one to close a database tidies it up, and that is for the next command
        to do.
        """
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            copy = Path(folder) / self._file.name
            for end in ("", "-wal"):
                if (path := Path(f"{self._file}{end}")).exists():
                    shutil.copyfile(path, f"{copy}{end}")
            with closing(sqlite3.connect(copy)) as connection:
                return _read(connection, slug)


def _read(connection: sqlite3.Connection, slug: str) -> Snapshot:
    whole = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    rows = connection.execute(
        "SELECT email, deliveries.state, reason, message_ref FROM deliveries "
        "JOIN subscribers ON subscribers.id = subscriber_id "
        "JOIN issues ON issues.id = issue_id WHERE slug = ?",
        (slug,),
    )
    states = [DeliveryState(state) for state in DELIVERY_STATE.members]
    return Snapshot(
        rows=[
            Row(email=email, state=states[state], reason=reason, ref=ref or "")
            for email, state, reason, ref in rows
        ],
        damage="" if whole == ["ok"] and not orphans else f"{whole[:5]} {orphans[:5]}",
    )

"""People, lists and one issue on a real SQLite file, for the functions of the delivery floor."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, event, insert, select, update

from newsletter_mail.delivery.claims import (
    Claim,
    ClaimedDelivery,
    claim_deliveries,
)
from newsletter_mail.delivery.editions import freeze_issue
from newsletter_mail.delivery.results import Result, record_results
from newsletter_mail.store.engine import connect, reading, writing
from newsletter_mail.store.schema import (
    deliveries,
    lists,
    metadata,
    subscribers,
    subscriptions,
    suppressions,
)
from newsletter_mail.words import (
    Build,
    DeliveryState,
    Envelope,
    Outcome,
    Outgoing,
    Reply,
    Stage,
    SubscriptionState,
    Verdict,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CLAIM = Claim(owner="this run", lease=timedelta(minutes=20))
MAX_ATTEMPTS = 3
_Value = TypeVar("_Value")


def make_build(*, language: str = "en", digest: str = "ab" * 32, slug: str = "summer") -> Build:
    return Build(
        slug=slug,
        language=language,
        title="Summer",
        subject=("Summer",),
        html=("<p>Summer</p>",),
        text=("Summer\n",),
        pictures=(),
        digest=digest,
    )


def outcome(verdict: Verdict, reply: Reply | None = None) -> Outcome:
    return Outcome(verdict, reply or Reply(250, "2.0.0 Ok"), Stage.BODY)


def outgoing(key: int) -> Outgoing:
    envelope = Envelope(sender="news@example.org", recipient=f"p{key}@example.net")
    return Outgoing(key=key, ref=f"ref{key}", envelope=envelope, content=(b"\r\n",))


class Town:
    """The database; its clock goes forward only when it is told to."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.engine = connect(f"sqlite:///{Path(self._folder.name) / 'town.db'}")
        # Nobody pulls the plug on a test.
        event.listen(self.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
        self.now = NOW
        self.issue_id = 0
        with writing(self.engine) as connection:
            metadata.create_all(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()
        self._folder.cleanup()

    def change(self, step: Callable[[Connection], _Value]) -> _Value:
        """One step in a transaction of its own."""
        with writing(self.engine) as connection:
            return step(connection)

    def look(self, question: Callable[[Connection], _Value]) -> _Value:
        with reading(self.engine) as connection:
            return question(connection)

    def freeze(self, *builds: Build) -> None:
        made = builds or (make_build(),)
        self.issue_id = self.change(lambda c: freeze_issue(c, made, now=self.now).id)

    def add_list(self, list_id: int, slug: str) -> None:
        row = {"id": list_id, "slug": slug, "name": slug, "created_at": self.now}
        self.change(lambda c: c.execute(insert(lists), row))

    def add_person(self, row: int, domain: str = "example.net") -> None:
        """A person, on no list."""
        email = f"p{row}@{domain}"
        values = {
            "id": row,
            "public_id": f"public{row}",
            "email": email,
            "email_key": email,
            "created_at": self.now,
            "updated_at": self.now,
        }
        self.change(lambda c: c.execute(insert(subscribers), values))

    def add_members(self, number: int, domain: str = "example.net") -> None:
        """People 1 to ``number``, on list 1."""
        for row in range(1, number + 1):
            self.add_person(row, domain)
            self.join(row)

    def join(
        self, row: int, state: SubscriptionState = SubscriptionState.ACTIVE, *, list_id: int = 1
    ) -> None:
        values = {
            "list_id": list_id,
            "subscriber_id": row,
            "state": state,
            "changed_at": self.now,
        }
        self.change(lambda c: c.execute(insert(subscriptions), values))

    def leave(self, row: int) -> None:
        statement = (
            update(subscriptions)
            .where(subscriptions.c.subscriber_id == row)
            .values(state=SubscriptionState.UNSUBSCRIBED)
        )
        self.change(lambda c: c.execute(statement))

    def suppress(self, row: int) -> None:
        key = self.look(
            lambda c: c.execute(
                select(subscribers.c.email_key).where(subscribers.c.id == row)
            ).scalar_one()
        )
        values = {"email_key": key, "reason": "manual", "at": self.now, "source": "test"}
        self.change(lambda c: c.execute(insert(suppressions), values))

    def erase(self, row: int) -> None:
        statement = update(subscribers).where(subscribers.c.id == row)
        self.change(lambda c: c.execute(statement.values(email=None, email_key=None)))

    def put(self, row: int, state: DeliveryState, *, list_id: int = 1, **more: object) -> None:
        """A delivery in a state, however it came there."""
        values = {
            "issue_id": self.issue_id,
            "subscriber_id": row,
            "list_id": list_id,
            "state": state,
            "due_at": self.now,
            **more,
        }
        self.change(lambda c: c.execute(insert(deliveries), values))

    def claim(
        self, limit: int, *, only: Sequence[int] | None = None, claim: Claim = CLAIM
    ) -> list[ClaimedDelivery]:
        return self.change(
            lambda c: claim_deliveries(
                c,
                self.issue_id,
                claim,
                limit=limit,
                now=self.now,
                ref_of=lambda public_id: f"ref of {public_id}",
                only=only,
            )
        )

    def record(self, results: Sequence[Result], *, claim: Claim = CLAIM) -> None:
        self.change(
            lambda c: record_results(
                c,
                self.issue_id,
                claim,
                results,
                now=self.now,
                max_attempts=MAX_ATTEMPTS,
                jitter=lambda: 0.5,
            )
        )

    def rows(self) -> dict[int, dict[str, object]]:
        """The deliveries of the issue by subscriber."""
        query = select(deliveries).where(deliveries.c.issue_id == self.issue_id)
        return {
            row["subscriber_id"]: dict(row)
            for row in self.look(lambda c: c.execute(query).mappings().all())
        }

    def states(self) -> dict[int, DeliveryState]:
        return {key: DeliveryState(str(row["state"])) for key, row in self.rows().items()}

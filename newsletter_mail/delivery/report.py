"""What became of an issue: the counts and the log. Only reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, literal, null, select

from newsletter_mail.errors import NotFound
from newsletter_mail.store.schema import (
    consent_events,
    deliveries,
    issues,
    lists,
    subscribers,
    suppressions,
    tests,
)
from newsletter_mail.words import ConsentKind, DeliveryState, SuppressionReason

#: The state that a test message has in the log; it is no delivery.
TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStatus:
    """The counts of an issue.

    Attributes:
        edition: the frozen digest, or None where the issue was never sent.
        deliveries: by state; they add up to ``planned``.
        unsubscribed: people who left by a link of this issue.
    """

    slug: str
    edition: str | None
    planned: int
    deliveries: dict[DeliveryState, int]
    unsubscribed: int
    complaints: int

    def document(self) -> dict[str, Any]:
        """As ``status --json`` prints it."""
        return {
            "issue": self.slug,
            "edition": self.edition,
            "planned": self.planned,
            "deliveries": {state.value: self.deliveries[state] for state in DeliveryState},
            "unsubscribed": self.unsubscribed,
            "complaints": self.complaints,
        }


def sent_slugs(connection: Connection) -> list[str]:
    """Every issue that was sent to anybody, the newest first."""
    return list(
        connection.execute(select(issues.c.slug).order_by(issues.c.frozen_at.desc())).scalars()
    )


def issue_status(connection: Connection, slug: str) -> IssueStatus:
    """The counts of an issue; all zero where it was never sent."""
    row = connection.execute(select(issues).where(issues.c.slug == slug)).one_or_none()
    counts = dict.fromkeys(DeliveryState, 0)
    if row is not None:
        states = select(deliveries.c.state, func.count()).where(deliveries.c.issue_id == row.id)
        for state, count in connection.execute(states.group_by(deliveries.c.state)):
            counts[state] = count
    return IssueStatus(
        slug=slug,
        edition=None if row is None else row.digest,
        planned=sum(counts.values()),
        deliveries=counts,
        unsubscribed=_left_by(connection, slug),
        complaints=connection.execute(
            select(func.count())
            .select_from(suppressions)
            .where(
                suppressions.c.reason == SuppressionReason.COMPLAINT.value,
                suppressions.c.source == slug,
            )
        ).scalar_one(),
    )


def _left_by(connection: Connection, slug: str) -> int:
    """People who left by a link of the issue and have not taken it back."""
    events = (
        select(
            consent_events.c.subscriber_id,
            consent_events.c.kind,
            func.row_number()
            .over(
                partition_by=consent_events.c.subscriber_id,
                order_by=consent_events.c.id.desc(),
            )
            .label("age"),
        )
        .where(consent_events.c.source.in_((f"one-click {slug}", f"page {slug}")))
        .subquery()
    )
    return connection.execute(
        select(func.count())
        .select_from(events)
        .where(events.c.age == 1, events.c.kind == ConsentKind.LEFT.value)
    ).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which rows of the log; None: all.

    Attributes:
        email_key: of an address (``Address.key``).
        state: of ``DeliveryState``, or ``TEST``.
    """

    slug: str | None = None
    email_key: str | None = None
    state: str | None = None


def log_rows(connection: Connection, wanted: LogFilter, *, domain: str) -> Iterator[dict[str, Any]]:
    """The send log, a row a delivery, and the tests; a stream.

    Args:
        domain: the sender's, which ends each Message-ID.
    """
    streaming = connection.execution_options(stream_results=True)
    if wanted.state != TEST:
        for row in streaming.execute(_deliveries_query(wanted)).mappings():
            yield _log_row(row, domain)
    if wanted.state in (None, TEST):
        for row in streaming.execute(_tests_query(wanted)).mappings():
            yield _log_row(row, domain)


def _deliveries_query(wanted: LogFilter) -> Any:
    query = (
        select(
            issues.c.slug,
            subscribers.c.email,
            lists.c.slug.label("list"),
            deliveries.c.state,
            deliveries.c.attempts,
            deliveries.c.first_tried_at,
            deliveries.c.done_at,
            deliveries.c.due_at,
            deliveries.c.message_ref,
            deliveries.c.reason,
            deliveries.c.reply,
        )
        .join(issues, issues.c.id == deliveries.c.issue_id)
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        .join(lists, lists.c.id == deliveries.c.list_id)
    )
    if wanted.slug is not None:
        query = query.where(issues.c.slug == wanted.slug)
    if wanted.email_key is not None:
        query = query.where(subscribers.c.email_key == wanted.email_key)
    if wanted.state is not None:
        query = query.where(deliveries.c.state == DeliveryState(wanted.state))
    return query


def _tests_query(wanted: LogFilter) -> Any:
    query = select(
        tests.c.slug,
        tests.c.email,
        literal("").label("list"),
        null().label("state"),
        literal(1).label("attempts"),
        tests.c.at.label("first_tried_at"),
        tests.c.at.label("done_at"),
        tests.c.at.label("due_at"),
        literal("").label("message_ref"),
        tests.c.verdict.label("reason"),
        tests.c.reply,
    )
    if wanted.slug is not None:
        query = query.where(tests.c.slug == wanted.slug)
    if wanted.email_key is not None:
        query = query.where(func.lower(tests.c.email) == wanted.email_key)
    return query


def _log_row(row: RowMapping, domain: str) -> dict[str, Any]:
    state: DeliveryState | None = row["state"]
    is_waiting = state in (DeliveryState.PENDING, DeliveryState.DEFERRED)
    ref = row["message_ref"]
    return {
        "issue": row["slug"],
        "email": row["email"] or "(erased)",
        "list": row["list"],
        "state": TEST if state is None else state.value,
        "attempts": row["attempts"],
        "first_tried_at": _iso(row["first_tried_at"]),
        "done_at": _iso(row["done_at"]),
        "due_at": _iso(row["due_at"]) if is_waiting else None,
        "message_id": f"<{ref}@{domain}>" if ref else None,
        "reason": row["reason"],
        "reply": row["reply"],
    }


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def addresses_in(
    connection: Connection, slug: str, state: DeliveryState, *, limit: int
) -> list[str]:
    """The addresses of the first deliveries of an issue in a state."""
    return [
        email or "(erased)"
        for email in connection.execute(
            select(subscribers.c.email)
            .join(deliveries, deliveries.c.subscriber_id == subscribers.c.id)
            .join(issues, issues.c.id == deliveries.c.issue_id)
            .where(issues.c.slug == slug, deliveries.c.state == state)
            .order_by(subscribers.c.id)
            .limit(limit)
        ).scalars()
    ]


def next_due(connection: Connection, slug: str) -> datetime | None:
    """When the first deferred delivery of an issue is due again."""
    return connection.execute(
        select(deliveries.c.due_at)
        .join(issues, issues.c.id == deliveries.c.issue_id)
        .where(issues.c.slug == slug, deliveries.c.state == DeliveryState.DEFERRED)
        .order_by(deliveries.c.due_at)
        .limit(1)
    ).scalar_one_or_none()


def not_sent_yet(slug: str) -> NotFound:
    """The error for a command that needs an issue that was sent."""
    return NotFound(f"issue {slug} was never sent: there is nothing to do. See `newsletter status`")

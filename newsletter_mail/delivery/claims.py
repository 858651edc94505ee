"""Claims and results: the two steps between which a message is on its way.

A row is ``sending``, on disk, before a byte of its message leaves; so whatever happens, a message
that may have left can be named. Each function is one step in the caller's transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, select

from newsletter_mail.delivery.recipients import recipient_of
from newsletter_mail.delivery.states import (
    SUPPRESSED,
    UNSUBSCRIBED,
    change_one,
    expect_changed,
)
from newsletter_mail.store.prepared import Prepared
from newsletter_mail.store.schema import (
    UtcDateTime,
    deliveries,
    is_waiting,
    subscribers,
    subscriptions,
    suppressions,
)
from newsletter_mail.words import (
    DeliveryState,
    Recipient,
    SubscriptionState,
)

S = DeliveryState

# Statements are built once: building them takes SQLAlchemy as long as running them for 10 rows.

#: Deliveries that are due, with what decides whether they may still go.
_DUE = (
    select(
        deliveries.c.subscriber_id,
        deliveries.c.list_id,
        deliveries.c.attempts,
        deliveries.c.message_ref,
        deliveries.c.first_tried_at,
        subscribers.c.public_id,
        subscribers.c.email,
        subscribers.c.name,
        subscribers.c.first_name,
        subscribers.c.last_name,
        subscribers.c.language,
        subscribers.c.attributes,
        subscriptions.c.state.label("subscription"),
        suppressions.c.reason.label("suppression"),
    )
    .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
    .outerjoin(
        subscriptions,
        and_(
            subscriptions.c.list_id == deliveries.c.list_id,
            subscriptions.c.subscriber_id == deliveries.c.subscriber_id,
        ),
    )
    .outerjoin(suppressions, suppressions.c.email_key == subscribers.c.email_key)
    .where(
        deliveries.c.issue_id == bindparam("of_issue"),
        is_waiting,
        deliveries.c.due_at <= bindparam("now"),
    )
    .order_by(deliveries.c.due_at, deliveries.c.subscriber_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=deliveries)
)
_DUE_AMONG = _DUE.where(deliveries.c.subscriber_id.in_(bindparam("only", expanding=True)))
_WAITING = (S.PENDING, S.DEFERRED)
_SKIP = change_one(S.SKIPPED, from_=_WAITING).values(
    reason=bindparam("why"), done_at=bindparam("done")
)
_CLAIM = Prepared(
    change_one(S.SENDING, from_=_WAITING).values(
        attempts=deliveries.c.attempts + 1,
        claim=bindparam("owner"),
        leased_until=bindparam("lease_end"),
        message_ref=bindparam("ref"),
        first_tried_at=func.coalesce(
            deliveries.c.first_tried_at, bindparam("now", type_=UtcDateTime())
        ),
        reply="",
        reason="",
    ),
    by_row=("of_subscriber", "ref"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right of one run to deliver, for a time.

    Attributes:
        owner: a random name of the run.
        lease: after this time without a result, others may take the row to be abandoned.
    """

    owner: str
    lease: timedelta


class ClaimedDelivery(NamedTuple):
    """A delivery in our hands.

    Attributes:
        attempt: 1 at the first try.
        ref: names the message.
        first_tried_at: becomes the Date of the message.
    """

    subscriber_id: int
    list_id: int
    recipient: Recipient
    attempt: int
    ref: str
    first_tried_at: datetime


def claim_deliveries(
    connection: Connection,
    issue_id: int,
    claim: Claim,
    *,
    limit: int,
    now: datetime,
    ref_of: Callable[[str], str],
    only: Sequence[int] | None = None,
) -> list[ClaimedDelivery]:
    """Take the next deliveries that are due; those that may not be sent any more are skipped.

    Args:
        limit: how many at most.
        ref_of: the message's name for a subscriber's public id.
        only: nothing but these subscribers.

    Returns:
        Fewer than ``limit`` only where no more are due.
    """
    claimed: list[ClaimedDelivery] = []
    while len(claimed) < limit:
        wanted = limit - len(claimed)
        values: dict[str, object] = {"of_issue": issue_id, "now": now, "most": wanted}
        if only is None:
            due = connection.execute(_DUE, values)
        else:
            due = connection.execute(_DUE_AMONG, values | {"only": only})
        rows = due.mappings().all()
        good = _skip_left(connection, issue_id, rows, now)
        batch = [_claimed(row, ref_of, now) for row in good]
        _write_claims(connection, issue_id, claim, batch, now)
        claimed += batch
        if len(rows) < wanted:
            break
    return claimed


def _skip_left(
    connection: Connection, issue_id: int, rows: Sequence[RowMapping], now: datetime
) -> list[RowMapping]:
    """The rows that may go; the others become skipped, with the reason."""
    good: list[RowMapping] = []
    gone: list[dict[str, object]] = []
    for row in rows:
        if row["email"] is None or row["subscription"] is not SubscriptionState.ACTIVE:
            reason = UNSUBSCRIBED
        elif row["suppression"] is not None:
            reason = SUPPRESSED
        else:
            good.append(row)
            continue
        subscriber = row["subscriber_id"]
        gone.append({"of_issue": issue_id, "of_subscriber": subscriber, "why": reason, "done": now})
    if gone:
        connection.execute(_SKIP, gone)
    return good


def _claimed(row: RowMapping, ref_of: Callable[[str], str], now: datetime) -> ClaimedDelivery:
    return ClaimedDelivery(
        subscriber_id=row["subscriber_id"],
        list_id=row["list_id"],
        recipient=recipient_of(row),
        attempt=row["attempts"] + 1,
        ref=row["message_ref"] or ref_of(row["public_id"]),
        first_tried_at=row["first_tried_at"] or now,
    )


def _write_claims(
    connection: Connection,
    issue_id: int,
    claim: Claim,
    batch: Sequence[ClaimedDelivery],
    now: datetime,
) -> None:
    if not batch:
        return
    changed = _CLAIM.run(
        connection,
        [(delivery.subscriber_id, delivery.ref) for delivery in batch],
        {
            "of_issue": issue_id,
            "owner": claim.owner,
            "lease_end": now + claim.lease,
            "now": now,
        },
    )
    expect_changed(changed, len(batch))

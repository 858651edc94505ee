"""Claims and results: the two steps between which a message is on its way.

A row is ``sending``, on disk, before a byte of its message leaves; so whatever happens, a message
that may have left can be named. Each function is one step in the caller's transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, and_, bindparam, insert, select

from newsletter_mail.delivery.recipients import recipient_of
from newsletter_mail.delivery.retry import due_again
from newsletter_mail.delivery.states import (
    STATE_AFTER,
    SUPPRESSED,
    TRIES_USED_UP,
    UNSUBSCRIBED,
    change_one,
    change_one_from_sending,
    expect_changed,
)
from newsletter_mail.store.schema import (
    attempts,
    deliveries,
    is_waiting,
    subscribers,
    subscriptions,
    suppressions,
)
from newsletter_mail.words import (
    DeliveryState,
    Outcome,
    Recipient,
    SubscriptionState,
    Verdict,
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
_CLAIM = change_one(S.SENDING, from_=_WAITING).values(
    attempts=deliveries.c.attempts + 1,
    claim=bindparam("owner"),
    leased_until=bindparam("lease_end"),
    message_ref=bindparam("ref"),
    first_tried_at=bindparam("tried"),
    reply="",
    reason="",
)
_RECORD = (
    change_one_from_sending()
    .where(deliveries.c.claim == bindparam("owner"))
    .values(
        attempts=bindparam("tries"),
        due_at=bindparam("due"),
        done_at=bindparam("done"),
        reason=bindparam("why"),
        reply=bindparam("said"),
        claim=None,
        leased_until=None,
    )
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
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
    values = [
        {
            "of_issue": issue_id,
            "of_subscriber": delivery.subscriber_id,
            "owner": claim.owner,
            "lease_end": now + claim.lease,
            "ref": delivery.ref,
            "tried": delivery.first_tried_at,
        }
        for delivery in batch
    ]
    expect_changed(connection.execute(_CLAIM, values).rowcount, len(batch))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a claimed delivery."""

    delivery: ClaimedDelivery
    outcome: Outcome


def record_results(
    connection: Connection,
    issue_id: int,
    claim: Claim,
    results: Sequence[Result],
    *,
    now: datetime,
    max_attempts: int,
    jitter: Callable[[], float],
) -> None:
    """Write down what became of deliveries that this run has claimed.

    Raises:
        IllegalTransition: one of them is not ours any more; nothing is written.
    """
    if not results:
        return
    values = [
        _result_values(issue_id, claim, result, now=now, max_attempts=max_attempts, jitter=jitter)
        for result in results
    ]
    expect_changed(connection.execute(_RECORD, values).rowcount, len(values))
    tries = [
        {
            "issue_id": issue_id,
            "subscriber_id": result.delivery.subscriber_id,
            "at": now,
            "verdict": result.outcome.verdict.value,
            "stage": result.outcome.stage.value,
            "reply": str(result.outcome.reply),
        }
        for result in results
        if result.outcome.verdict not in (Verdict.ACCEPTED, Verdict.NOT_HANDED_OVER)
    ]
    if tries:
        connection.execute(insert(attempts), tries)


def _result_values(
    issue_id: int,
    claim: Claim,
    result: Result,
    *,
    now: datetime,
    max_attempts: int,
    jitter: Callable[[], float],
) -> dict[str, object]:
    delivery, verdict = result.delivery, result.outcome.verdict
    state, reason = STATE_AFTER[verdict], verdict.value
    tries = delivery.attempt
    due = now
    if state is S.DEFERRED and tries >= max_attempts:
        state, reason = S.FAILED, TRIES_USED_UP
    elif state is S.DEFERRED:
        due = due_again(verdict, attempt=tries, now=now, jitter=jitter())
    elif state is S.PENDING:
        tries, reason = tries - 1, ""
    elif state is S.SENT:
        reason = ""
    return {
        "of_issue": issue_id,
        "of_subscriber": delivery.subscriber_id,
        "owner": claim.owner,
        "to_state": state,
        "tries": tries,
        "due": due,
        "done": None if state in (S.PENDING, S.DEFERRED) else now,
        "why": reason,
        "said": "" if state is S.PENDING else str(result.outcome.reply),
    }

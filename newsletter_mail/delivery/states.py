"""The states of a delivery and every change between them; nobody else writes ``state``.

::

    pending ──▶ sending ──▶ sent ──▶ bounced
       │            ├─────▶ deferred ──▶ sending …
       │            ├─────▶ failed
       ▼            └─────▶ uncertain ──▶ (settled) sent or pending
    skipped

Each function is one step in the caller's transaction. A row is ``sending``, on disk, before a
byte of its message leaves; so whatever happens, a message that may have left can be named.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from newsletter_mail.delivery.retry import due_again
from newsletter_mail.errors import IllegalTransition
from newsletter_mail.store.schema import (
    attempts,
    deliveries,
    is_in_doubt,
    is_waiting,
    issues,
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

#: From where to where. Whatever is not here does not happen.
TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    S.PENDING: frozenset({S.SENDING, S.SKIPPED}),
    # Back to pending: claimed, and no byte has left.
    S.SENDING: frozenset({S.SENT, S.DEFERRED, S.FAILED, S.UNCERTAIN, S.PENDING}),
    S.DEFERRED: frozenset({S.SENDING, S.SKIPPED}),
    S.UNCERTAIN: frozenset({S.SENT, S.PENDING}),
    S.SENT: frozenset({S.BOUNCED}),
    # By hand: ``retry --failed``.
    S.FAILED: frozenset({S.PENDING}),
    S.SKIPPED: frozenset(),
    S.BOUNCED: frozenset(),
}

#: Where an outcome leads. TRY_LATER and THROTTLED end in FAILED when the tries are used up.
STATE_AFTER: Mapping[Verdict, DeliveryState] = {
    Verdict.ACCEPTED: S.SENT,
    Verdict.ADDRESS_DEAD: S.FAILED,
    Verdict.MAILBOX_UNAVAILABLE: S.FAILED,
    Verdict.ADDRESS_UNSUPPORTED: S.FAILED,
    Verdict.MESSAGE_REFUSED: S.FAILED,
    Verdict.TRY_LATER: S.DEFERRED,
    Verdict.THROTTLED: S.DEFERRED,
    # Neither is the recipient's doing: no try is charged.
    Verdict.WE_ARE_REFUSED: S.PENDING,
    Verdict.NOT_HANDED_OVER: S.PENDING,
    Verdict.NO_ANSWER: S.UNCERTAIN,
}

#: The reasons of a failure that another try cannot mend.
HOPELESS = (Verdict.ADDRESS_DEAD, Verdict.ADDRESS_UNSUPPORTED)

#: Reasons of a skip.
UNSUBSCRIBED, SUPPRESSED, CANCELLED = "unsubscribed", "suppressed", "cancelled"
#: The reason of a failure after the last try.
TRIES_USED_UP = "tries_used_up"


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
        rows = connection.execute(_due(issue_id, now, only).limit(wanted)).mappings().all()
        good = _skip_left(connection, issue_id, rows, now)
        batch = [_claimed(row, ref_of, now) for row in good]
        _write_claims(connection, issue_id, claim, batch, now)
        claimed += batch
        if len(rows) < wanted:
            break
    return claimed


def _due(issue_id: int, now: datetime, only: Sequence[int] | None) -> Select[tuple[object, ...]]:
    """Deliveries that are due, with what decides whether they may still go."""
    query = (
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
            deliveries.c.issue_id == issue_id,
            is_waiting,
            deliveries.c.due_at <= now,
        )
        .order_by(deliveries.c.due_at, deliveries.c.subscriber_id)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    return query if only is None else query.where(deliveries.c.subscriber_id.in_(only))


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
        gone.append({"of_issue": issue_id, "of_subscriber": row["subscriber_id"], "why": reason})
    if gone:
        connection.execute(
            _one(S.SKIPPED, from_=(S.PENDING, S.DEFERRED)).values(
                reason=bindparam("why"), done_at=now
            ),
            gone,
        )
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


def recipient_of(row: RowMapping) -> Recipient:
    """What merge tags see, from a row with the columns of a subscriber."""
    return Recipient(
        public_id=row["public_id"],
        email=row["email"],
        name=row["name"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        language=row["language"],
        attributes=row["attributes"],
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
    statement = _one(S.SENDING, from_=(S.PENDING, S.DEFERRED)).values(
        attempts=deliveries.c.attempts + 1,
        claim=claim.owner,
        leased_until=now + claim.lease,
        message_ref=bindparam("ref"),
        first_tried_at=bindparam("tried"),
        reply="",
        reason="",
    )
    changed = connection.execute(
        statement,
        [
            {
                "of_issue": issue_id,
                "of_subscriber": delivery.subscriber_id,
                "ref": delivery.ref,
                "tried": delivery.first_tried_at,
            }
            for delivery in batch
        ],
    ).rowcount
    _expect(changed, len(batch))


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
        _result_values(issue_id, result, now=now, max_attempts=max_attempts, jitter=jitter)
        for result in results
    ]
    statement = (
        _where_one(from_=(S.SENDING,))
        .where(deliveries.c.claim == claim.owner)
        .values(
            state=bindparam("to_state"),
            attempts=bindparam("tries"),
            due_at=bindparam("due"),
            done_at=bindparam("done"),
            reason=bindparam("why"),
            reply=bindparam("said"),
            claim=None,
            leased_until=None,
        )
    )
    _expect(connection.execute(statement, values).rowcount, len(values))
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
        "to_state": state,
        "tries": tries,
        "due": due,
        "done": None if state in (S.PENDING, S.DEFERRED) else now,
        "why": reason,
        "said": "" if state is S.PENDING else str(result.outcome.reply),
    }


def mark_abandoned(connection: Connection, *, now: datetime | None) -> int:
    """Turn ``sending`` rows that nobody works on any more into ``uncertain``.

    Args:
        now: only those whose lease is over by then; None: all of them, which is right only for
            who holds the lock of the sender.
    """
    statement = (
        update(deliveries)
        .where(is_in_doubt, deliveries.c.state == S.SENDING)
        .values(state=S.UNCERTAIN, reason=Verdict.NO_ANSWER.value, claim=None, leased_until=None)
    )
    if now is not None:
        statement = statement.where(deliveries.c.leased_until < now)
    return connection.execute(statement).rowcount


def settle_as_sent(
    connection: Connection, issue_id: int, *, refs: Sequence[str] | None, now: datetime
) -> int:
    """Take uncertain deliveries as sent.

    Args:
        refs: these messages; None: all.
    """
    statement = _many(S.SENT, issue_id, from_=S.UNCERTAIN).values(done_at=now, reason="settled")
    if refs is not None:
        statement = statement.where(deliveries.c.message_ref.in_(refs))
    return connection.execute(statement).rowcount


def settle_for_resend(connection: Connection, issue_id: int, *, now: datetime) -> list[int]:
    """Plan uncertain deliveries anew, with the same Message-ID; whose they are."""
    statement = _many(S.PENDING, issue_id, from_=S.UNCERTAIN).values(due_at=now, done_at=None)
    return list(connection.execute(statement.returning(deliveries.c.subscriber_id)).scalars())


def cancel_open(connection: Connection, issue_id: int, *, now: datetime) -> int:
    """End a send: what is pending or deferred becomes skipped."""
    connection.execute(update(issues).where(issues.c.id == issue_id).values(cancelled_at=now))
    return sum(
        connection.execute(
            _many(S.SKIPPED, issue_id, from_=state).values(reason=CANCELLED, done_at=now)
        ).rowcount
        for state in (S.PENDING, S.DEFERRED)
    )


def make_deferred_due(connection: Connection, issue_id: int, *, now: datetime) -> list[int]:
    """Make every deferred delivery due now; whose they are. Their state stays."""
    statement = (
        update(deliveries)
        .where(deliveries.c.issue_id == issue_id, deliveries.c.state == S.DEFERRED)
        .values(due_at=case((deliveries.c.due_at < now, deliveries.c.due_at), else_=now))
    )
    return list(connection.execute(statement.returning(deliveries.c.subscriber_id)).scalars())


def is_worth_a_retry() -> ColumnElement[bool]:
    """Whether a failed delivery may succeed at another time."""
    return and_(
        deliveries.c.state == S.FAILED,
        deliveries.c.reason.not_in([verdict.value for verdict in HOPELESS]),
    )


def retry_failed(connection: Connection, issue_id: int, *, now: datetime) -> list[int]:
    """Plan failed deliveries that are worth it anew, with all their tries; whose they are."""
    statement = (
        _many(S.PENDING, issue_id, from_=S.FAILED)
        .where(is_worth_a_retry())
        .values(due_at=now, done_at=None, attempts=0)
    )
    return list(connection.execute(statement.returning(deliveries.c.subscriber_id)).scalars())


def count_open(connection: Connection, issue_id: int, *, now: datetime) -> int:
    """How many deliveries a run could claim now."""
    return connection.execute(
        select(func.count())
        .select_from(deliveries)
        .where(
            deliveries.c.issue_id == issue_id,
            is_waiting,
            deliveries.c.due_at <= now,
        )
    ).scalar_one()


def _allowed(to: DeliveryState, from_: Sequence[DeliveryState]) -> None:
    for state in from_:
        if to not in TRANSITIONS[state]:
            raise IllegalTransition(f"a delivery cannot go from {state} to {to}")


def _where_one(*, from_: Sequence[DeliveryState]) -> Update:
    return update(deliveries).where(
        deliveries.c.issue_id == bindparam("of_issue"),
        deliveries.c.subscriber_id == bindparam("of_subscriber"),
        # SQLAlchemy knows no IN in an executemany.
        or_(*(deliveries.c.state == state for state in from_)),
    )


def _one(to: DeliveryState, *, from_: Sequence[DeliveryState]) -> Update:
    """The change of one delivery, named by ``of_issue`` and ``of_subscriber``."""
    _allowed(to, from_)
    return _where_one(from_=from_).values(state=to)


def _many(to: DeliveryState, issue_id: int, *, from_: DeliveryState) -> Update:
    """The change of all deliveries of an issue in one state."""
    _allowed(to, (from_,))
    return (
        update(deliveries)
        .where(deliveries.c.issue_id == issue_id, deliveries.c.state == from_)
        .values(state=to)
    )


def _expect(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise IllegalTransition(
            f"{wanted - changed} of {wanted} deliveries were changed by somebody else meanwhile"
        )

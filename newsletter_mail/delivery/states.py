"""The states of a delivery and every change between them; all that writes ``state`` is built here.

::

    pending ──▶ sending ──▶ sent ──▶ bounced
       │            ├─────▶ deferred ──▶ sending …
       │            ├─────▶ failed
       ▼            └─────▶ uncertain ──▶ (settled) sent or pending
    skipped

Each function is one step in the caller's transaction; claims and results are in ``claims``.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from newsletter_mail.errors import IllegalTransition
from newsletter_mail.store.schema import (
    deliveries,
    is_in_doubt,
    is_waiting,
    issues,
)
from newsletter_mail.words import (
    DeliveryState,
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


def claimed_by(connection: Connection, issue_id: int, owner: str) -> list[int]:
    """Whose deliveries are ``sending`` in the name of one run."""
    return list(
        connection.execute(
            select(deliveries.c.subscriber_id).where(
                deliveries.c.issue_id == issue_id,
                is_in_doubt,
                deliveries.c.state == S.SENDING,
                deliveries.c.claim == owner,
            )
        ).scalars()
    )


def settle_claimed(
    connection: Connection,
    issue_id: int,
    *,
    accepted: Collection[int],
    not_accepted: Collection[int],
    now: datetime,
) -> None:
    """Settle ``sending`` rows of a run that died, as far as it is known what became of them.

    Args:
        accepted: subscribers whose message the server has.
        not_accepted: subscribers whose message no server has; no try is charged.
    """
    is_free = {"claim": None, "leased_until": None}
    steps = (
        (accepted, S.SENT, {"done_at": now, "reply": "accepted; the sender died with the answer"}),
        (not_accepted, S.PENDING, {"due_at": now, "attempts": deliveries.c.attempts - 1}),
    )
    for subscribers, state, values in steps:
        if subscribers:
            statement = _many(state, issue_id, from_=S.SENDING).values(**is_free, **values)
            is_meant = deliveries.c.subscriber_id.in_(subscribers)
            changed = connection.execute(statement.where(is_meant)).rowcount
            expect_changed(changed, len(subscribers))


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
    return skip_cancelled(connection, issue_id, now=now)


def skip_cancelled(connection: Connection, issue_id: int, *, now: datetime) -> int:
    """Skip what is pending or deferred of an issue, where it was cancelled.

    A sender that was at work meanwhile may have put deliveries back since.
    """
    is_cancelled = select(issues.c.id).where(
        issues.c.id == issue_id, issues.c.cancelled_at.is_not(None)
    )
    if connection.execute(is_cancelled).first() is None:
        return 0
    return sum(
        connection.execute(
            _many(S.SKIPPED, issue_id, from_=state).values(reason=CANCELLED, done_at=now)
        ).rowcount
        for state in (S.PENDING, S.DEFERRED)
    )


def is_tried_and_waiting() -> ColumnElement[bool]:
    """Whether a delivery waits for another try: deferred, or put back by a run that stopped."""
    was_tried = deliveries.c.first_tried_at.is_not(None)
    return and_(is_waiting, or_(deliveries.c.state == S.DEFERRED, was_tried))


def make_tried_due(connection: Connection, issue_id: int, *, now: datetime) -> list[int]:
    """Make every delivery that waits for another try due now; whose. Their state stays."""
    statement = (
        update(deliveries)
        .where(deliveries.c.issue_id == issue_id, is_tried_and_waiting())
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


def count_for_retry(connection: Connection, issue_id: int, *, with_failed: bool) -> int:
    """How many deliveries ``make_tried_due``, and ``retry_failed`` with it, would take."""
    is_wanted = is_tried_and_waiting()
    return connection.execute(
        select(func.count())
        .select_from(deliveries)
        .where(
            deliveries.c.issue_id == issue_id,
            or_(is_wanted, is_worth_a_retry()) if with_failed else is_wanted,
        )
    ).scalar_one()


def change_one(to: DeliveryState, *, from_: Sequence[DeliveryState]) -> Update:
    """The change of one delivery, named by the parameters ``of_issue`` and ``of_subscriber``.

    Raises:
        IllegalTransition: the design knows no such change.
    """
    _refuse_unknown(to, from_)
    return _one(from_).values(state=to)


def change_one_from_sending() -> Update:
    """The same from ``sending`` to wherever the parameter ``to_state`` says."""
    return _one((S.SENDING,)).values(state=bindparam("to_state"))


def expect_changed(changed: int, wanted: int) -> None:
    """See that every row was there to be changed.

    Raises:
        IllegalTransition: some were not; the transaction must be undone.
    """
    if changed != wanted:
        raise IllegalTransition(
            f"{wanted - changed} of {wanted} deliveries were changed by somebody else meanwhile"
        )


def _one(from_: Sequence[DeliveryState]) -> Update:
    return update(deliveries).where(
        deliveries.c.issue_id == bindparam("of_issue"),
        deliveries.c.subscriber_id == bindparam("of_subscriber"),
        # SQLAlchemy knows no IN in an executemany.
        or_(*(deliveries.c.state == state for state in from_)),
    )


def _many(to: DeliveryState, issue_id: int, *, from_: DeliveryState) -> Update:
    """The change of all deliveries of an issue in one state."""
    _refuse_unknown(to, (from_,))
    return (
        update(deliveries)
        .where(deliveries.c.issue_id == issue_id, deliveries.c.state == from_)
        .values(state=to)
    )


def _refuse_unknown(to: DeliveryState, from_: Sequence[DeliveryState]) -> None:
    for state in from_:
        if to not in TRANSITIONS[state]:
            raise IllegalTransition(f"a delivery cannot go from {state} to {to}")

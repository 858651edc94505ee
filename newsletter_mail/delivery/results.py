"""What became of claimed deliveries, written down in groups.

Each function is one step in the caller's transaction.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert

from newsletter_mail.delivery.claims import Claim, ClaimedDelivery
from newsletter_mail.delivery.retry import due_again
from newsletter_mail.delivery.states import (
    STATE_AFTER,
    TRIES_USED_UP,
    change_one,
    change_one_from_sending,
    expect_changed,
)
from newsletter_mail.store.prepared import Prepared
from newsletter_mail.store.schema import attempts, deliveries
from newsletter_mail.words import DeliveryState, Outcome, Verdict

S = DeliveryState

_OURS = deliveries.c.claim == bindparam("owner")
#: What becomes of nearly all of them.
_RECORD_SENT = Prepared(
    change_one(S.SENT, from_=(S.SENDING,))
    .where(_OURS)
    .values(done_at=bindparam("now"), reply=bindparam("said"), claim=None, leased_until=None),
    by_row=("of_subscriber", "said"),
)
_RECORD = (
    change_one_from_sending()
    .where(_OURS)
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


class Result(NamedTuple):
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
    sent = [result for result in results if result.outcome.verdict is Verdict.ACCEPTED]
    if sent:
        changed = _RECORD_SENT.run(
            connection,
            [(result.delivery.subscriber_id, str(result.outcome.reply)) for result in sent],
            {"of_issue": issue_id, "owner": claim.owner, "now": now},
        )
        expect_changed(changed, len(sent))
    others = [result for result in results if result.outcome.verdict is not Verdict.ACCEPTED]
    if others:
        values = [
            _result_values(issue_id, claim, result, now, max_attempts, jitter())
            for result in others
        ]
        expect_changed(connection.execute(_RECORD, values).rowcount, len(values))
        _keep_attempts(connection, issue_id, others, now)


def _keep_attempts(
    connection: Connection, issue_id: int, results: Sequence[Result], now: datetime
) -> None:
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
        if result.outcome.verdict is not Verdict.NOT_HANDED_OVER
    ]
    if tries:
        connection.execute(insert(attempts), tries)


def _result_values(
    issue_id: int,
    claim: Claim,
    result: Result,
    now: datetime,
    max_attempts: int,
    jitter: float,
) -> dict[str, object]:
    delivery, verdict = result.delivery, result.outcome.verdict
    state, reason = STATE_AFTER[verdict], verdict.value
    tries = delivery.attempt
    due = now
    if state is S.DEFERRED and tries >= max_attempts:
        state, reason = S.FAILED, TRIES_USED_UP
    elif state is S.DEFERRED:
        due = due_again(verdict, attempt=tries, now=now, jitter=jitter)
    elif state is S.PENDING:
        tries, reason = tries - 1, ""
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

"""Addresses that a server called dead are suppressed, unless it calls a whole domain dead.

A domain whose mail system is broken, or whose policy refuses us with the wrong words, says of all
its people that they do not exist. Suppressing them would lose them for good.
"""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, func, select

from newsletter_mail.store.inserting import insert_ignoring
from newsletter_mail.store.schema import deliveries, subscribers, suppressions
from newsletter_mail.words import DeliveryState, SuppressionReason, Verdict

#: More than this share of a domain's tried addresses cannot be dead, where so many were tried.
MOST_DEAD, FROM_TRIED = 0.2, 50


def suppress_dead(
    connection: Connection, issue_id: int, slug: str, *, now: datetime
) -> tuple[int, list[str]]:
    """Suppress the addresses that an issue has found dead.

    Returns:
        How many are suppressed by this call, and the domains that are suspect instead.
    """
    dead = _keys(connection, issue_id, reason=Verdict.ADDRESS_DEAD.value)
    if not dead:
        return 0, []
    dead_of = Counter(_domain(key) for key in dead)
    suspect = [
        domain
        for domain, count in sorted(dead_of.items())
        # Counting a domain reads the whole issue: not for each of thousands with one dead address.
        if count > MOST_DEAD * FROM_TRIED
        and _is_too_many(count, _tried(connection, issue_id, domain))
    ]
    rows = [
        {
            "email_key": key,
            "reason": SuppressionReason.HARD_BOUNCE.value,
            "at": now,
            "source": slug,
        }
        for key in dead
        if _domain(key) not in suspect
    ]
    if not rows:
        return 0, suspect
    before = _count(connection)
    connection.execute(insert_ignoring(connection, suppressions), rows)
    return _count(connection) - before, suspect


def _is_too_many(dead: int, tried: int) -> bool:
    return tried >= FROM_TRIED and dead > MOST_DEAD * tried


def _domain(key: str) -> str:
    return key.rpartition("@")[2]


def _keys(connection: Connection, issue_id: int, *, reason: str) -> list[str]:
    return [
        key
        for key in connection.execute(
            select(subscribers.c.email_key)
            .join(deliveries, deliveries.c.subscriber_id == subscribers.c.id)
            .where(
                deliveries.c.issue_id == issue_id,
                deliveries.c.state == DeliveryState.FAILED,
                deliveries.c.reason == reason,
                subscribers.c.email_key.is_not(None),
            )
        ).scalars()
        if key is not None
    ]


def _tried(connection: Connection, issue_id: int, domain: str) -> int:
    """Deliveries to a domain that a server has answered."""
    answered = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED)
    return connection.execute(
        select(func.count())
        .select_from(deliveries.join(subscribers, deliveries.c.subscriber_id == subscribers.c.id))
        .where(
            deliveries.c.issue_id == issue_id,
            deliveries.c.state.in_(answered),
            subscribers.c.email_key.endswith(f"@{domain}", autoescape=True),
        )
    ).scalar_one()


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(suppressions)).scalar_one()

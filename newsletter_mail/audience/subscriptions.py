"""Joining and leaving lists; every change appends to the record of consent."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from newsletter_mail.audience.lists import list_by_slug
from newsletter_mail.errors import NotFound
from newsletter_mail.store.engine import writing
from newsletter_mail.store.schema import consent_events, lists, subscriptions
from newsletter_mail.words import ConsentKind, SubscriptionState


def state_on(connection: Connection, subscriber_id: int, list_id: int) -> SubscriptionState | None:
    """Where a person stands on a list; None where they have never been on it."""
    query = select(subscriptions.c.state).where(
        subscriptions.c.list_id == list_id, subscriptions.c.subscriber_id == subscriber_id
    )
    state: SubscriptionState | None = connection.execute(query).scalar()
    return state


def subscribe(
    connection: Connection, subscriber_id: int, list_id: int, *, source: str, now: datetime
) -> None:
    """Put a person on a list, wherever they stood; the caller knows that they want it."""
    if state_on(connection, subscriber_id, list_id) is None:
        connection.execute(
            insert(subscriptions).values(
                list_id=list_id,
                subscriber_id=subscriber_id,
                state=SubscriptionState.ACTIVE,
                changed_at=now,
            )
        )
    else:
        _set_state(connection, subscriber_id, list_id, SubscriptionState.ACTIVE, now)
    _record(connection, subscriber_id, list_id, ConsentKind.JOINED, source=source, now=now)


def unsubscribe(
    engine: Engine,
    subscriber_id: int,
    *,
    list_slugs: Collection[str] | None = None,
    source: str,
    now: datetime,
) -> tuple[str, ...]:
    """Take a person off lists; doing it twice changes nothing more.

    Args:
        list_slugs: the lists to leave; None means all of them.
        source: what the consent record says of where this came from.

    Returns:
        The lists that the person was on and has left by this call: what ``undo_unsubscribe``
        takes.

    Raises:
        NotFound: there is no such list, or the person was never on it.
    """
    with writing(engine) as connection:
        return leave_lists(connection, subscriber_id, list_slugs=list_slugs, source=source, now=now)


def leave_lists(
    connection: Connection,
    subscriber_id: int,
    *,
    list_slugs: Collection[str] | None,
    source: str,
    now: datetime,
) -> tuple[str, ...]:
    """As ``unsubscribe``, inside the caller's transaction."""
    states = _states(connection, subscriber_id)
    for slug in list_slugs or ():
        list_by_slug(connection, slug)
        if slug not in states:
            raise NotFound(f"this subscriber has never been on the list {slug}")
    left = []
    for slug, (list_id, state) in states.items():
        is_meant = list_slugs is None or slug in list_slugs
        if is_meant and state is not SubscriptionState.UNSUBSCRIBED:
            _set_state(connection, subscriber_id, list_id, SubscriptionState.UNSUBSCRIBED, now)
            _record(connection, subscriber_id, list_id, ConsentKind.LEFT, source=source, now=now)
            left.append(slug)
    return tuple(left)


def undo_unsubscribe(
    engine: Engine,
    subscriber_id: int,
    *,
    list_slugs: Collection[str],
    source: str,
    now: datetime,
) -> tuple[str, ...]:
    """Put a person back on lists that they have just left by mistake.

    Args:
        list_slugs: what ``unsubscribe`` returned, or the list of the issue.

    Returns:
        The lists that they are on again by this call.
    """
    back = []
    with writing(engine) as connection:
        for slug, (list_id, state) in _states(connection, subscriber_id).items():
            if slug in list_slugs and state is SubscriptionState.UNSUBSCRIBED:
                _set_state(connection, subscriber_id, list_id, SubscriptionState.ACTIVE, now)
                _record(
                    connection, subscriber_id, list_id, ConsentKind.UNDONE, source=source, now=now
                )
                back.append(slug)
    return tuple(back)


def _states(connection: Connection, subscriber_id: int) -> dict[str, tuple[int, SubscriptionState]]:
    query = (
        select(lists.c.slug, lists.c.id, subscriptions.c.state)
        .join(subscriptions, subscriptions.c.list_id == lists.c.id)
        .where(subscriptions.c.subscriber_id == subscriber_id)
        .order_by(lists.c.slug)
    )
    return {slug: (list_id, state) for slug, list_id, state in connection.execute(query)}


def _set_state(
    connection: Connection,
    subscriber_id: int,
    list_id: int,
    state: SubscriptionState,
    now: datetime,
) -> None:
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.list_id == list_id, subscriptions.c.subscriber_id == subscriber_id)
        .values(state=state, changed_at=now)
    )


def _record(
    connection: Connection,
    subscriber_id: int,
    list_id: int,
    kind: ConsentKind,
    *,
    source: str,
    now: datetime,
) -> None:
    connection.execute(
        insert(consent_events).values(
            subscriber_id=subscriber_id, list_id=list_id, kind=kind.value, at=now, source=source
        )
    )

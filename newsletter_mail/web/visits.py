"""What a signed link is about: who follows it, and what it leaves or takes back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, select

from newsletter_mail.addresses import mask_address
from newsletter_mail.audience.lists import MAIN_LIST
from newsletter_mail.audience.subscribers import find_by_public_id
from newsletter_mail.store.engine import reading
from newsletter_mail.store.schema import consent_events, deliveries, issues, lists, subscriptions
from newsletter_mail.tokens import Grant, Purpose
from newsletter_mail.words import ConsentKind, SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody with a good link.

    Attributes:
        subscriber_id: the row; never shown.
        address: masked; the only form of it that a page may show.
        language: as in ``Recipient``.
        leaves: slugs of the lists that the link would leave now; none: there is nothing
            to leave any more.
        name: what the person would no longer receive: the newsletter, or one list of it.
        list_names: of ``leaves``, as a page calls them.
        takes_back: slugs of the lists that were left through this very link.
    """

    subscriber_id: int
    address: str
    language: str
    name: str
    leaves: tuple[str, ...]
    list_names: tuple[str, ...]
    takes_back: tuple[str, ...]

    @property
    def can_undo(self) -> bool:
        """Whether there is a leave of this link to take back."""
        return bool(self.takes_back)


def leave_sources(purpose: Purpose, issue: str) -> tuple[str, str]:
    """What the consent record says of a leave through a link: by its page, by one-click."""
    page = "preferences" if purpose is Purpose.PREFERENCES else "page"
    return f"{page} {issue}", f"one-click {issue}"


def find_visit(
    engine: Engine, purpose: Purpose, grant: Grant, *, newsletter_name: str
) -> Visit | None:
    """Who follows a link; None where the subscriber does not exist or was erased."""
    subscriber = find_by_public_id(engine, grant.subscriber)
    if subscriber is None:
        return None
    with reading(engine) as connection:
        joined = _joined_lists(connection, subscriber.id)
        sent_by = None
        if purpose is Purpose.UNSUBSCRIBE:
            sent_by = _list_of_delivery(connection, subscriber.id, grant.issue)
        left = _left_by(connection, subscriber.id, leave_sources(purpose, grant.issue))
    if sent_by is not None:
        joined = [row for row in joined if row.slug == sent_by.slug]
    return Visit(
        subscriber_id=subscriber.id,
        address=mask_address(subscriber.email),
        language=subscriber.language,
        name=newsletter_name if sent_by is None else _shown_name(sent_by, newsletter_name),
        leaves=tuple(row.slug for row in joined),
        list_names=tuple(_shown_name(row, newsletter_name) for row in joined),
        takes_back=left,
    )


_ListRow = Row[str, str]


def _joined_lists(connection: Connection, subscriber_id: int) -> Sequence[_ListRow]:
    return connection.execute(
        select(lists.c.slug, lists.c.name)
        .join(subscriptions, subscriptions.c.list_id == lists.c.id)
        .where(
            subscriptions.c.subscriber_id == subscriber_id,
            subscriptions.c.state == SubscriptionState.ACTIVE,
        )
        .order_by(lists.c.id)
    ).all()


def _list_of_delivery(connection: Connection, subscriber_id: int, issue: str) -> _ListRow | None:
    return connection.execute(
        select(lists.c.slug, lists.c.name)
        .join(deliveries, deliveries.c.list_id == lists.c.id)
        .join(issues, issues.c.id == deliveries.c.issue_id)
        .where(issues.c.slug == issue, deliveries.c.subscriber_id == subscriber_id)
    ).one_or_none()


def _shown_name(row: _ListRow, newsletter_name: str) -> str:
    return newsletter_name if row.slug == MAIN_LIST else str(row.name)


def _left_by(
    connection: Connection, subscriber_id: int, sources: tuple[str, str]
) -> tuple[str, ...]:
    """The lists whose last event is a leave by one of these sources."""
    events = connection.execute(
        select(lists.c.slug, consent_events.c.kind, consent_events.c.source)
        .join(lists, lists.c.id == consent_events.c.list_id)
        .where(consent_events.c.subscriber_id == subscriber_id)
        .order_by(consent_events.c.at, consent_events.c.id)
    )
    last = {event.slug: (event.kind, event.source) for event in events}
    return tuple(
        slug
        for slug, (kind, source) in last.items()
        if kind == ConsentKind.LEFT and source in sources
    )

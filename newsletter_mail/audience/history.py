"""Everything that is held on one person, to show it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from newsletter_mail.audience.subscribers import Subscriber, subscriber_of
from newsletter_mail.store.engine import reading
from newsletter_mail.store.schema import (
    consent_events,
    deliveries,
    issues,
    lists,
    subscriptions,
    suppressions,
)
from newsletter_mail.words import DeliveryState, SubscriptionState, SuppressionReason

#: How many deliveries are shown.
LATEST_DELIVERIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Where the person stands on one list, and since when."""

    list: str
    state: SubscriptionState
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """One line of the record of consent."""

    at: datetime
    list: str
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDelivery:
    """What became of one issue for this person; ``done_at`` is None while it is open."""

    issue: str
    state: DeliveryState
    done_at: datetime | None
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One person, their lists, consent and latest deliveries.

    Attributes:
        suppressed: why they are not written to, or None.
        events: oldest first.
        deliveries: newest issue first, at most ``LATEST_DELIVERIES``.
    """

    subscriber: Subscriber
    suppressed: SuppressionReason | None
    memberships: tuple[Membership, ...]
    events: tuple[ConsentEvent, ...]
    deliveries: tuple[PastDelivery, ...]

    def as_json(self) -> dict[str, object]:
        """The same as a JSON document; row numbers stay inside."""
        person = self.subscriber
        return {
            "email": person.email,
            "name": person.names.name,
            "first_name": person.names.first_name,
            "last_name": person.names.last_name,
            "language": person.language,
            "attributes": dict(person.attributes),
            "created_at": person.created_at.isoformat(),
            "suppressed": self.suppressed,
            "lists": [
                {"list": one.list, "state": one.state, "changed_at": one.changed_at.isoformat()}
                for one in self.memberships
            ],
            "consent": [
                {
                    "at": one.at.isoformat(),
                    "list": one.list,
                    "kind": one.kind,
                    "source": one.source,
                }
                for one in self.events
            ],
            "deliveries": [
                {
                    "issue": one.issue,
                    "state": one.state,
                    "done_at": one.done_at and one.done_at.isoformat(),
                    "reply": one.reply,
                }
                for one in self.deliveries
            ],
        }


def history_of(engine: Engine, email: str) -> History:
    """What is held on the person with this address.

    Raises:
        InvalidAddress: it is not an address.
        NotFound: nobody has it.
    """
    with reading(engine) as connection:
        person = subscriber_of(connection, email)
        reason = connection.execute(
            select(suppressions.c.reason).where(suppressions.c.email_key == person.email_key)
        ).scalar()
        return History(
            subscriber=person,
            suppressed=None if reason is None else SuppressionReason(reason),
            memberships=_memberships(connection, person.id),
            events=_events(connection, person.id),
            deliveries=_deliveries(connection, person.id),
        )


def _memberships(connection: Connection, subscriber_id: int) -> tuple[Membership, ...]:
    query = (
        select(lists.c.slug, subscriptions.c.state, subscriptions.c.changed_at)
        .join(subscriptions, subscriptions.c.list_id == lists.c.id)
        .where(subscriptions.c.subscriber_id == subscriber_id)
        .order_by(lists.c.slug)
    )
    return tuple(
        Membership(list=slug, state=state, changed_at=changed_at)
        for slug, state, changed_at in connection.execute(query)
    )


def _events(connection: Connection, subscriber_id: int) -> tuple[ConsentEvent, ...]:
    query = (
        select(consent_events.c.at, lists.c.slug, consent_events.c.kind, consent_events.c.source)
        .join(lists, lists.c.id == consent_events.c.list_id)
        .where(consent_events.c.subscriber_id == subscriber_id)
        .order_by(consent_events.c.at, consent_events.c.id)
    )
    return tuple(
        ConsentEvent(at=at, list=slug, kind=kind, source=source)
        for at, slug, kind, source in connection.execute(query)
    )


def _deliveries(connection: Connection, subscriber_id: int) -> tuple[PastDelivery, ...]:
    query = (
        select(issues.c.slug, deliveries.c.state, deliveries.c.done_at, deliveries.c.reply)
        .join(issues, issues.c.id == deliveries.c.issue_id)
        .where(deliveries.c.subscriber_id == subscriber_id)
        .order_by(issues.c.id.desc())
        .limit(LATEST_DELIVERIES)
    )
    return tuple(
        PastDelivery(issue=slug, state=state, done_at=done_at, reply=reply)
        for slug, state, done_at, reply in connection.execute(query)
    )

"""The plan of a send: who gets the issue and who does not, in numbers that add up.

Planning is one INSERT … SELECT. The primary key (issue, subscriber) is the dedup: whoever has a
delivery already, by whatever list or language, gets none again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CTE,
    Connection,
    Integer,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)

from newsletter_mail.store.inserting import insert_ignoring
from newsletter_mail.store.schema import (
    deliveries,
    is_waiting,
    lists,
    subscribers,
    subscriptions,
    suppressions,
)
from newsletter_mail.words import DeliveryState, SubscriptionState

_WAITING = (DeliveryState.PENDING, DeliveryState.DEFERRED)
#: Rows read at a time.
_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a send is for.

    Attributes:
        list_ids: members of any of these lists.
        issue_id: the frozen issue, or None where it was never sent.
    """

    list_ids: tuple[int, ...]
    issue_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sum before a send: ``on_list`` is what the other numbers add up to.

    Attributes:
        new: on a list, and without a delivery of this issue.
        waiting: planned earlier and due now.
        later: deferred by their server, and not due yet.
        already: have it, or will not get it: sent, failed, bounced or skipped.
        uncertain: handed over without an answer; ``settle`` decides.
        unconfirmed: asked to join and have not confirmed.
    """

    new: int = 0
    waiting: int = 0
    later: int = 0
    already: int = 0
    uncertain: int = 0
    unsubscribed: int = 0
    suppressed: int = 0
    unconfirmed: int = 0

    @property
    def to_send(self) -> int:
        """Messages that a send would send now."""
        return self.new + self.waiting

    @property
    def on_list(self) -> int:
        """Everybody: the sum of all numbers."""
        return (
            self.to_send
            + self.later
            + self.already
            + self.uncertain
            + self.unsubscribed
            + self.suppressed
            + self.unconfirmed
        )


def count_plan(connection: Connection, audience: Audience, *, now: datetime) -> Plan:
    """Count who would get the issue now; changes nothing."""
    people = _people(audience, now)
    rows = connection.execute(
        select(people.c.standing, func.count()).group_by(people.c.standing)
    ).all()
    return Plan(**{standing: count for standing, count in rows})  # noqa: C416 - mypy knows rows, not pairs


def plan_deliveries(
    connection: Connection, audience: Audience, *, now: datetime, limit: int | None
) -> None:
    """Plan a delivery for everybody who has none yet.

    Args:
        limit: so many at most, those who came first.
    """
    has_delivery = exists().where(
        deliveries.c.issue_id == audience.issue_id,
        deliveries.c.subscriber_id == subscriptions.c.subscriber_id,
    )
    is_suppressed = exists().where(suppressions.c.email_key == subscribers.c.email_key)
    # Those whose standing in ``_people`` is "new", in a third of its time.
    chosen = (
        select(
            literal(audience.issue_id, Integer),
            subscriptions.c.subscriber_id,
            func.min(subscriptions.c.list_id),
            literal(DeliveryState.PENDING, deliveries.c.state.type),
            literal(now, deliveries.c.due_at.type),
        )
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            subscriptions.c.list_id.in_(audience.list_ids),
            subscriptions.c.state == SubscriptionState.ACTIVE,
            subscribers.c.email.is_not(null()),
            ~is_suppressed,
            ~has_delivery,
        )
        .group_by(subscriptions.c.subscriber_id)
        .order_by(subscriptions.c.subscriber_id)
        .limit(limit)
    )
    columns = ["issue_id", "subscriber_id", "list_id", "state", "due_at"]
    # How many they are, sqlite3 does not say of a statement that begins with WITH.
    connection.execute(insert_ignoring(connection, deliveries).from_select(columns, chosen))


def move_to_lists_of_now(connection: Connection, audience: Audience) -> None:
    """Plan waiting deliveries by another list of the audience, where the person has left theirs.

    They want the issue still; the list that they left would have them skipped at the claim.
    """
    own, other = subscriptions.alias("own"), subscriptions.alias("other")
    has_left = ~exists().where(
        own.c.list_id == deliveries.c.list_id,
        own.c.subscriber_id == deliveries.c.subscriber_id,
        own.c.state == SubscriptionState.ACTIVE,
    )
    now_by = (
        select(func.min(other.c.list_id))
        .where(
            other.c.subscriber_id == deliveries.c.subscriber_id,
            other.c.list_id.in_(audience.list_ids),
            other.c.state == SubscriptionState.ACTIVE,
        )
        .scalar_subquery()
    )
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.issue_id == audience.issue_id,
            is_waiting,
            has_left,
            now_by.is_not(None),
        )
        .values(list_id=now_by)
    )


def recipients_of_plan(
    connection: Connection, audience: Audience, *, now: datetime, limit: int | None
) -> Iterator[RowMapping]:
    """Those whom a send would write to now: what ``recipient_of`` wants, ``id`` and ``list_id``.

    The rows come in a stream, in the order of the subscribers; nothing else may be done with the
    connection meanwhile.
    """
    people = _people(audience, now)
    statement = (
        select(
            subscribers.c.id,
            subscribers.c.public_id,
            subscribers.c.email,
            subscribers.c.name,
            subscribers.c.first_name,
            subscribers.c.last_name,
            subscribers.c.language,
            subscribers.c.attributes,
            people.c.list_id,
        )
        .join(people, people.c.subscriber_id == subscribers.c.id)
        .where(people.c.standing.in_(("new", "waiting")))
        .order_by(subscribers.c.id)
        .limit(limit)
    )
    streamed = connection.execute(statement, execution_options={"yield_per": _CHUNK})
    yield from streamed.mappings()


def _people(audience: Audience, now: datetime) -> CTE:
    """One row a person: ``subscriber_id``, ``list_id`` to plan by, ``standing`` as in ``Plan``."""
    members = _members(audience).cte("members")
    delivery = and_(
        deliveries.c.subscriber_id == members.c.subscriber_id,
        deliveries.c.issue_id == audience.issue_id,
    )
    may_go = or_(deliveries.c.state.is_(null()), deliveries.c.state.in_(_WAITING))
    standing = case(
        (deliveries.c.state.in_((DeliveryState.SENDING, DeliveryState.UNCERTAIN)), "uncertain"),
        (~may_go, "already"),
        (subscribers.c.email.is_(null()), "unsubscribed"),
        (suppressions.c.reason.is_not(null()), "suppressed"),
        (and_(members.c.list_id.is_(null()), members.c.is_unconfirmed == 1), "unconfirmed"),
        (members.c.list_id.is_(null()), "unsubscribed"),
        (deliveries.c.state.is_(null()), "new"),
        (deliveries.c.due_at > now, "later"),
        else_="waiting",
    )
    return (
        select(members.c.subscriber_id, members.c.list_id, standing.label("standing"))
        .join(subscribers, subscribers.c.id == members.c.subscriber_id)
        .outerjoin(deliveries, delivery)
        .outerjoin(suppressions, suppressions.c.email_key == subscribers.c.email_key)
        .cte("people")
    )


def _members(audience: Audience) -> Select[tuple[int, int, int]]:
    """Everybody on the lists, and everybody who is still waiting for this issue by another one.

    ``list_id`` is NULL for a person who is on no list any more.
    """
    is_active = subscriptions.c.state == SubscriptionState.ACTIVE
    is_pending = subscriptions.c.state == SubscriptionState.PENDING
    by_list = select(
        subscriptions.c.subscriber_id,
        case((is_active, subscriptions.c.list_id)).label("list_id"),
        case((is_pending, 1), else_=0).label("is_unconfirmed"),
    ).where(subscriptions.c.list_id.in_(audience.list_ids))
    planned = (
        select(
            deliveries.c.subscriber_id,
            case((is_active, deliveries.c.list_id)).label("list_id"),
            literal(0).label("is_unconfirmed"),
        )
        .outerjoin(
            subscriptions,
            and_(
                subscriptions.c.list_id == deliveries.c.list_id,
                subscriptions.c.subscriber_id == deliveries.c.subscriber_id,
            ),
        )
        .where(
            deliveries.c.issue_id == audience.issue_id,
            deliveries.c.list_id.not_in(audience.list_ids),
            deliveries.c.state.in_(_WAITING),
        )
    )
    both = union_all(by_list, planned).subquery()
    return select(
        both.c.subscriber_id,
        func.min(both.c.list_id).label("list_id"),
        func.max(both.c.is_unconfirmed).label("is_unconfirmed"),
    ).group_by(both.c.subscriber_id)


def lists_of_issue(connection: Connection, issue_id: int) -> list[str]:
    """The slugs of the lists that an issue has been planned by, the oldest list first."""
    planned_by = select(deliveries.c.list_id).where(deliveries.c.issue_id == issue_id)
    return list(
        connection.execute(
            select(lists.c.slug).where(lists.c.id.in_(planned_by)).order_by(lists.c.id)
        ).scalars()
    )

"""Lists that subscribers join and leave. There is always a list ``main``."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, exists, func, insert, select, update

from newsletter_mail.audience.details import clean_name
from newsletter_mail.errors import Conflict, InputError, NotFound
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.schema import consent_events, deliveries, lists, subscriptions
from newsletter_mail.words import SubscriptionState

#: The list that a command means when none is named; it can neither be renamed nor deleted.
MAIN_LIST = "main"
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """One list.

    Attributes:
        slug: what it is called on the command line and in List-ID.
        name: what people read.
        counts: subscribers in each state.
    """

    id: int
    slug: str
    name: str
    created_at: datetime
    counts: Mapping[SubscriptionState, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Everybody who is or was on it."""
        return sum(self.counts.values())


def list_by_slug(connection: Connection, slug: str) -> MailingList:
    """The list of this slug, without its counts.

    Raises:
        NotFound: there is none; names the nearest.
    """
    row = connection.execute(select(lists).where(lists.c.slug == slug)).one_or_none()
    if row is not None:
        return MailingList(id=row.id, slug=row.slug, name=row.name, created_at=row.created_at)
    slugs = list(connection.execute(select(lists.c.slug).order_by(lists.c.slug)).scalars())
    close = difflib.get_close_matches(slug, slugs, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(slugs)}."
    raise NotFound(f"there is no list {slug}; {hint} `newsletter lists create SLUG` makes one")


def all_lists(engine: Engine) -> list[MailingList]:
    """Every list with its counts, in the order of the slug."""
    counting = select(subscriptions.c.list_id, subscriptions.c.state, func.count()).group_by(
        subscriptions.c.list_id, subscriptions.c.state
    )
    counts: dict[int, dict[SubscriptionState, int]] = {}
    with reading(engine) as connection:
        for list_id, state, number in connection.execute(counting):
            counts.setdefault(list_id, {})[state] = number
        return [
            MailingList(
                id=row.id,
                slug=row.slug,
                name=row.name,
                created_at=row.created_at,
                counts=counts.get(row.id, {}),
            )
            for row in connection.execute(select(lists).order_by(lists.c.slug))
        ]


def show_lists(engine: Engine, slug: str | None) -> list[MailingList]:
    """Every list with its counts, or only the one of this slug.

    Raises:
        NotFound: there is no such list.
    """
    if slug is None:
        return all_lists(engine)
    with reading(engine) as connection:
        list_by_slug(connection, slug)
    return [one for one in all_lists(engine) if one.slug == slug]


def create_list(engine: Engine, slug: str, *, name: str, now: datetime) -> None:
    """Make a list that nobody is on.

    Args:
        name: for people; the slug where it is empty.

    Raises:
        InputError: the slug or the name cannot be one.
        Conflict: there is a list of this slug.
    """
    values = {"slug": _checked(slug), "name": clean_name("name", name) or slug, "created_at": now}
    with writing(engine) as connection:
        _refuse_taken(connection, slug)
        connection.execute(insert(lists).values(**values))


def rename_list(engine: Engine, slug: str, *, new_slug: str, name: str) -> None:
    """Give a list another slug, another name, or both.

    Args:
        new_slug: "" leaves it.
        name: "" leaves it.

    Raises:
        InputError: nothing to change, or the new slug cannot be one, or the list is ``main``.
        NotFound: there is no such list.
        Conflict: the new slug is taken.
    """
    if not new_slug and not name:
        raise InputError("say what to change: a new slug, or --name")
    values = {"name": clean_name("name", name)} if name else {}
    with writing(engine) as connection:
        found = list_by_slug(connection, slug)
        if new_slug and new_slug != slug:
            if slug == MAIN_LIST:
                raise InputError("the list main keeps its slug: commands mean it by default")
            values["slug"] = _checked(new_slug)
            _refuse_taken(connection, new_slug)
        if values:
            connection.execute(update(lists).where(lists.c.id == found.id).values(**values))


def delete_list(engine: Engine, slug: str) -> int:
    """Delete a list and its consent records; the people stay.

    Returns:
        How many people were or had been on it.

    Raises:
        NotFound: there is no such list.
        Conflict: an issue was planned by it, so the send log needs it; or it is ``main``.
    """
    if slug == MAIN_LIST:
        raise Conflict("the list main cannot be deleted: commands mean it by default")
    with writing(engine) as connection:
        found = list_by_slug(connection, slug)
        has_deliveries = select(exists().where(deliveries.c.list_id == found.id))
        if connection.execute(has_deliveries).scalar():
            raise Conflict(
                f"the list {slug} cannot be deleted: issues were sent to it, and the send log "
                "needs it"
            )
        connection.execute(delete(consent_events).where(consent_events.c.list_id == found.id))
        people = connection.execute(
            delete(subscriptions).where(subscriptions.c.list_id == found.id)
        ).rowcount
        connection.execute(delete(lists).where(lists.c.id == found.id))
    return people


def _checked(slug: str) -> str:
    if not _SLUG.fullmatch(slug):
        raise InputError(
            f"{slug!r} cannot be the slug of a list: 1 to 64 of a-z, 0-9 and -, such as "
            "board-members"
        )
    return slug


def _refuse_taken(connection: Connection, slug: str) -> None:
    if connection.execute(select(exists().where(lists.c.slug == slug))).scalar():
        raise Conflict(f"there is a list {slug} already")

"""Subscribers one at a time: added by hand, found, erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, insert, select, update

from newsletter_mail.addresses import parse_address
from newsletter_mail.audience.details import Names, Person, updated_names
from newsletter_mail.audience.lists import list_by_slug
from newsletter_mail.audience.subscriptions import state_on, subscribe
from newsletter_mail.audience.suppressions import SuppressionLookup
from newsletter_mail.errors import Conflict, NotFound
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.schema import subscribers
from newsletter_mail.words import Recipient, SubscriptionState, SuppressionReason

#: Bytes of randomness in a public id; 22 characters.
_PUBLIC_ID_BYTES = 16


class Added(StrEnum):
    """What adding a person by hand has changed."""

    #: Nobody had this address.
    ADDED = "added"
    #: Known before, and on the list from now on.
    JOINED = "joined"
    #: On the list before; what is known of them has changed.
    UPDATED = "updated"
    #: All of it was so before.
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person who has not been erased.

    Attributes:
        id: the row; for joins, never shown.
        public_id: random; stands for the person in links.
    """

    id: int
    public_id: str
    email: str
    email_key: str
    names: Names
    language: str
    attributes: Mapping[str, object]
    created_at: datetime

    @property
    def recipient(self) -> Recipient:
        """What a message may say about them."""
        return Recipient(
            public_id=self.public_id,
            email=self.email,
            name=self.names.name,
            first_name=self.names.first_name,
            last_name=self.names.last_name,
            language=self.language,
            attributes=self.attributes,
        )


def find_subscriber(engine: Engine, email: str) -> Subscriber:
    """Look a person up by any spelling of their address.

    Raises:
        InvalidAddress: it is not an address.
        NotFound: nobody has it.
    """
    with reading(engine) as connection:
        return subscriber_of(connection, email)


def subscriber_of(connection: Connection, email: str) -> Subscriber:
    """As ``find_subscriber``, inside the caller's transaction."""
    address = parse_address(email)
    found = _first(connection, select(subscribers).where(subscribers.c.email_key == address.key))
    if found is None:
        raise NotFound(f"no subscriber has the address {address.display}")
    return found


def find_by_public_id(engine: Engine, public_id: str) -> Subscriber | None:
    """The person whom a link stands for; None where nobody does, or they were erased."""
    query = select(subscribers).where(
        subscribers.c.public_id == public_id, subscribers.c.email_key.is_not(None)
    )
    with reading(engine) as connection:
        return _first(connection, query)


def add_subscriber(
    engine: Engine,
    person: Person,
    *,
    list_slug: str,
    source: str,
    now: datetime,
    secret_keys: Sequence[str],
    is_resubscribing: bool = False,
) -> Added:
    """Put one person on a list; what is given about somebody known is stored.

    An attribute given as "" is taken away; a field that is not given stays.

    Args:
        source: what the consent record says of where this came from.
        is_resubscribing: the person has asked to come back after they had left.

    Raises:
        NotFound: there is no such list.
        Conflict: the address is suppressed or was erased; or the person has left the list.
    """
    with writing(engine) as connection:
        list_id = list_by_slug(connection, list_slug).id
        _refuse_suppressed(connection, person, secret_keys)
        query = select(subscribers).where(subscribers.c.email_key == person.email_key)
        known = _first(connection, query)
        if known is None:
            subscriber_id = _insert(connection, person, now)
            subscribe(connection, subscriber_id, list_id, source=source, now=now)
            return Added.ADDED
        state = state_on(connection, known.id, list_id)
        if state is SubscriptionState.UNSUBSCRIBED and not is_resubscribing:
            raise Conflict(
                f"{known.email} has unsubscribed from {list_slug}. If they have asked to come "
                "back, add --resubscribe: it goes into the consent record"
            )
        has_changed = _update(connection, known, person, now)
        if state is not SubscriptionState.ACTIVE:
            subscribe(connection, known.id, list_id, source=source, now=now)
            return Added.JOINED
        return Added.UPDATED if has_changed else Added.UNCHANGED


def new_public_id() -> str:
    """A public id that nobody can guess (128 bits)."""
    return token_urlsafe(_PUBLIC_ID_BYTES)


def _refuse_suppressed(connection: Connection, person: Person, keys: Sequence[str]) -> None:
    reasons = SuppressionLookup(connection, keys).reasons([person.email_key])
    reason = reasons.get(person.email_key)
    if reason is None:
        return
    why = "was erased" if reason is SuppressionReason.ERASED else f"is suppressed ({reason})"
    raise Conflict(
        f"{person.email} {why} and is not written to again. Only if its owner wants mail after "
        f"all: `newsletter suppressions remove {person.email}`, then add it again"
    )


def _insert(connection: Connection, person: Person, now: datetime) -> int:
    values = {
        "public_id": new_public_id(),
        "email": person.email,
        "email_key": person.email_key,
        "name": person.names.name,
        "first_name": person.names.first_name,
        "last_name": person.names.last_name,
        "language": person.language,
        "attributes": {key: value for key, value in person.attributes.items() if value != ""},
        "created_at": now,
        "updated_at": now,
    }
    inserted = insert(subscribers).values(**values).returning(subscribers.c.id)
    return int(connection.execute(inserted).scalar_one())


def _update(connection: Connection, known: Subscriber, given: Person, now: datetime) -> bool:
    changes = changes_to(known.names, known.language, known.attributes, given)
    if changes:
        values = {**changes, "updated_at": now}
        connection.execute(update(subscribers).where(subscribers.c.id == known.id).values(values))
    return bool(changes)


def changes_to(
    names: Names, language: str, attributes: Mapping[str, object], given: Person
) -> dict[str, Any]:
    """The columns of a known person that change when somebody gives details anew.

    Returns:
        Empty where everything is so already.
    """
    merged = {**attributes, **given.attributes}
    after = {
        **_columns(updated_names(names, given.names)),
        "language": given.language or language,
        "attributes": {key: value for key, value in merged.items() if value != ""},
    }
    before = {**_columns(names), "language": language, "attributes": dict(attributes)}
    return {} if after == before else after


def _columns(names: Names) -> dict[str, Any]:
    return {"name": names.name, "first_name": names.first_name, "last_name": names.last_name}


def _first(connection: Connection, query: Select[Any]) -> Subscriber | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _subscriber(row)


def _subscriber(row: Row[Any]) -> Subscriber:
    return Subscriber(
        id=row.id,
        public_id=row.public_id,
        email=row.email,
        email_key=row.email_key,
        names=Names(name=row.name, first_name=row.first_name, last_name=row.last_name),
        language=row.language,
        attributes=row.attributes,
        created_at=row.created_at,
    )

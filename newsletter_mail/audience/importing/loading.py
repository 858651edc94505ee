"""Persons into the database, a thousand at a time, inside the transaction of the caller.

The order of a chunk is: who is known, who is suppressed, then the new ones, then who of the known
joins. The new ones join last, all at once. Nobody else adds subscribers meanwhile, so the new ones
are the rows with the highest numbers. Memory is a bit for each row of ``subscribers``, whatever
the length of the file.
"""

from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from os import urandom
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    func,
    literal,
    select,
    text,
    update,
)

from newsletter_mail.audience.details import Names, Person
from newsletter_mail.audience.subscribers import changes_to
from newsletter_mail.audience.suppressions import SuppressionLookup
from newsletter_mail.store.inserting import (
    CHUNK_SIZE,
    BulkInsert,
    encoded,
    insert_ignoring,
    is_one_of,
)
from newsletter_mail.store.schema import (
    SUBSCRIPTION_STATE,
    UtcDateTime,
    consent_events,
    subscribers,
    subscriptions,
)
from newsletter_mail.words import ConsentKind, SubscriptionState

# The indexes are written all over the place. With SQLite's 2 MB of cache a million rows take three
# times as long; more than this makes little faster.
_SQLITE_CACHE_KB = 16_000
# On PostgreSQL: others may read, join and leave, and wait before they add a subscriber. SQLite
# has one writer at a time anyway.
_LOCK = text("LOCK TABLE subscribers IN SHARE ROW EXCLUSIVE MODE")
_MOST_SORTED_IDS = 1 << 14
_DETAILS = (
    subscribers.c.name,
    subscribers.c.first_name,
    subscribers.c.last_name,
    subscribers.c.language,
    subscribers.c.attributes,
)
_COLUMNS = (
    "public_id",
    "email",
    "email_key",
    "name",
    "first_name",
    "last_name",
    "language",
    "attributes",
    "created_at",
    "updated_at",
)


class Fate(StrEnum):
    """What becomes of a row that could be read; each row has one."""

    #: Nobody had this address; the person is on the list now.
    ADDED = "added"
    #: Known before, and on the list from now on.
    JOINED = "joined"
    #: On the list before; with ``--update``, their details have changed.
    UPDATED = "updated"
    #: On the list before, and left as they were.
    UNCHANGED = "unchanged"
    #: Has left the list, and stays out.
    UNSUBSCRIBED = "unsubscribed"
    #: Must not be written to, and stays out.
    SUPPRESSED = "suppressed"
    #: The address stands in the file for a second time; the first counts.
    DUPLICATES = "duplicates"


_FATE_OF_KNOWN = {
    None: Fate.JOINED,
    SubscriptionState.UNSUBSCRIBED: Fate.UNSUBSCRIBED,
    SubscriptionState.ACTIVE: Fate.UNCHANGED,
    # They have been asked, and the answer is theirs.
    SubscriptionState.PENDING: Fate.UNCHANGED,
}


class Loader:
    """Loads chunks of persons onto one list; ``finish`` ends it.

    Args:
        secret_keys: by which erased addresses are recognised.
        source: for the record of consent.
        is_updating: details of known persons are changed.
    """

    def __init__(
        self,
        connection: Connection,
        list_id: int,
        *,
        secret_keys: Sequence[str],
        source: str,
        now: datetime,
        is_updating: bool,
    ) -> None:
        self._connection = connection
        self._list_id = list_id
        self._source = source
        self._now = now
        self._stored_now = encoded(connection.dialect, subscribers.c.created_at.type, now)
        self._inserting = BulkInsert(connection, subscribers, _COLUMNS)
        self._is_updating = is_updating
        self.fates: Counter[Fate] = Counter()
        _prepare(connection)
        self._suppressions = SuppressionLookup(connection, secret_keys)
        last = connection.execute(select(func.max(subscribers.c.id))).scalar() or 0
        # Who was there before this import and has been met in the file, a bit each. A row with a
        # higher number was added by this import.
        self._met = bytearray(last // 8 + 1)
        self._last_before = last
        self._met_suppressed: set[str] = set()
        self._public_ids = public_ids()

    def load(self, people: Collection[Person]) -> None:
        """Load one chunk; ``fates`` counts what became of each."""
        first: dict[str, Person] = {}
        for person in people:
            first.setdefault(person.email_key, person)
        self.fates[Fate.DUPLICATES] += len(people) - len(first)
        known = self._known(first)
        suppressed = self._suppressions.reasons(first)
        new: list[Person] = []
        joining: list[str] = []
        for key, person in first.items():
            fate = self._fate(key, known.get(key), is_suppressed=key in suppressed)
            if fate is Fate.ADDED:
                new.append(person)
            is_kept = fate in (Fate.JOINED, Fate.UNCHANGED)
            if self._is_updating and is_kept and self._update(known[key], person):
                fate = Fate.UPDATED if fate is Fate.UNCHANGED else fate
            if fate is Fate.JOINED:
                joining.append(key)
            self.fates[fate] += 1
        if new:
            self._insert(new)
        if joining:
            self._join(is_one_of(self._connection, subscribers.c.email_key, joining))

    def finish(self) -> None:
        """Put everybody who was added on the list."""
        if self.fates[Fate.ADDED]:
            self._join(subscribers.c.id > self._last_before)

    def _fate(self, key: str, row: Row[Any] | None, *, is_suppressed: bool) -> Fate:
        if row is not None and self._was_met(row.id):
            return Fate.DUPLICATES
        if is_suppressed:
            was_met = key in self._met_suppressed
            self._met_suppressed.add(key)
            return Fate.DUPLICATES if was_met else Fate.SUPPRESSED
        if row is None:
            return Fate.ADDED
        return _FATE_OF_KNOWN[row.state]

    def _was_met(self, row_id: int) -> bool:
        if row_id > self._last_before:
            return True
        place, bit = row_id >> 3, 1 << (row_id & 7)
        was_met = bool(self._met[place] & bit)
        self._met[place] |= bit
        return was_met

    def _known(self, keys: Collection[str]) -> dict[str, Row[Any]]:
        is_on_list = and_(
            subscriptions.c.subscriber_id == subscribers.c.id,
            subscriptions.c.list_id == self._list_id,
        )
        details = _DETAILS if self._is_updating else ()
        query = (
            select(subscribers.c.email_key, subscribers.c.id, subscriptions.c.state, *details)
            .outerjoin(subscriptions, is_on_list)
            .where(is_one_of(self._connection, subscribers.c.email_key, keys))
        )
        return {row.email_key: row for row in self._connection.execute(query)}

    def _insert(self, people: Sequence[Person]) -> None:
        now = self._stored_now
        self._inserting.execute(
            (
                public_id,
                person.email,
                person.email_key,
                person.names.name,
                person.names.first_name,
                person.names.last_name,
                person.language,
                json_of(cast("Mapping[str, str]", person.attributes)),
                now,
                now,
            )
            for person, public_id in zip(people, self._public_ids, strict=False)
        )

    def _update(self, row: Row[Any], person: Person) -> bool:
        names = Names(name=row.name, first_name=row.first_name, last_name=row.last_name)
        changes = changes_to(names, row.language, row.attributes, person)
        if changes:
            self._connection.execute(
                update(subscribers).where(subscribers.c.id == bindparam("row_id")),
                {**changes, "updated_at": self._now, "row_id": row.id},
            )
        return bool(changes)

    def _join(self, is_joining: ColumnElement[bool]) -> None:
        """The rows of the list and of the record of consent are made in the database."""
        joined = select(
            literal(self._list_id),
            subscribers.c.id,
            literal(SubscriptionState.ACTIVE, SUBSCRIPTION_STATE),
            literal(self._now, UtcDateTime),
        ).where(is_joining)
        recorded = select(
            literal(self._list_id),
            subscribers.c.id,
            literal(ConsentKind.JOINED.value),
            literal(self._now, UtcDateTime),
            literal(self._source),
        ).where(is_joining)
        self._connection.execute(
            insert_ignoring(self._connection, subscriptions).from_select(
                ["list_id", "subscriber_id", "state", "changed_at"], joined
            )
        )
        self._connection.execute(
            insert_ignoring(self._connection, consent_events).from_select(
                ["list_id", "subscriber_id", "kind", "at", "source"], recorded
            )
        )


def _prepare(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_SQLITE_CACHE_KB}")
    else:
        connection.execute(_LOCK)


def public_ids() -> Iterator[str]:
    """Public ids without end, each of 132 random bits, in sorted runs.

    A sorted run writes the pages of its index one after the other. Who has both neighbours of an
    id still has 116 bits to guess.
    """
    count = CHUNK_SIZE
    while True:
        letters = urlsafe_b64encode(urandom(18 * count)).decode()
        yield from sorted([letters[start : start + 22] for start in range(0, 24 * count, 24)])
        count = min(2 * count, _MOST_SORTED_IDS)


def json_of(texts: Mapping[str, str]) -> str:
    """As ``json.dumps``, which makes an encoder anew for each row: 0.5 µs against 2."""
    quote = encode_basestring_ascii
    return "{" + ", ".join([f"{quote(key)}: {quote(value)}" for key, value in texts.items()]) + "}"

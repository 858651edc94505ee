"""Persons into the database, a thousand at a time, inside the transaction of the caller.

The order of a chunk is: who is known, who is suppressed, then the new ones, then who joins. Memory
is a bit for each row of ``subscribers``, whatever the length of the file.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, literal, select, text, update

from newsletter_mail.audience.details import Names, Person
from newsletter_mail.audience.inserting import BulkInsert, encoded, insert_ignoring, is_one_of
from newsletter_mail.audience.subscribers import changes_to, new_public_id
from newsletter_mail.audience.suppressions import SuppressionLookup
from newsletter_mail.store.schema import (
    SUBSCRIPTION_STATE,
    UtcDateTime,
    consent_events,
    subscribers,
    subscriptions,
)
from newsletter_mail.words import ConsentKind, SubscriptionState

# Names the lock that makes imports on PostgreSQL take turns; two at once could wait for each
# other's addresses for ever.
_IMPORT_LOCK = 0x6E657773
# The indexes over random keys are written all over the place. With SQLite's 2 MB of cache a
# million rows take four times as long.
_SQLITE_CACHE_KB = 65_536
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
    """Loads chunks of persons onto one list.

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
        self._stored_now = encoded(connection, subscribers.c.created_at, now)
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
            if fate in (Fate.ADDED, Fate.JOINED):
                joining.append(key)
            self.fates[fate] += 1
        if new:
            self._insert(new)
        if joining:
            self._join(joining)

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
        self._inserting.execute(map(self._values, people))

    def _values(self, person: Person) -> Mapping[str, object]:
        names = person.names
        return {
            "public_id": new_public_id(),
            "email": person.email,
            "email_key": person.email_key,
            "name": names.name,
            "first_name": names.first_name,
            "last_name": names.last_name,
            "language": person.language,
            "attributes": json.dumps(person.attributes),
            "created_at": self._stored_now,
            "updated_at": self._stored_now,
        }

    def _update(self, row: Row[Any], person: Person) -> bool:
        names = Names(name=row.name, first_name=row.first_name, last_name=row.last_name)
        changes = changes_to(names, row.language, row.attributes, person)
        if changes:
            self._connection.execute(
                update(subscribers).where(subscribers.c.id == bindparam("row_id")),
                {**changes, "updated_at": self._now, "row_id": row.id},
            )
        return bool(changes)

    def _join(self, keys: Sequence[str]) -> None:
        """The rows of the list and of the record of consent are made in the database."""
        is_joining = is_one_of(self._connection, subscribers.c.email_key, keys)
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
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _IMPORT_LOCK})

"""Addresses that must never be written to again; they outlive the people they belonged to.

A suppressed address stays on its lists. The plan of a send and the claim of each delivery leave
it out. The address of a person who was erased is kept as a keyed digest only: it can be recognised
when somebody brings it back, and cannot be read.
"""

import hmac
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, exists, select

from newsletter_mail.addresses import parse_address
from newsletter_mail.errors import Conflict, NotFound
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.inserting import CHUNK_SIZE, insert_ignoring, is_one_of
from newsletter_mail.store.schema import suppressions
from newsletter_mail.words import SuppressionReason

_DIGEST_PREFIX = "sha256:"
_DIGEST_LENGTH = len(_DIGEST_PREFIX) + 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One row of the table.

    Attributes:
        email_key: the address, or ``sha256:`` and a digest where its owner was erased.
    """

    email_key: str
    reason: SuppressionReason
    at: datetime
    source: str


def digest_of(email_key: str, secret_key: str) -> str:
    """What is kept of an address that was erased: ``sha256:`` and an HMAC in hex."""
    message = f"newsletter-mail.suppression\0{email_key}".encode()
    return _DIGEST_PREFIX + hmac.digest(secret_key.encode(), message, "sha256").hex()


def is_digest(text: str) -> bool:
    """Whether this is what ``digest_of`` gives, not an address."""
    return len(text) == _DIGEST_LENGTH and text.startswith(_DIGEST_PREFIX)


class SuppressionLookup:
    """Tells which addresses are suppressed, in one query for many.

    Args:
        secret_keys: newest first; an erased address is recognised as long as the key that it was
            erased with is among them.
    """

    def __init__(self, connection: Connection, secret_keys: Sequence[str]) -> None:
        self._connection = connection
        is_erased = suppressions.c.reason == SuppressionReason.ERASED
        erased = connection.execute(select(exists().where(is_erased))).scalar()
        # A digest for each row of a file costs 2 s in a million; most databases need none.
        self._digest_keys = tuple(secret_keys) if erased else ()

    def reasons(self, email_keys: Collection[str]) -> dict[str, SuppressionReason]:
        """The suppressed ones among these addresses, and why."""
        asked = {key: key for key in email_keys}
        for secret_key in self._digest_keys:
            asked.update((digest_of(key, secret_key), key) for key in email_keys)
        query = select(suppressions.c.email_key, suppressions.c.reason)
        is_asked = is_one_of(self._connection, suppressions.c.email_key, asked)
        rows = self._connection.execute(query.where(is_asked))
        return {asked[key]: SuppressionReason(reason) for key, reason in rows}


def is_suppressed(engine: Engine, email_key: str, *, secret_keys: Sequence[str]) -> bool:
    """Whether an address, or the digest of it, is suppressed."""
    with reading(engine) as connection:
        return bool(SuppressionLookup(connection, secret_keys).reasons([email_key]))


def add_suppression(
    engine: Engine, email: str, *, reason: SuppressionReason, source: str, now: datetime
) -> None:
    """Suppress one address, whether or not it belongs to a subscriber.

    Raises:
        InvalidAddress: it is not one.
        Conflict: it is suppressed already.
    """
    key = parse_address(email).key
    entry = Suppression(email_key=key, reason=reason, at=now, source=source)
    with writing(engine) as connection:
        if not insert_suppressions(connection, [entry]):
            raise Conflict(f"{key} is suppressed already")


def insert_suppressions(connection: Connection, entries: Collection[Suppression]) -> int:
    """Add rows inside the caller's transaction; those that are there keep their reason.

    Returns:
        How many were new.
    """
    rows = {
        entry.email_key: {
            "email_key": entry.email_key,
            "reason": entry.reason.value,
            "at": entry.at,
            "source": entry.source,
        }
        for entry in entries
    }
    if not rows:
        return 0
    query = select(suppressions.c.email_key).where(
        is_one_of(connection, suppressions.c.email_key, rows)
    )
    there = connection.execute(query).scalars().all()
    for key in there:
        del rows[key]
    if rows:
        connection.execute(insert_ignoring(connection, suppressions), list(rows.values()))
    return len(rows)


def remove_suppression(engine: Engine, email: str, *, secret_keys: Sequence[str]) -> None:
    """Allow an address to be written to again; also one whose owner was erased.

    Raises:
        InvalidAddress: it is not an address.
        NotFound: it is not suppressed.
    """
    key = parse_address(email).key
    forms = [key, *(digest_of(key, secret_key) for secret_key in secret_keys)]
    with writing(engine) as connection:
        removed = connection.execute(
            delete(suppressions).where(suppressions.c.email_key.in_(forms))
        )
        if not removed.rowcount:
            raise NotFound(f"{key} is not suppressed")


def list_suppressions(engine: Engine) -> Iterator[Suppression]:
    """All of them in the order of the address, as a stream."""
    query = select(suppressions).order_by(suppressions.c.email_key)
    with reading(engine) as connection:
        for row in connection.execution_options(yield_per=CHUNK_SIZE).execute(query):
            yield Suppression(
                email_key=row.email_key,
                reason=SuppressionReason(row.reason),
                at=row.at,
                source=row.source,
            )

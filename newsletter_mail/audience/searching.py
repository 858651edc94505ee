"""Finds subscribers by a part of their address, for somebody who types it."""

from collections.abc import Sequence

from sqlalchemy import Engine, select

from newsletter_mail.store.engine import reading
from newsletter_mail.store.schema import subscribers

#: More than this nobody reads in a list that opens while they type.
MOST_FOUND = 12


def search_addresses(engine: Engine, part: str, *, limit: int = MOST_FOUND) -> Sequence[str]:
    """Addresses with these letters in them, whatever their case: those that begin so first.

    Args:
        part: taken as it is; ``%`` and ``_`` stand for themselves.

    Returns:
        Nothing for a text of spaces.
    """
    wanted = part.strip()
    if not wanted:
        return []
    address = subscribers.c.email
    begins = address.istartswith(wanted, autoescape=True)
    query = (
        select(address)
        .where(address.icontains(wanted, autoescape=True))
        .order_by(begins.desc(), address)
        .limit(limit)
    )
    with reading(engine) as connection:
        return connection.execute(query).scalars().all()

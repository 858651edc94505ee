"""Erase a person (GDPR article 17): what was sent stays countable, who it was is gone."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, Table, and_, delete, null, select, update

from newsletter_mail.audience.subscribers import Subscriber, subscriber_of
from newsletter_mail.audience.subscriptions import leave_lists
from newsletter_mail.audience.suppressions import Suppression, digest_of, insert_suppressions
from newsletter_mail.store.engine import writing
from newsletter_mail.store.schema import attempts, deliveries, subscribers, suppressions, tests
from newsletter_mail.words import SuppressionReason

_ERASED_TEXT = "(erased)"


def erase_subscriber(
    engine: Engine, email: str, *, secret_keys: Sequence[str], source: str, now: datetime
) -> None:
    """Remove what is held on a person, and see to it that no import brings them back.

    They leave every list. Their address, names, language and attributes go, also where the answer
    of a server or the log of test messages has the address in it. A keyed digest of the address
    stays among the suppressions.

    Raises:
        InvalidAddress: it is not an address.
        NotFound: nobody has it.
    """
    with writing(engine) as connection:
        person = subscriber_of(connection, email)
        leave_lists(connection, person.id, list_slugs=None, source=source, now=now)
        _empty_row(connection, person.id, now)
        for table in (deliveries, attempts):
            _erase_from_replies(connection, table, person)
        spellings = {person.email, person.email_key}
        connection.execute(
            update(tests).where(tests.c.email.in_(spellings)).values(email=_ERASED_TEXT)
        )
        connection.execute(delete(suppressions).where(suppressions.c.email_key == person.email_key))
        entry = Suppression(
            email_key=digest_of(person.email_key, secret_keys[0]),
            reason=SuppressionReason.ERASED,
            at=now,
            source=source,
        )
        insert_suppressions(connection, [entry])


def _empty_row(connection: Connection, subscriber_id: int, now: datetime) -> None:
    connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber_id)
        .values(
            email=null(),
            email_key=null(),
            name="",
            first_name="",
            last_name="",
            language="",
            attributes={},
            updated_at=now,
            erased_at=now,
        )
    )


def _erase_from_replies(connection: Connection, table: Table, person: Subscriber) -> None:
    """Servers like to repeat the address: ``550 5.1.1 <anna@example.org>: unknown``."""
    pattern = re.compile("|".join(map(re.escape, {person.email, person.email_key})), re.IGNORECASE)
    mine = table.c.subscriber_id == person.id
    keys = list(table.primary_key.columns)
    rows = connection.execute(select(*keys, table.c.reply).where(mine, table.c.reply != "")).all()
    for *values, reply in rows:
        is_row = and_(*(key == value for key, value in zip(keys, values, strict=True)))
        cleaned = pattern.sub(_ERASED_TEXT, reply)
        if cleaned != reply:
            connection.execute(update(table).where(is_row).values(reply=cleaned))

"""A file of subscribers onto a list: all of it or nothing, and never a mail.

Somebody who has left the list, is suppressed or was erased stays out. Somebody who is known keeps
their details, unless the order says otherwise. The same file a second time changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from newsletter_mail.audience.details import Person
from newsletter_mail.audience.importing.loading import Fate, Loader
from newsletter_mail.audience.importing.people import PersonReader, Rejected
from newsletter_mail.audience.importing.table import Table, open_table
from newsletter_mail.audience.lists import MAIN_LIST, list_by_slug
from newsletter_mail.store.engine import writing
from newsletter_mail.store.inserting import in_chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is to be imported, and how.

    Attributes:
        mapping: columns named by hand, as ``columns.parse_mapping`` gives them.
        is_updating: change the name, language and attributes of known persons to what the file
            says; an empty cell changes nothing.
        is_dry_run: find out what would happen, and undo it.
    """

    path: Path
    list_slug: str = MAIN_LIST
    mapping: Mapping[str, str] = field(default_factory=dict)
    is_updating: bool = False
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What became of the rows; each is counted once, so the other counts add up to ``rows``.

    Attributes:
        added: were not known, and are on the list now.
        joined: known, and on the list from now on (with changed details where that was ordered).
        updated: on the list, and their details have changed.
        unchanged: on the list, left as they were.
        unsubscribed: have left the list, or the file itself says so; stay out.
        suppressed: suppressed or erased; stay out.
        duplicates: the address stands further up in the file.
        rejected: could not be taken.
        attributes: names of the columns that became attributes.
        warning: what may be wrong with the file, or "".
    """

    rows: int
    added: int
    joined: int
    updated: int
    unchanged: int
    unsubscribed: int
    suppressed: int
    duplicates: int
    rejected: int
    attributes: tuple[str, ...]
    warning: str

    @property
    def has_changed(self) -> bool:
        """Whether anything in the database is different now."""
        return bool(self.added or self.joined or self.updated)


def import_subscribers(
    engine: Engine,
    order: ImportOrder,
    *,
    secret_keys: Sequence[str],
    now: datetime,
    on_rejected: Callable[[Rejected], None],
) -> ImportResult:
    """Import a file in one transaction.

    Args:
        secret_keys: by which erased addresses are recognised.
        on_rejected: told of each row that is not taken, in the order of the file.

    Raises:
        InputError: the file cannot be used at all; nothing has happened.
        NotFound: there is no such list.
        StoreError: the database cannot be written to; nothing has happened.
    """
    table = open_table(order.path, order.mapping)
    reading = _Reading(table, on_rejected)
    with writing(engine) as connection:
        mailing_list = list_by_slug(connection, order.list_slug)
        loader = Loader(
            connection,
            mailing_list.id,
            secret_keys=secret_keys,
            source=f"import {order.path.name}",
            now=now,
            is_updating=order.is_updating,
        )
        for people in in_chunks(reading.people()):
            loader.load(people)
        loader.finish()
        if order.is_dry_run:
            connection.rollback()
    fates = loader.fates
    return ImportResult(
        rows=reading.rows,
        added=fates[Fate.ADDED],
        joined=fates[Fate.JOINED],
        updated=fates[Fate.UPDATED],
        unchanged=fates[Fate.UNCHANGED],
        unsubscribed=fates[Fate.UNSUBSCRIBED] + reading.left_out,
        suppressed=fates[Fate.SUPPRESSED],
        duplicates=fates[Fate.DUPLICATES],
        rejected=reading.rejected,
        attributes=tuple(key for _, key in table.columns.attributes),
        warning=table.warning,
    )


class _Reading:
    """The persons of a table, and the count of the rows that are none."""

    def __init__(self, table: Table, on_rejected: Callable[[Rejected], None]) -> None:
        self._table = table
        self._on_rejected = on_rejected
        self.rows = 0
        self.rejected = 0
        self.left_out = 0

    def people(self) -> Iterator[Person]:
        reader = PersonReader(self._table.columns)
        for record in self._table.rows():
            self.rows += 1
            person = reader.read(record)
            if isinstance(person, Person):
                yield person
            elif person is None:
                self.left_out += 1
            else:
                self.rejected += 1
                self._on_rejected(person)

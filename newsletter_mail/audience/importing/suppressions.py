"""A file of addresses that must not be written to: one a line, or a CSV with a column of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from newsletter_mail.addresses import parse_address
from newsletter_mail.audience.importing.columns import Field
from newsletter_mail.audience.importing.people import Rejected
from newsletter_mail.audience.importing.table import Table, open_table
from newsletter_mail.audience.spreadsheets import unguard
from newsletter_mail.audience.suppressions import Suppression, insert_suppressions, is_digest
from newsletter_mail.errors import InvalidAddress
from newsletter_mail.store.engine import writing
from newsletter_mail.store.inserting import in_chunks
from newsletter_mail.words import SuppressionReason

_REASON = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionsResult:
    """What became of the rows; the other counts add up to ``rows``."""

    rows: int
    added: int
    unchanged: int
    rejected: int
    warning: str


def import_suppressions(
    engine: Engine, path: Path, *, now: datetime, on_rejected: Callable[[Rejected], None]
) -> SuppressionsResult:
    """Suppress every address of a file, in one transaction.

    A column ``reason`` is read where it has one of ours in it; all others are ``manual``. The
    digest of an erased address, as the export has it, is taken as it is.

    Raises:
        InputError: the file cannot be used at all; nothing has happened.
        StoreError: the database cannot be written to; nothing has happened.
    """
    table = open_table(path, {})
    rejected = 0

    def reject(row: Rejected) -> None:
        nonlocal rejected
        rejected += 1
        on_rejected(row)

    rows = added = 0
    with writing(engine) as connection:
        for chunk in in_chunks(_entries(table, f"import {path.name}", now, reject)):
            rows += len(chunk)
            added += insert_suppressions(connection, chunk)
    return SuppressionsResult(
        rows=rows + rejected,
        added=added,
        unchanged=rows - added,
        rejected=rejected,
        warning=table.warning,
    )


def _entries(
    table: Table, source: str, now: datetime, reject: Callable[[Rejected], None]
) -> Iterator[Suppression]:
    email_place = table.columns.places[Field.EMAIL]
    reason_place = next((index for index, key in table.columns.attributes if key == _REASON), None)
    for record in table.rows():
        if record.fault:
            reject(Rejected(line=record.line, email="", reason=record.fault))
            continue
        email = unguard(record.fields[email_place]).strip()
        try:
            key = email if is_digest(email) else parse_address(email).key
        except InvalidAddress as error:
            reason = f"not an address: {error.reason}"
            reject(Rejected(line=record.line, email=email, reason=reason))
            continue
        word = "" if reason_place is None else record.fields[reason_place]
        yield Suppression(email_key=key, reason=_reason(key, word), at=now, source=source)


def _reason(key: str, word: str) -> SuppressionReason:
    if is_digest(key):
        return SuppressionReason.ERASED
    try:
        reason = SuppressionReason(word.strip().lower())
    except ValueError:
        return SuppressionReason.MANUAL
    # An address that can be read has not been erased.
    return SuppressionReason.MANUAL if reason is SuppressionReason.ERASED else reason

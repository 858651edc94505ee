"""People and suppressions as CSV or JSON lines, as a stream.

CSV has a column ``attributes.NAME`` for each attribute that anybody on the list has, which takes
two passes over the list. Cells that a spreadsheet would compute are guarded (``spreadsheets``); an
import takes the guard off again. JSON lines have every value as it is.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, Row, Select, and_, func, select

from newsletter_mail.audience.importing.columns import ATTRIBUTE_PREFIX
from newsletter_mail.audience.lists import list_by_slug
from newsletter_mail.audience.spreadsheets import guard
from newsletter_mail.audience.suppressions import list_suppressions
from newsletter_mail.store.engine import reading
from newsletter_mail.store.inserting import CHUNK_SIZE
from newsletter_mail.store.schema import (
    consent_events,
    subscribers,
    subscriptions,
    suppressions,
)
from newsletter_mail.words import ConsentKind

#: The first columns of an export of subscribers; attributes follow.
COLUMNS = (
    "email",
    "name",
    "first_name",
    "last_name",
    "language",
    "list",
    "state",
    "joined_at",
)
#: Stands in the column ``state`` of somebody who is on the list and must not be written to.
SUPPRESSED = "suppressed"


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


def export_subscribers(
    engine: Engine, stream: TextIO, *, list_slug: str, form: ExportFormat
) -> int:
    """Write everybody who is or was on a list; ``state`` says which.

    Args:
        stream: opened with ``newline=""``.

    Returns:
        How many people were written.

    Raises:
        NotFound: there is no such list.
    """
    with reading(engine) as connection:
        list_id = list_by_slug(connection, list_slug).id
        people = (_entry(row, list_slug) for row in _rows(connection, _people(list_id)))
        if form is ExportFormat.JSONL:
            return _write_jsonl(stream, people)
        keys = sorted({key for row in _rows(connection, _attributes(list_id)) for key in row[0]})
        return _write_csv(stream, people, keys)


def export_suppressions(engine: Engine, stream: TextIO) -> int:
    """Write all suppressions as CSV: ``email,reason,at,source``.

    The owner of an address that was erased shows as ``sha256:`` and a digest.

    Returns:
        How many were written.
    """
    writer = csv.writer(stream)
    writer.writerow(("email", "reason", "at", "source"))
    count = 0
    for count, entry in enumerate(list_suppressions(engine), 1):  # noqa: B007 - also the result
        cells = (entry.email_key, entry.reason.value, entry.at.isoformat(), entry.source)
        writer.writerow(map(guard, cells))
    return count


def _write_jsonl(stream: TextIO, people: Iterator[dict[str, Any]]) -> int:
    count = 0
    for count, person in enumerate(people, 1):  # noqa: B007 - also the result
        stream.write(json.dumps(person, ensure_ascii=False) + "\n")
    return count


def _write_csv(stream: TextIO, people: Iterator[dict[str, Any]], keys: list[str]) -> int:
    writer = csv.writer(stream)
    writer.writerow((*COLUMNS, *(f"{ATTRIBUTE_PREFIX}{key}" for key in keys)))
    count = 0
    for count, person in enumerate(people, 1):  # noqa: B007 - also the result
        attributes: Mapping[str, object] = person["attributes"]
        cells = [person[column] for column in COLUMNS]
        cells += [_as_cell(attributes.get(key, "")) for key in keys]
        writer.writerow(map(guard, cells))
    return count


def _as_cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _entry(row: Row[Any], list_slug: str) -> dict[str, Any]:
    return {
        "email": row.email,
        "name": row.name,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "language": row.language,
        "list": list_slug,
        "state": SUPPRESSED if row.reason else row.state.value,
        "joined_at": (row.joined_at or row.changed_at).isoformat(),
        "attributes": row.attributes,
    }


def _rows(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    streaming = {"yield_per": CHUNK_SIZE}
    yield from connection.execute(query, execution_options=streaming)


def _attributes(list_id: int) -> Select[Any]:
    return _on_list(select(subscribers.c.attributes), list_id)


def _people(list_id: int) -> Select[Any]:
    joined_at = (
        select(func.max(consent_events.c.at))
        .where(
            consent_events.c.subscriber_id == subscribers.c.id,
            consent_events.c.list_id == subscriptions.c.list_id,
            consent_events.c.kind == ConsentKind.JOINED.value,
        )
        .scalar_subquery()
        .label("joined_at")
    )
    query = select(
        subscribers.c.email,
        subscribers.c.name,
        subscribers.c.first_name,
        subscribers.c.last_name,
        subscribers.c.language,
        subscribers.c.attributes,
        subscriptions.c.state,
        subscriptions.c.changed_at,
        suppressions.c.reason,
        joined_at,
    )
    return _on_list(query, list_id).order_by(subscribers.c.id)


def _on_list(query: Select[Any], list_id: int) -> Select[Any]:
    is_here = and_(
        subscriptions.c.subscriber_id == subscribers.c.id, subscriptions.c.list_id == list_id
    )
    return (
        query.select_from(subscribers)
        .join(subscriptions, is_here)
        .outerjoin(suppressions, suppressions.c.email_key == subscribers.c.email_key)
        .where(subscribers.c.email_key.is_not(None))
    )

"""``status`` and ``log``: what became of the issues."""

import csv
import sys
from enum import StrEnum
from typing import Annotated

import typer

from newsletter_mail.addresses import parse_address
from newsletter_mail.cli.console import say_table
from newsletter_mail.cli.finding import slug_of
from newsletter_mail.cli.options import Json
from newsletter_mail.cli.output import as_json, say, say_json
from newsletter_mail.cli.session import session_of
from newsletter_mail.cli.statuses import status_line
from newsletter_mail.delivery.report import (
    TEST,
    LogFilter,
    issue_status,
    log_rows,
    sent_slugs,
)
from newsletter_mail.errors import InputError
from newsletter_mail.store.engine import reading
from newsletter_mail.words import DeliveryState

_STATES = (*(state.value for state in DeliveryState), TEST)
_COLUMNS = (
    "issue",
    "email",
    "list",
    "state",
    "attempts",
    "first_tried_at",
    "done_at",
    "due_at",
    "message_id",
    "reason",
    "reply",
)
_TABLE_COLUMNS = ("issue", "email", "state", "attempts", "done_at", "reason", "reply")


class LogFormat(StrEnum):
    """How the log is written."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"


def status(
    context: typer.Context,
    issue: Annotated[
        str | None, typer.Argument(metavar="ISSUE", help="The issue; without it, all of them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The counts of an issue; they always add up."""
    session = session_of(context)
    with reading(session.database) as connection:
        if issue is None:
            everything = [issue_status(connection, slug) for slug in sent_slugs(connection)]
            if as_json:
                say_json([one.document() for one in everything])
            else:
                say("\n".join(map(status_line, everything)) or "no issue was sent yet")
            return
        one = issue_status(connection, slug_of(session.workspace, issue))
    if as_json:
        say_json(one.document())
        return
    say(status_line(one))
    say(f"{one.unsubscribed:,} unsubscribed by it, {one.complaints:,} complaints")


def log(
    context: typer.Context,
    issue: Annotated[
        str | None, typer.Option("--issue", metavar="SLUG", help="Of this issue only.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDR", help="To this address only.")
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help=f"One of {', '.join(_STATES)}."),
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option("--format", help="How it is written.")
    ] = LogFormat.TABLE,
) -> None:
    """The send log: a row a delivery, and the tests."""
    if state is not None and state not in _STATES:
        raise InputError(f"there is no state {state}; there are {', '.join(_STATES)}")
    session = session_of(context)
    wanted = LogFilter(
        slug=issue, email_key=parse_address(email).key if email else None, state=state
    )
    domain = session.settings.sender.address.domain
    with reading(session.database) as connection:
        rows = log_rows(connection, wanted, domain=domain)
        if log_format is LogFormat.JSONL:
            for row in rows:
                say(as_json(row))
        elif log_format is LogFormat.CSV:
            writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        else:
            say_table(
                _TABLE_COLUMNS, ([row[name] or "" for name in _TABLE_COLUMNS] for row in rows)
            )

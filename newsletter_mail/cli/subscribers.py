"""``newsletter subscribers``: the people."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail.audience.details import Names, make_person, parse_attributes
from newsletter_mail.audience.erasure import erase_subscriber
from newsletter_mail.audience.exporting import ExportFormat, export_subscribers
from newsletter_mail.audience.history import History, history_of
from newsletter_mail.audience.importing.columns import parse_mapping
from newsletter_mail.audience.importing.subscribers import (
    ImportOrder,
    ImportResult,
    import_subscribers,
)
from newsletter_mail.audience.lists import MAIN_LIST
from newsletter_mail.audience.subscribers import Added, add_subscriber, find_subscriber
from newsletter_mail.audience.subscriptions import unsubscribe
from newsletter_mail.cli.asking import confirm
from newsletter_mail.cli.console import say_table
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.options import Email, Json, Yes
from newsletter_mail.cli.output import note, say, say_json, shown, warn
from newsletter_mail.cli.session import now, session_of
from newsletter_mail.cli.tables import reporting, writing_text

subscribers_app = typer.Typer(
    name="subscribers",
    help="The people: add, import, export, show, unsubscribe, erase.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

ListOption = Annotated[str, typer.Option("--list", metavar="LIST", help="The list.")]

_ADDED = {
    Added.ADDED: "{email} is on the list {list}",
    Added.JOINED: "{email} was known, and is on the list {list} now",
    Added.UPDATED: "{email} was on the list {list}; the details are changed",
    Added.UNCHANGED: "{email} was on the list {list}; nothing to change",
}


@subscribers_app.command("add")
def add(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="The whole name.")] = "",
    first_name: Annotated[str, typer.Option(help="Else the first word of the name.")] = "",
    last_name: Annotated[str, typer.Option(help="Else the rest of the name.")] = "",
    language: Annotated[str, typer.Option(metavar="TAG", help="Such as en or pt-BR.")] = "",
    list_slug: ListOption = MAIN_LIST,
    attributes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An attribute; can be repeated."),
    ] = None,
    is_resubscribing: Annotated[
        bool, typer.Option("--resubscribe", help="They had left, and have asked to come back.")
    ] = False,
) -> None:
    """Put one person on a list; somebody known gets the details that are given."""
    names = Names(name=name, first_name=first_name, last_name=last_name)
    person = make_person(
        email, names=names, language=language, attributes=parse_attributes(attributes or [])
    )
    session = session_of(context)
    added = add_subscriber(
        session.database,
        person,
        list_slug=list_slug,
        source="cli",
        now=now(),
        secret_keys=session.settings.secret_keys,
        is_resubscribing=is_resubscribing,
    )
    note(_ADDED[added].format(email=person.email, list=list_slug))


@subscribers_app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, or one address a line.")],
    list_slug: ListOption = MAIN_LIST,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COL=FIELD",
            help="Which column is what: email, name, first_name, last_name, language, "
            "attributes.NAME, or - to leave it out; can be repeated.",
        ),
    ] = None,
    is_updating: Annotated[
        bool, typer.Option("--update", help="Change the details of people who are known.")
    ] = False,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where rejected rows go, as CSV.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Bring people in from a file; sends no mail, and brings nobody back who has left."""
    session = session_of(context)
    order = ImportOrder(
        path=path,
        list_slug=list_slug,
        mapping=parse_mapping(mapping or []),
        is_updating=is_updating,
        is_dry_run=is_dry_run,
    )
    with reporting(path, report) as on_rejected:
        result = import_subscribers(
            session.database,
            order,
            secret_keys=session.settings.secret_keys,
            now=now(),
            on_rejected=on_rejected,
        )
    _show_result(order, result, as_json=as_json)
    return Exit.LOOK if result.rejected else Exit.DONE


@subscribers_app.command("export")
def export(
    context: typer.Context,
    form: Annotated[ExportFormat, typer.Option("--format", help="csv or jsonl.")] = (
        ExportFormat.CSV
    ),
    list_slug: ListOption = MAIN_LIST,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; else to stdout.")
    ] = None,
) -> None:
    """Write everybody who is or was on a list; the column state says which."""
    engine = session_of(context).database
    with writing_text(out) as stream:
        count = export_subscribers(engine, stream, list_slug=list_slug, form=form)
    note(f"{count:,} people written")


@subscribers_app.command("show")
def show(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Show what is held on one person."""
    history = history_of(session_of(context).database, email)
    if as_json:
        say_json(history.as_json())
    else:
        _show_person(history)


@subscribers_app.command("unsubscribe")
def unsubscribe_(
    context: typer.Context,
    email: Email,
    list_slug: Annotated[
        str | None, typer.Option("--list", metavar="LIST", help="Only this list; else all.")
    ] = None,
) -> None:
    """Take a person off a list, or off all of them."""
    engine = session_of(context).database
    person = find_subscriber(engine, email)
    slugs = None if list_slug is None else (list_slug,)
    left = unsubscribe(engine, person.id, list_slugs=slugs, source="cli", now=now())
    if left:
        note(f"{person.email} is off {', '.join(left)}")
    else:
        note(f"{person.email} was off before; nothing to change")


@subscribers_app.command("erase")
def erase(context: typer.Context, email: Email, is_sure: Yes = False) -> None:
    """Remove what is held on a person, for ever, and refuse the address from now on."""
    session = session_of(context)
    keys = session.settings.secret_keys
    person = find_subscriber(session.database, email)
    confirm(f"Erase {person.email} for ever?", is_sure=is_sure)
    erase_subscriber(session.database, email, secret_keys=keys, source="cli", now=now())
    note("erased; what was sent stays in the counts, without name and address")


def _show_result(order: ImportOrder, result: ImportResult, *, as_json: bool) -> None:
    if result.warning:
        warn(result.warning)
    if result.attributes:
        note(f"columns that became attributes: {', '.join(result.attributes)}")
    counts = asdict(result)
    if as_json:
        say_json({"list": order.list_slug, "dry_run": order.is_dry_run, **counts})
        return
    rows = [(word, f"{count:,}") for word, count in counts.items() if isinstance(count, int)]
    say_table(("what became of them", "rows"), [*rows[1:], rows[0]])
    if order.is_dry_run:
        note("a dry run: nothing was changed")
    elif not result.has_changed:
        note("nothing has changed")


def _show_person(history: History) -> None:
    person = history.subscriber
    say(f"{shown(person.email)}  {shown(person.names.name)}".rstrip())
    if history.suppressed:
        say(f"suppressed: {history.suppressed}")
    if person.language:
        say(f"language: {person.language}")
    for key, value in person.attributes.items():
        say(f"{shown(key)}: {shown(value)}")
    say()
    say_table(
        ("list", "state", "since"),
        [(one.list, one.state, _when(one.changed_at)) for one in history.memberships],
    )
    say()
    say_table(
        ("consent", "list", "when", "source"),
        [(one.kind, one.list, _when(one.at), one.source) for one in history.events],
    )
    if history.deliveries:
        say()
        say_table(
            ("issue", "state", "when", "answer"),
            [(one.issue, one.state, _when(one.done_at), one.reply) for one in history.deliveries],
        )


def _when(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M} UTC"

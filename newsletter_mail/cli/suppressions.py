"""``newsletter suppressions``: addresses that must never be written to again."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail.audience.exporting import export_suppressions
from newsletter_mail.audience.importing.suppressions import import_suppressions
from newsletter_mail.audience.suppressions import add_suppression, remove_suppression
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.options import Email
from newsletter_mail.cli.output import note, say, warn
from newsletter_mail.cli.session import now, session_of
from newsletter_mail.cli.tables import reporting, writing_text
from newsletter_mail.errors import InputError
from newsletter_mail.words import SuppressionReason

suppressions_app = typer.Typer(
    name="suppressions",
    help="Addresses that must never be written to again, whoever adds them to a list.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@suppressions_app.command("add")
def add(
    context: typer.Context,
    email: Email,
    reason: Annotated[
        SuppressionReason, typer.Option(help="Why; to erase a person use `subscribers erase`.")
    ] = SuppressionReason.MANUAL,
) -> None:
    """Suppress one address, whether or not it is a subscriber's."""
    if reason is SuppressionReason.ERASED:
        raise InputError(f"to erase a person, run `newsletter subscribers erase {email}`")
    engine = session_of(context).database
    add_suppression(engine, email, reason=reason, source="cli", now=now())
    note(f"{email} will not be written to again")


@suppressions_app.command("remove")
def remove(context: typer.Context, email: Email) -> None:
    """Allow an address to be written to again; only at its owner's wish."""
    session = session_of(context)
    remove_suppression(session.database, email, secret_keys=session.settings.secret_keys)
    note(f"{email} may be written to again")


@suppressions_app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Addresses: lines or a CSV.")],
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where rejected rows go, as CSV.")
    ] = None,
) -> int:
    """Suppress every address of a file: one a line, or a CSV with a column of them."""
    engine = session_of(context).database
    with reporting(path, report) as on_rejected:
        result = import_suppressions(engine, path, now=now(), on_rejected=on_rejected)
    if result.warning:
        warn(result.warning)
    say(
        f"{result.rows:,} rows: {result.added:,} suppressed, {result.unchanged:,} were so before, "
        f"{result.rejected:,} rejected"
    )
    return Exit.LOOK if result.rejected else Exit.DONE


@suppressions_app.command("export")
def export(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; else to stdout.")
    ] = None,
) -> None:
    """Write all suppressions as CSV."""
    engine = session_of(context).database
    with writing_text(out) as stream:
        count = export_suppressions(engine, stream)
    note(f"{count:,} suppressions written")

"""``newsletter db``: migrations and backups."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.output import say
from newsletter_mail.cli.session import session_of
from newsletter_mail.store.backup import back_up
from newsletter_mail.store.engine import connect
from newsletter_mail.store.migrate import revisions, upgrade

database_app = typer.Typer(
    name="db",
    help="The database: upgrade, status, backup.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@database_app.command("upgrade")
def upgrade_command(context: typer.Context) -> None:
    """Bring the database up to date."""
    engine = connect(session_of(context).settings.database_url)
    before, _ = revisions(engine)
    upgrade(engine)
    after, _ = revisions(engine)
    say(f"the database is up to date: revision {after}" + ("" if before == after else ", new"))


@database_app.command("status")
def status_command(context: typer.Context) -> Exit:
    """Say whether the database is up to date."""
    current, newest = revisions(connect(session_of(context).settings.database_url))
    say(f"the database is at revision {current or 'none'}, this program at {newest}")
    return Exit.DONE if current == newest else Exit.LOOK


@database_app.command("backup")
def backup_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
) -> None:
    """Write a whole copy of the database; a send may go on meanwhile."""
    # Also of a database that is not up to date: its upgrade begins with a backup.
    back_up(connect(session_of(context).settings.database_url), file)
    say(f"{file} holds a copy of the database")

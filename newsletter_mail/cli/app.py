"""The command ``newsletter``: its global options, and the groups of commands."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail import __version__
from newsletter_mail.cli.database import database_app
from newsletter_mail.cli.demo import demo
from newsletter_mail.cli.issues import build, check, init, new
from newsletter_mail.cli.lists import lists_app
from newsletter_mail.cli.output import say
from newsletter_mail.cli.preview import preview
from newsletter_mail.cli.reading import log, status
from newsletter_mail.cli.sending import cancel, retry, send, send_to_oneself, settle
from newsletter_mail.cli.serve import serve
from newsletter_mail.cli.session import Session
from newsletter_mail.cli.subscribers import subscribers_app
from newsletter_mail.cli.suppressions import suppressions_app

app = typer.Typer(
    name="newsletter",
    help="Compose an email newsletter from a text file, and send it to every subscriber "
    "exactly once.",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"newsletter-mail {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            envvar="NEWSLETTER_WORKSPACE",
            metavar="DIR",
            help="The workspace; else the nearest folder upwards with a newsletter.toml.",
        ),
    ] = None,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    session = context.obj = Session(workspace)
    context.call_on_close(session.close)


_COMMANDS: Mapping[str, Callable[..., object]] = {
    "init": init,
    "demo": demo,
    "new": new,
    "preview": preview,
    "build": build,
    "check": check,
    "test": send_to_oneself,
    "send": send,
    "settle": settle,
    "cancel": cancel,
    "retry": retry,
    "status": status,
    "log": log,
    "serve": serve,
}
for name, command in _COMMANDS.items():
    app.command(name)(command)
app.add_typer(database_app)
app.add_typer(subscribers_app)
app.add_typer(lists_app)
app.add_typer(suppressions_app)

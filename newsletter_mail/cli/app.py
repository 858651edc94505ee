"""The command ``newsletter``: its global options, and the groups of commands."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail import __version__
from newsletter_mail.cli.output import say
from newsletter_mail.cli.session import Session

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
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    context.obj = Session(workspace)

"""The command ``newsletter``: its global options, and the names of its commands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from newsletter_mail import __version__
from newsletter_mail.cli.lazy import LazyCommand
from newsletter_mail.cli.output import say

# In the order of the help; where each one is, in this package, and its help. A test holds the help
# against that of the module.
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": (
        "issues:init",
        "Make a folder a workspace, with a sample issue and a fresh secret key.",
    ),
    "demo": (
        "demo:demo",
        "Do the whole job in a new folder: compose, test, send, leave. No mail server, no network.",
    ),
    "new": ("issues:new", "Make a new issue."),
    "preview": (
        "preview:preview",
        "Show an issue as it will look; the page follows every save. Stop it with Ctrl-C.",
    ),
    "build": ("issues:build", "Compile an issue into files to look at."),
    "check": (
        "checking:check",
        "Look for everything that would be wrong with the mails, for everybody on the list.",
    ),
    "diff": (
        "differences:diff",
        "Show what has changed in an issue since its first send froze it.",
    ),
    "test": (
        "sending:send_to_oneself",
        "Send the very message, marked [Test], to these addresses only.",
    ),
    "send": ("sending:send", "Send an issue to a list, or go on with it. Nobody gets it twice."),
    "settle": ("sending:settle", "Decide what became of uncertain deliveries."),
    "cancel": ("sending:cancel", "End a send: what is pending becomes skipped."),
    "retry": ("sending:retry", "Try the deferred deliveries of an issue now."),
    "status": ("reading:status", "The counts of an issue; they always add up."),
    "log": ("reading:log", "The send log: a row a delivery, and the tests."),
    "serve": (
        "serve:serve",
        "Serve the public pages: unsubscribe, preferences, issues on the web. Stop it with Ctrl-C.",
    ),
    "db": ("database:database_app", "The database: upgrade, status, backup."),
    "subscribers": (
        "subscribers:subscribers_app",
        "The people: add, import, export, show, unsubscribe, erase.",
    ),
    "lists": (
        "lists:lists_app",
        "The lists that people join and leave; there is always one called main.",
    ),
    "suppressions": (
        "suppressions:suppressions_app",
        "Addresses that must never be written to again, whoever adds them to a list.",
    ),
}


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (place, summary) in _COMMANDS.items():
            self.add_command(LazyCommand(name, f"{__package__}.{place}", summary))


app = typer.Typer(
    name="newsletter",
    cls=_Commands,
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
    # ``session_of`` reads it, for the commands that work in a workspace.
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
    pass

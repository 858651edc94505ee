"""``newsletter serve``: the public pages."""

import logging
import sys
from typing import Annotated

import typer

from newsletter_mail.cli.output import say
from newsletter_mail.cli.session import now, session_of
from newsletter_mail.web.app import create_app
from newsletter_mail.web.server import address_of, listen, serve_until_stopped


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Serve the public pages: unsubscribe, preferences, issues on the web. Stop it with Ctrl-C."""
    session = session_of(context)
    app = create_app(session.settings, session.database, clock=now)
    listener = listen(host, port)
    log_to_stderr()
    serve_until_stopped(
        app, listener, when_ready=lambda: announce(f"Listening on {address_of(listener)}")
    )


def log_to_stderr() -> None:
    """Requests and errors of the server, one short line each, on stderr."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    # What a broken form looked like helps nobody, and anybody can send one.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def announce(message: str) -> None:
    """A line that must be seen at once, even through a pipe."""
    say(message)
    sys.stdout.flush()

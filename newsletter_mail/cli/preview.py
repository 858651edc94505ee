"""``newsletter preview``: a live page of an issue, on this machine only."""

import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from newsletter_mail.cli.composing import compose_settings
from newsletter_mail.cli.finding import find_issue, issue_folders
from newsletter_mail.cli.mailer import looking_mailer_of
from newsletter_mail.cli.serve import announce
from newsletter_mail.cli.session import Session, session_of
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.errors import NewsletterError
from newsletter_mail.settings import Settings
from newsletter_mail.web.preview import OpenWorkspace, PreviewSettings, create_preview
from newsletter_mail.web.server import address_of, listen, serve_until_stopped


def preview(
    context: typer.Context,
    issue: Annotated[
        str | None, typer.Argument(help="Slug or path of an issue; without it, all of them.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
) -> None:
    """Show an issue as it will look; the page follows every save. Stop it with Ctrl-C."""
    bench = Workbench(session_of(context))
    bench.open()
    folders, path = _chosen(bench.workspace, issue)
    shown = create_preview(
        PreviewSettings(workspace=bench.workspace, folders=folders, open_workspace=bench.open)
    )
    listener = listen("127.0.0.1", port)
    url = f"{address_of(listener)}{path}"

    def when_ready() -> None:
        announce(f"Listening on {url}")
        if not no_open:
            webbrowser.open(url)

    serve_until_stopped(
        shown.app, listener, when_ready=when_ready, when_stopping=shown.stopping.set
    )
    bench.close()


def _chosen(workspace: Path, issue: str | None) -> tuple[Callable[[], Mapping[str, Path]], str]:
    """The issues to show, and the page to begin with."""
    if issue is None:
        return lambda: issue_folders(workspace), "/"
    folder = find_issue(workspace, issue)
    return lambda: {folder.name: folder}, f"/issue/{quote(folder.name)}"


class Workbench:
    """The workspace, opened anew when its settings have changed."""

    def __init__(self, session: Session) -> None:
        self.workspace = session.workspace
        self._session = session
        self._settings: Settings | None = None
        self._opened: OpenWorkspace | None = None

    def open(self) -> OpenWorkspace:
        """The workspace as its settings are now.

        Raises:
            ConfigError: they are wrong.
        """
        settings = Settings.load(self.workspace)
        if self._opened is None or settings != self._settings:
            self.close()
            self._session = Session(self.workspace)
            self._settings = settings
            self._opened = OpenWorkspace(
                settings=settings, compose=compose_settings(settings), mailer=self._mailer()
            )
        return self._opened

    def close(self) -> None:
        """Give the database back."""
        self._session.close()

    def _mailer(self) -> Mailer | NewsletterError:
        try:
            return looking_mailer_of(self._session)
        except NewsletterError as error:
            return error

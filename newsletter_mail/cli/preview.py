"""``newsletter preview``: a live page of an issue, on this machine only."""

import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from newsletter_mail.cli.composing import compose_settings
from newsletter_mail.cli.finding import find_issue, issue_folders
from newsletter_mail.cli.serve import announce
from newsletter_mail.cli.session import session_of
from newsletter_mail.settings import Settings
from newsletter_mail.web.preview import PreviewSettings, create_preview
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
    settings = session_of(context).settings
    folders, path = _chosen(settings.workspace, issue)
    app = create_preview(_preview_settings(settings, folders))
    listener = listen("127.0.0.1", port)
    url = f"{address_of(listener)}{path}"

    def when_ready() -> None:
        announce(f"Listening on {url}")
        if not no_open:
            webbrowser.open(url)

    serve_until_stopped(app, listener, when_ready=when_ready)


def _chosen(workspace: Path, issue: str | None) -> tuple[Callable[[], Mapping[str, Path]], str]:
    """The issues to show, and the page to begin with."""
    if issue is None:
        return lambda: issue_folders(workspace), "/"
    folder = find_issue(workspace, issue)
    return lambda: {folder.name: folder}, f"/issue/{quote(folder.name)}"


def _preview_settings(
    settings: Settings, folders: Callable[[], Mapping[str, Path]]
) -> PreviewSettings:
    return PreviewSettings(
        workspace=settings.workspace,
        folders=folders,
        sender=settings.sender.name or settings.newsletter.name,
        compose=compose_settings(settings),
    )

"""``init``, ``new`` and ``build``: an issue and its files, before the first mail."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail.audience.subscribers import find_subscriber
from newsletter_mail.cli.composing import compile_all
from newsletter_mail.cli.finding import find_issue
from newsletter_mail.cli.mailer import looking_mailer_of
from newsletter_mail.cli.options import Issue
from newsletter_mail.cli.output import note, say
from newsletter_mail.cli.session import now, session_of
from newsletter_mail.delivery.build_files import Reader, write_build
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.preparation import unfrozen_issue
from newsletter_mail.errors import MergeValueMissing
from newsletter_mail.scaffold import make_issue, make_workspace
from newsletter_mail.words import Build, Recipient

#: For whom a build is filled in where nobody is named: every merge tag shows its default.
_NOBODY = Recipient(public_id="reader", email="reader@example.org")
#: Where a tag has no default.
_SOMEBODY = replace(_NOBODY, name="Alex Reader", first_name="Alex", last_name="Reader")


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder.")] = Path(),
) -> None:
    """Make a folder a workspace, with a sample issue and a fresh secret key."""
    made = make_workspace(folder)
    for path in made:
        say(f"made {path}")
    if not made:
        note(f"{folder.absolute()} is a workspace already: nothing to make")


def new(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="Such as 2024-spring.")],
    origin: Annotated[
        str | None, typer.Option("--from", metavar="ISSUE", help="Copy this issue.")
    ] = None,
) -> None:
    """Make a new issue."""
    workspace = session_of(context).workspace
    copied = None if origin is None else find_issue(workspace, origin)
    say(f"made {make_issue(workspace, slug, origin=copied)}")


def build(
    context: typer.Context,
    issue: Issue,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to.")] = Path("build"),
    as_subscriber: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", help="Fill it with this subscriber's values."),
    ] = None,
) -> None:
    """Compile an issue into files to look at."""
    session = session_of(context)
    folder = find_issue(session.workspace, issue)
    builds = compile_all(session.settings, folder)
    mailer = looking_mailer_of(session)
    person = None
    if as_subscriber is not None:
        person = find_subscriber(session.database, as_subscriber).recipient
    for one in builds:
        target = out / one.slug / one.language
        _write(mailer, builds, one, person, target)
        say(f"{target / 'index.html'}")


def _write(
    mailer: Mailer, builds: list[Build], one: Build, person: Recipient | None, target: Path
) -> None:
    try:
        _write_for(mailer, builds, one, person or _NOBODY, target)
    except MergeValueMissing as error:
        if person is not None:
            raise
        note(f"{error}. Shown as for Alex Reader; --as EMAIL shows it as for a subscriber")
        _write_for(mailer, builds, one, _SOMEBODY, target)


def _write_for(
    mailer: Mailer, builds: list[Build], one: Build, person: Recipient, target: Path
) -> None:
    issue = unfrozen_issue(builds, now=now())
    maker = mailer.maker(issue)
    list_id = min(maker.lists)
    ref = mailer.tokens.message_ref(issue.digest, person.public_id)
    write_build(
        target,
        one,
        Reader(recipient=person, links=mailer.links().links(person.public_id, one.slug)),
        lambda: maker.make(person, one, list_id, ref=ref, date=now()),
    )

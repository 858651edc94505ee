"""``diff``: what has changed in an issue since it was frozen."""

import typer

from newsletter_mail.cli.composing import compile_all
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.finding import find_issue
from newsletter_mail.cli.options import Issue
from newsletter_mail.cli.output import say, shown
from newsletter_mail.cli.session import session_of
from newsletter_mail.delivery.differences import differences
from newsletter_mail.delivery.editions import load_issue
from newsletter_mail.errors import NotFound
from newsletter_mail.store.engine import reading


def diff(context: typer.Context, issue: Issue) -> Exit:
    """Show what has changed in an issue since its first send froze it."""
    session = session_of(context)
    folder = find_issue(session.workspace, issue)
    with reading(session.database) as connection:
        frozen = load_issue(connection, folder.name)
    if frozen is None:
        raise NotFound(f"{folder.name} was never sent to a list: there is nothing to compare with")
    found = differences(frozen, compile_all(session.settings, folder))
    when = f"{frozen.frozen_at:%Y-%m-%d %H:%M} UTC"
    if not found:
        say(f"{folder.name}: as it was frozen on {when}")
        return Exit.DONE
    say(f"{folder.name}: changed since it was frozen on {when}; readers get the frozen edition")
    for one in found:
        say()
        for sentence in one.sentences:
            say(f"{one.language}: {sentence}")
        for line in one.lines:
            say(shown(line))
    return Exit.LOOK

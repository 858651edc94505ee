"""``test``, ``send``, ``retry``, ``settle`` and ``cancel``: the commands that write to people."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail.cli.asking import ask_for_number
from newsletter_mail.cli.composing import compile_all
from newsletter_mail.cli.displays import ProgressForm
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.finding import find_issue, slug_of
from newsletter_mail.cli.mailer import mailer_of
from newsletter_mail.cli.options import Issue, Json, Yes
from newsletter_mail.cli.output import note, say, say_json, shown
from newsletter_mail.cli.progress import Form, SendProgress
from newsletter_mail.cli.reporting import tell_report, tell_settled
from newsletter_mail.cli.session import Session, now, session_of
from newsletter_mail.cli.sums import plan_document, summary_lines
from newsletter_mail.delivery.dialogue import SendReport, SendRequest, Summary
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.preparation import unfrozen_issue
from newsletter_mail.delivery.sending import (
    preview_send,
    resend_uncertain,
    retry_issue,
    send_issue,
)
from newsletter_mail.delivery.settling import accept_uncertain, cancel_issue, settle_by_log
from newsletter_mail.delivery.testing import send_test
from newsletter_mail.errors import CompileError, InputError, IssueError, SendRefused
from newsletter_mail.words import Build


def send_to_oneself(
    context: typer.Context,
    issue: Issue,
    to: Annotated[
        list[str], typer.Option("--to", metavar="ADDR", help="Send it here; may be given again.")
    ],
    as_subscriber: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", help="Fill it with this subscriber's values."),
    ] = None,
) -> Exit:
    """Send the very message, marked [Test], to these addresses only."""
    session = session_of(context)
    builds = compile_all(session.settings, find_issue(session.workspace, issue))
    results = send_test(
        mailer_of(session),
        unfrozen_issue(builds, now=now()),
        to=to,
        as_subscriber=as_subscriber,
    )
    for result in results:
        word = "sent" if result.is_accepted else "not sent"
        say(shown(f"{result.email}: {word}: {result.outcome.reply}"))
    return Exit.DONE if all(result.is_accepted for result in results) else Exit.LOOK


def send(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    issue: Issue,
    lists: Annotated[
        list[str] | None,
        typer.Option(
            "--list",
            metavar="NAME",
            help="A list; may be given again. Else those that an earlier run was for, or main.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N messages in this run.")
    ] = None,
    expect: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Refuse any other number of messages.")
    ] = None,
    as_frozen: Annotated[
        bool, typer.Option("--as-frozen", help="Send it as it was, though its files have changed.")
    ] = False,
    ignored: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="RULE",
            help="Send in spite of errors of this rule of check; may be given again.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the sum; send nothing.")] = False,
    yes: Yes = False,
    form: Form = ProgressForm.AUTO,
    as_json: Json = False,
) -> Exit:
    """Send an issue to a list, or go on with it. Nobody gets it twice."""
    session = session_of(context)
    request = _request(session, issue, lists or [], limit=limit, as_frozen=as_frozen)
    mailer = mailer_of(session)
    if dry_run:
        ended = _show_plan(preview_send(mailer, request), expect=expect, as_json=as_json)
        _check(session, mailer, issue, request, ignored=ignored or [])
        return ended
    _check(session, mailer, issue, request, ignored=ignored or [])

    def ask(summary: Summary) -> None:
        for line in summary_lines(summary):
            note(shown(line))
        ask_for_number(summary.number, yes=yes, expect=expect)

    with SendProgress(form, request.slug) as progress:
        report = send_issue(mailer, request, ask=ask, watch=progress)
        again = _send_again(request, report)
        return progress.ended(tell_report(mailer, report, again=again, as_json=as_json))


def retry(
    context: typer.Context,
    issue: Issue,
    with_failed: Annotated[
        bool, typer.Option("--failed", help="The failed that are worth it as well.")
    ] = False,
    yes: Yes = False,
    form: Form = ProgressForm.AUTO,
    as_json: Json = False,
) -> Exit:
    """Try the deferred deliveries of an issue now."""
    session = session_of(context)
    mailer, slug = mailer_of(session), slug_of(session.workspace, issue)

    def ask(number: int) -> None:
        note(f"{number:,} deliveries of {slug} to try again")
        ask_for_number(number, yes=yes, expect=None)

    with SendProgress(form, slug) as progress:
        report = retry_issue(mailer, slug, with_failed=with_failed, ask=ask, watch=progress)
        again = f"newsletter retry {slug}"
        return progress.ended(tell_report(mailer, report, again=again, as_json=as_json))


def settle(
    context: typer.Context,
    issue: Issue,
    resend: Annotated[
        bool, typer.Option("--resend", help="Try them again, with the same Message-ID.")
    ] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Take them as sent.")] = False,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Look them up in the mail server's log."),
    ] = None,
    form: Form = ProgressForm.AUTO,
    as_json: Json = False,
) -> Exit:
    """Decide what became of uncertain deliveries."""
    if (resend, accept, log is not None).count(True) != 1:
        raise InputError("say one of --resend, --accept and --log FILE")
    session = session_of(context)
    mailer, slug = mailer_of(session), slug_of(session.workspace, issue)
    if resend:
        with SendProgress(form, slug) as progress:
            report = resend_uncertain(mailer, slug, watch=progress)
            again = f"newsletter retry {slug}"
            return progress.ended(tell_report(mailer, report, again=again, as_json=as_json))
    return _settle_by_hand(mailer, slug, log, as_json=as_json)


def _settle_by_hand(mailer: Mailer, slug: str, log: Path | None, *, as_json: bool) -> Exit:
    with mailer.lock(f"settle {slug}"):
        settled = (
            accept_uncertain(mailer, slug) if log is None else settle_by_log(mailer, slug, log)
        )
    return tell_settled(mailer, slug, settled, as_json=as_json)


def cancel(context: typer.Context, issue: Issue, as_json: Json = False) -> None:
    """End a send: what is pending becomes skipped."""
    session = session_of(context)
    slug = slug_of(session.workspace, issue)
    skipped = cancel_issue(session.database, slug, now=now())
    if as_json:
        say_json({"issue": slug, "skipped": skipped})
    else:
        say(f"{slug} is cancelled: {skipped:,} deliveries are skipped")


def _request(
    session: Session, issue: str, lists: list[str], *, limit: int | None, as_frozen: bool
) -> SendRequest:
    builds: list[Build] = []
    slug = slug_of(session.workspace, issue)
    try:
        folder = find_issue(session.workspace, issue)
        slug, builds = folder.name, compile_all(session.settings, folder)
    except (InputError, IssueError, CompileError):
        # What is frozen can be sent without its files.
        if not as_frozen:
            raise
    return SendRequest(slug=slug, builds=builds, lists=lists, limit=limit, as_frozen=as_frozen)


def _check(
    session: Session, mailer: Mailer, issue: str, request: SendRequest, *, ignored: list[str]
) -> None:
    """Refuse a first send of an issue in which ``check`` finds errors."""
    if not request.builds:
        return
    # Tables of colours and mail programs, which the help of this command must not wait for.
    from newsletter_mail.checks.running import check_before_send  # noqa: PLC0415

    folder = find_issue(session.workspace, issue)
    check_before_send(
        mailer, session.settings, folder, request.builds, lists=request.lists, ignored=ignored
    )


def _send_again(request: SendRequest, report: SendReport) -> str:
    """The command that goes on with this send and no wider one."""
    parts = [f"newsletter send {request.slug}", *(f"--list {slug}" for slug in request.lists)]
    if request.limit is not None:
        parts.append(f"--limit {max(1, request.limit - report.tally.done)}")
    if request.as_frozen:
        parts.append("--as-frozen")
    return " ".join(parts)


def _show_plan(summary: Summary, *, expect: int | None, as_json: bool) -> Exit:
    if as_json:
        say_json(plan_document(summary))
    else:
        for line in summary_lines(summary):
            say(shown(line))
        say(f"Nothing was sent: --dry-run. A send would send {summary.number:,} messages")
    if expect is not None and expect != summary.number:
        raise SendRefused(f"there are {summary.number:,} messages to send, and not {expect:,}")
    if summary.unfillable.count:
        raise SendRefused(summary.unfillable.sentence())
    return Exit.DONE

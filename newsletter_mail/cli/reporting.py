"""Tells how a send ended, and what to do next."""

from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.output import complain, note, say, say_json, shown, warn
from newsletter_mail.cli.statuses import status_line
from newsletter_mail.cli.sums import report_document
from newsletter_mail.delivery.dialogue import SendReport
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.report import IssueStatus, addresses_in, issue_status, next_due
from newsletter_mail.delivery.settling import Settled
from newsletter_mail.store.engine import reading
from newsletter_mail.words import DeliveryState

#: So many uncertain people are named; ``log`` names all.
_NAMED = 50


def tell_report(mailer: Mailer, report: SendReport, *, again: str, as_json: bool) -> Exit:
    """Print the end of a run; its exit code.

    Args:
        again: the command that goes on with just this, after a stop.
    """
    if as_json:
        say_json(report_document(report))
    else:
        say(status_line(report.status))
    if report.suppressed:
        note(f"{report.suppressed:,} dead addresses will not be written to again")
    for domain in report.suspect_domains:
        warn(
            f"{shown(domain)} called so many of its addresses dead that none of them was "
            "suppressed: its mail system may be broken"
        )
    tell_next(mailer, report.status)
    if report.stopped:
        complain(f"stopped: {shown(report.stopped)}. To go on: {again}")
        return Exit.STOPPED
    return Exit.LOOK if report.needs_a_look else Exit.DONE


def tell_settled(mailer: Mailer, slug: str, settled: Settled, *, as_json: bool) -> Exit:
    """Print what a settlement decided; its exit code."""
    with reading(mailer.engine) as connection:
        status = issue_status(connection, slug)
    if as_json:
        say_json({**status.document(), "settled": settled.sent})
    else:
        say(f"{settled.sent:,} taken as sent. {status_line(status)}")
    tell_next(mailer, status)
    return Exit.LOOK if settled.left else Exit.DONE


def tell_next(mailer: Mailer, status: IssueStatus) -> None:
    """What is open, who is concerned, and the command to type."""
    slug, counts = status.slug, status.deliveries
    with reading(mailer.engine) as connection:
        people = addresses_in(connection, slug, DeliveryState.UNCERTAIN, limit=_NAMED)
        due = next_due(connection, slug)
    if people:
        uncertain = counts[DeliveryState.UNCERTAIN]
        note(
            f"{uncertain:,} uncertain: handed to the server, answer not heard. They may have it "
            "or not:"
        )
        for email in people:
            note(f"  {shown(email)}")
        if uncertain > len(people):
            note(f"  … all of them: newsletter log --issue {slug} --state uncertain")
        note(
            f"Decide with: newsletter settle {slug} --log MAIL.LOG (look them up), --resend "
            "(try again, same Message-ID) or --accept (take as sent)"
        )
    if due is not None:
        note(
            f"{counts[DeliveryState.DEFERRED]:,} deferred by their server, the first due again at "
            f"{due.astimezone():%Y-%m-%d %H:%M}. To try them again: newsletter retry {slug}"
        )
    if counts[DeliveryState.FAILED]:
        note(
            f"{counts[DeliveryState.FAILED]:,} failed. Why: newsletter log --issue {slug} "
            f"--state failed. Those that are worth it again: newsletter retry {slug} --failed"
        )

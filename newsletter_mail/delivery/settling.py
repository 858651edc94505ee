"""Decides what became of uncertain deliveries, and ends sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select

from newsletter_mail.delivery.editions import FrozenIssue, load_issue
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.report import not_sent_yet
from newsletter_mail.delivery.sending import settle_abandoned
from newsletter_mail.delivery.server_log import LogReading, read_server_log
from newsletter_mail.delivery.states import cancel_open, settle_as_sent
from newsletter_mail.errors import InputError
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.schema import deliveries, is_in_doubt
from newsletter_mail.words import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a settlement decided.

    Attributes:
        sent: taken as sent.
        left: still uncertain.
    """

    sent: int
    left: int


def accept_uncertain(mailer: Mailer, slug: str) -> Settled:
    """Take every uncertain delivery of an issue as sent; only for who holds the lock.

    Raises:
        NotFound: the issue was never sent.
    """
    issue = _issue(mailer.engine, slug)
    # What never left is not uncertain, and must not be taken as sent.
    settle_abandoned(mailer)
    with writing(mailer.engine) as connection:
        sent = settle_as_sent(connection, issue.id, refs=None, now=mailer.clock())
    return Settled(sent=sent, left=0)


def settle_by_log(mailer: Mailer, slug: str, log: Path) -> Settled:
    """Take as sent what the log of the mail server says that it has; only for who holds the lock.

    What is not in the log stays uncertain: the log may be of another day or another server.

    Raises:
        NotFound: the issue was never sent.
        InputError: the file cannot be read, or is no log of a mail server that we know.
    """
    issue = _issue(mailer.engine, slug)
    found = _read(log)
    settle_abandoned(mailer)
    with writing(mailer.engine) as connection:
        refs = connection.execute(
            select(deliveries.c.message_ref).where(
                is_in_doubt,
                deliveries.c.issue_id == issue.id,
                deliveries.c.state == DeliveryState.UNCERTAIN,
            )
        ).scalars()
        accepted = {message_id.partition("@")[0] for message_id in found.accepted}
        waiting = [ref for ref in refs if ref is not None]
        known: Sequence[str] = [ref for ref in waiting if ref in accepted]
        sent = settle_as_sent(connection, issue.id, refs=known, now=mailer.clock())
    return Settled(sent=sent, left=len(waiting) - sent)


def cancel_issue(engine: Engine, slug: str, *, now: datetime) -> int:
    """End a send; what is on the wire comes to its end.

    Returns:
        How many deliveries are skipped by this.

    Raises:
        NotFound: the issue was never sent.
    """
    issue = _issue(engine, slug)
    with writing(engine) as connection:
        return cancel_open(connection, issue.id, now=now)


def _issue(engine: Engine, slug: str) -> FrozenIssue:
    with reading(engine) as connection:
        issue = load_issue(connection, slug)
    if issue is None:
        raise not_sent_yet(slug)
    return issue


def _read(log: Path) -> LogReading:
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            found = read_server_log(lines)
    except OSError as error:
        raise InputError(f"{log}: cannot be read: {error.strerror}") from error
    if not found.is_mail_log:
        raise InputError(f"{log}: not a log of Postfix or Exim: no message is named in it")
    return found

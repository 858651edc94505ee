"""Everything that must hold before the first message of a send leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from newsletter_mail.delivery.editions import FrozenIssue, freeze_issue, issue_digest
from newsletter_mail.delivery.messages import MessageMaker
from newsletter_mail.delivery.plan import (
    Audience,
    count_plan,
    move_to_lists_of_now,
    plan_deliveries,
    recipients_of_plan,
)
from newsletter_mail.delivery.recipients import recipient_of
from newsletter_mail.errors import Conflict, MessageError, NotFound, SendRefused
from newsletter_mail.store.schema import lists, tests
from newsletter_mail.words import Build, Verdict

#: So many people are named when their messages cannot be made; all are counted.
NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfillable:
    """Those whose message cannot be made.

    Attributes:
        checked: messages that it was found out of.
        count: how many could not be.
        named: the first of them: address and reason.
    """

    checked: int
    count: int
    named: tuple[tuple[str, str], ...]

    def sentence(self) -> str:
        """For an error message; one line each."""
        lines = [f"{email}: {reason}" for email, reason in self.named]
        if self.count > len(self.named):
            lines.append(f"… and {self.count - len(self.named)} more")
        return "\n".join([f"{self.count} messages cannot be made:", *lines])


def check_builds(frozen: FrozenIssue | None, builds: Sequence[Build], *, as_frozen: bool) -> None:
    """What is sent is what was checked.

    Args:
        builds: of the files as they are now; may be empty with ``as_frozen``.
        as_frozen: the caller knows that the files have changed since.

    Raises:
        SendRefused: the files have changed since the first send, or the issue was cancelled.
    """
    if frozen is None:
        return
    if frozen.cancelled_at is not None:
        raise SendRefused(
            f"issue {frozen.slug} was cancelled on {frozen.cancelled_at:%Y-%m-%d}; "
            f"make a new one: newsletter new SLUG --from {frozen.slug}"
        )
    if not as_frozen and issue_digest(builds) != frozen.digest:
        raise SendRefused(
            f"issue {frozen.slug} has changed since it was first sent on "
            f"{frozen.frozen_at:%Y-%m-%d}: what others have got cannot be changed any more. "
            "Send it as it was with --as-frozen, or make a new issue"
        )


def find_lists(connection: Connection, slugs: Sequence[str]) -> tuple[int, ...]:
    """The row numbers of lists.

    Raises:
        NotFound: there is no such list; names those that there are.
    """
    known = {row.slug: row.id for row in connection.execute(select(lists.c.slug, lists.c.id))}
    for slug in slugs:
        if slug not in known:
            raise NotFound(f"there is no list {slug}; there are {', '.join(sorted(known))}")
    return tuple(known[slug] for slug in dict.fromkeys(slugs))


def find_unfillable(
    connection: Connection,
    audience: Audience,
    maker: MessageMaker,
    issue: FrozenIssue,
    *,
    now: datetime,
    limit: int | None,
) -> Unfillable:
    """Find out of every message that it can be made, before the first one leaves."""
    checked, count = 0, 0
    named: list[tuple[str, str]] = []
    for row in recipients_of_plan(connection, audience, now=now, limit=limit):
        checked += 1
        recipient = recipient_of(row)
        try:
            maker.check(recipient, issue.build_for(recipient.language), row["list_id"])
        except MessageError as error:
            count += 1
            if len(named) < NAMED:
                named.append((recipient.email, str(error)))
    return Unfillable(checked=checked, count=count, named=tuple(named))


def plan_send(
    connection: Connection,
    audience: Audience,
    builds: Sequence[Build],
    frozen: FrozenIssue | None,
    *,
    expected: int,
    limit: int | None,
    now: datetime,
) -> FrozenIssue:
    """Freeze the issue where that is not done yet, and plan who is new, in one transaction.

    Args:
        expected: the number of messages that somebody has agreed to.

    Raises:
        SendRefused: it is another number by now; the transaction must be undone.
    """
    if frozen is None:
        frozen = freeze_issue(connection, builds, now=now)
        audience = Audience(list_ids=audience.list_ids, issue_id=frozen.id)
    move_to_lists_of_now(connection, audience)
    waiting = count_plan(connection, audience, now=now).waiting
    room = None if limit is None else max(0, limit - waiting)
    plan_deliveries(connection, audience, now=now, limit=room)
    # Whoever has left since an earlier run is skipped at the claim, and was not agreed to.
    number = count_plan(connection, audience, now=now).waiting
    if limit is not None:
        number = min(number, limit)
    if number != expected:
        raise SendRefused(
            f"there are {number:,} messages to send now, and not {expected:,}: "
            "nothing was sent. Look at the sum again"
        )
    return frozen


def was_tested(connection: Connection, builds: Sequence[Build]) -> bool:
    """Whether each of these very builds was accepted by a server as a test."""
    digests = {build.digest for build in builds}
    tested = connection.execute(
        select(func.count(tests.c.digest.distinct())).where(
            tests.c.digest.in_(digests), tests.c.verdict == Verdict.ACCEPTED.value
        )
    ).scalar_one()
    return bool(tested == len(digests))


def unfrozen_issue(builds: Sequence[Build], *, now: datetime) -> FrozenIssue:
    """The issue as it would be frozen now; row number 0.

    Raises:
        Conflict: there is nothing to freeze.
    """
    if not builds:
        raise Conflict("the issue has no build")
    return FrozenIssue(
        id=0,
        slug=builds[0].slug,
        digest=issue_digest(builds),
        builds={build.language: build for build in builds},
        default_language=builds[0].language,
        frozen_at=now,
        cancelled_at=None,
    )

"""A send from its beginning to its end: what ``send``, ``retry`` and ``settle --resend`` call."""

from collections.abc import Callable, Sequence

from newsletter_mail.audience.lists import MAIN_LIST
from newsletter_mail.delivery.breaker import Breaker
from newsletter_mail.delivery.dead_addresses import suppress_dead
from newsletter_mail.delivery.dialogue import Ask, SendReport, SendRequest, Summary, Watch
from newsletter_mail.delivery.editions import FrozenIssue, load_issue
from newsletter_mail.delivery.ledger import Mark, read_ledger
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.pace import Pace
from newsletter_mail.delivery.plan import Audience, count_plan, lists_of_issue
from newsletter_mail.delivery.preparation import (
    check_builds,
    find_lists,
    find_unfillable,
    plan_send,
    unfrozen_issue,
    was_tested,
)
from newsletter_mail.delivery.report import issue_status, not_sent_yet
from newsletter_mail.delivery.running import run_async
from newsletter_mail.delivery.send import Run, deliver
from newsletter_mail.delivery.states import (
    claimed_by,
    count_for_retry,
    make_tried_due,
    mark_abandoned,
    retry_failed,
    settle_claimed,
    settle_for_resend,
    skip_cancelled,
)
from newsletter_mail.delivery.stopping import Stop, stopping_on_signals
from newsletter_mail.delivery.tally import Tally
from newsletter_mail.errors import SendRefused, SendStopped
from newsletter_mail.store.engine import reading, writing


def preview_send(mailer: Mailer, request: SendRequest) -> Summary:
    """What a send would do; changes nothing.

    Raises:
        SendRefused: it must not start.
    """
    issue, audience, lists = _look(mailer, request)
    return _summary(mailer, request, issue, audience, lists, abandoned=0)


def send_issue(mailer: Mailer, request: SendRequest, *, ask: Ask, watch: Watch) -> SendReport:
    """Send an issue, or go on with it.

    Raises:
        SendRefused: it must not start, or nobody agreed; nothing was sent.
        SendStopped: somebody else is sending.
    """
    with mailer.lock(f"send {request.slug}"):
        abandoned = settle_abandoned(mailer)
        issue, audience, lists = _look(mailer, request)
        summary = _summary(mailer, request, issue, audience, lists, abandoned=abandoned)
        if summary.unfillable.count:
            raise SendRefused(f"{summary.unfillable.sentence()}\nNothing was sent")
        if mailer.delivery.require_test and not summary.is_tested and summary.number:
            raise SendRefused(
                f"this build of {request.slug} was never sent as a test, and [delivery] "
                f"require_test asks for it: newsletter test {request.slug} --to YOU"
            )
        ask(summary)
        # An issue that was planned may have open ends, though nobody is to be written to.
        if not summary.number and not issue.id:
            return _report(mailer, request.slug)
        with writing(mailer.engine) as connection:
            frozen = plan_send(
                connection,
                audience,
                request.builds,
                issue if issue.id else None,
                expected=summary.number,
                limit=request.limit,
                now=mailer.clock(),
            )
        return _deliver(mailer, frozen, watch, number=summary.number, limit=request.limit)


def retry_issue(
    mailer: Mailer,
    slug: str,
    *,
    with_failed: bool,
    ask: Callable[[int], None],
    watch: Watch,
) -> SendReport:
    """Try the deferred deliveries now, and with ``with_failed`` the failed that are worth it.

    Args:
        ask: told how many; raises SendRefused where nobody agrees.

    Raises:
        NotFound: the issue was never sent.
        SendRefused: nobody agreed, or the issue was cancelled; nothing has changed.
    """
    with mailer.lock(f"retry {slug}"):
        issue = _sent_issue(mailer, slug)
        check_builds(issue, (), as_frozen=True)
        settle_abandoned(mailer)
        with reading(mailer.engine) as connection:
            number = count_for_retry(connection, issue.id, with_failed=with_failed)
        # Not while the database is ours: people who leave meanwhile must not wait.
        ask(number)
        with writing(mailer.engine) as connection:
            now = mailer.clock()
            chosen = make_tried_due(connection, issue.id, now=now)
            if with_failed:
                chosen += retry_failed(connection, issue.id, now=now)
            if len(chosen) != number:
                raise SendRefused(f"there are {len(chosen):,} to try by now, and not {number:,}")
        if not chosen:
            return _report(mailer, slug)
        return _deliver(mailer, issue, watch, number=len(chosen), only=chosen)


def resend_uncertain(mailer: Mailer, slug: str, *, watch: Watch) -> SendReport:
    """Try uncertain deliveries again, each with the same Message-ID (RFC 5321 section 4.2.5).

    Raises:
        NotFound: the issue was never sent.
    """
    with mailer.lock(f"settle {slug}"):
        issue = _sent_issue(mailer, slug)
        check_builds(issue, (), as_frozen=True)
        settle_abandoned(mailer)
        with writing(mailer.engine) as connection:
            chosen = settle_for_resend(connection, issue.id, now=mailer.clock())
        if not chosen:
            return _report(mailer, slug)
        return _deliver(mailer, issue, watch, number=len(chosen), only=chosen)


def _sent_issue(mailer: Mailer, slug: str) -> FrozenIssue:
    with reading(mailer.engine) as connection:
        issue = load_issue(connection, slug)
    if issue is None:
        raise not_sent_yet(slug)
    return issue


def settle_abandoned(mailer: Mailer) -> int:
    """Name what a sender that died has left uncertain; only for who holds the lock."""
    ledger = mailer.ledger()
    note = None if ledger is None else read_ledger(ledger)
    now = mailer.clock()
    with writing(mailer.engine) as connection:
        if note is not None:
            claimed = set(claimed_by(connection, note.issue_id, note.owner))
            settle_claimed(
                connection,
                note.issue_id,
                accepted=claimed.intersection(note.with_marks(Mark.ACCEPTED)),
                not_accepted=claimed.intersection(note.with_marks(Mark.CLAIMED, Mark.NOT_ACCEPTED)),
                now=now,
            )
        # On SQLite nobody else can be at work: the lock is ours.
        return mark_abandoned(connection, now=now if ledger is None else None)


def _look(mailer: Mailer, request: SendRequest) -> tuple[FrozenIssue, Audience, Sequence[str]]:
    """The issue, whom it goes to, and the slugs of their lists."""
    with reading(mailer.engine) as connection:
        frozen = load_issue(connection, request.slug)
        check_builds(frozen, request.builds, as_frozen=request.as_frozen)
        slugs = request.lists
        if not slugs and frozen is not None:
            slugs = lists_of_issue(connection, frozen.id)
        slugs = slugs or (MAIN_LIST,)
        audience = Audience(
            list_ids=find_lists(connection, slugs),
            issue_id=None if frozen is None else frozen.id,
        )
    return frozen or unfrozen_issue(request.builds, now=mailer.clock()), audience, slugs


def _summary(
    mailer: Mailer,
    request: SendRequest,
    issue: FrozenIssue,
    audience: Audience,
    lists: Sequence[str],
    *,
    abandoned: int,
) -> Summary:
    maker, now = mailer.maker(issue, is_signing=False), mailer.clock()
    with reading(mailer.engine) as connection:
        plan = count_plan(connection, audience, now=now)
        number = plan.to_send if request.limit is None else min(plan.to_send, request.limit)
        return Summary(
            slug=request.slug,
            edition=issue.digest,
            lists=lists,
            is_as_planned=not request.lists and tuple(lists) != (MAIN_LIST,),
            plan=plan,
            number=number,
            sender=mailer.sender.from_,
            transport=mailer.transport.description,
            is_tested=was_tested(connection, list(issue.builds.values())),
            abandoned=abandoned,
            unfillable=find_unfillable(connection, audience, maker, issue, now=now, limit=number),
        )


def _deliver(
    mailer: Mailer,
    issue: FrozenIssue,
    watch: Watch,
    *,
    number: int,
    only: Sequence[int] | None = None,
    limit: int | None = None,
) -> SendReport:
    tally, reason = Tally(), ""

    def keep(so_far: Tally) -> None:
        nonlocal tally
        tally = so_far
        watch.show(so_far)

    if mailer.delivery.uncertain == "resend":
        with writing(mailer.engine) as connection:
            again = settle_for_resend(connection, issue.id, now=mailer.clock())
        only = None if only is None else [*only, *again]
        limit = None if limit is None else limit + len(again)
        number += len(again)
    run = Run(
        engine=mailer.engine,
        issue=issue,
        maker=mailer.maker(issue),
        transport=mailer.transport,
        pace=Pace(mailer.pacing.rate, burst=mailer.transport.connections),
        breaker=Breaker(mailer.delivery.stop_after_refusals),
        max_attempts=mailer.delivery.max_attempts,
        ref_of=lambda subscriber: mailer.tokens.message_ref(issue.digest, subscriber),
        clock=mailer.clock,
        on_progress=keep,
        only=only,
        limit=limit,
        per_domain=mailer.pacing.per_domain,
        ledger=mailer.ledger(),
    )
    watch.begin(number)
    try:
        was_interrupted = run_async(_deliver_until_told(run, watch.stopping))
    except SendStopped as error:
        reason = str(error)
    else:
        reason = "interrupted" if was_interrupted else ""
    finally:
        watch.end()
    return _report(mailer, issue.slug, issue=issue, tally=tally, stopped=reason)


async def _deliver_until_told(run: Run, on_stop: Callable[[], None]) -> bool:
    """Deliver; whether SIGINT or SIGTERM ended it."""
    stop = Stop()
    with stopping_on_signals(stop, on_stop):
        await deliver(run, stop)
    return stop.gently.is_set()


def _report(
    mailer: Mailer,
    slug: str,
    *,
    issue: FrozenIssue | None = None,
    tally: Tally | None = None,
    stopped: str = "",
) -> SendReport:
    suppressed, suspect = 0, list[str]()
    if issue is not None:
        with writing(mailer.engine) as connection:
            now = mailer.clock()
            skip_cancelled(connection, issue.id, now=now)
            suppressed, suspect = suppress_dead(connection, issue.id, slug, now=now)
    with reading(mailer.engine) as connection:
        return SendReport(
            status=issue_status(connection, slug),
            tally=tally or Tally(),
            stopped=stopped,
            suppressed=suppressed,
            suspect_domains=suspect,
        )

"""A send from its beginning to its end: what ``send``, ``retry`` and ``settle --resend`` call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from newsletter_mail.delivery.breaker import Breaker
from newsletter_mail.delivery.dead_addresses import suppress_dead
from newsletter_mail.delivery.editions import FrozenIssue, load_issue
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.pace import Pace
from newsletter_mail.delivery.plan import Audience, Plan, count_plan
from newsletter_mail.delivery.preparation import (
    Unfillable,
    check_builds,
    find_lists,
    find_unfillable,
    plan_send,
    unfrozen_issue,
    was_tested,
)
from newsletter_mail.delivery.report import IssueStatus, issue_status, not_sent_yet
from newsletter_mail.delivery.running import run_async, stopping_on_signals
from newsletter_mail.delivery.send import Run, Stop, Tally, deliver
from newsletter_mail.delivery.states import (
    count_for_retry,
    make_tried_due,
    mark_abandoned,
    retry_failed,
    settle_for_resend,
    skip_cancelled,
)
from newsletter_mail.errors import SendRefused, SendStopped
from newsletter_mail.store.engine import reading, sqlite_path, writing
from newsletter_mail.words import Build, DeliveryState, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What somebody wants sent.

    Attributes:
        builds: of the files as they are now, the issue's own language first; empty where they
            cannot be compiled and ``as_frozen`` is given.
        lists: slugs.
        limit: so many messages at most in this run.
    """

    slug: str
    builds: Sequence[Build]
    lists: Sequence[str]
    limit: int | None = None
    as_frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is shown before anything is sent.

    Attributes:
        number: messages that this run would send.
        abandoned: deliveries that an earlier run left without an answer.
        is_tested: this very build was sent as a test.
    """

    slug: str
    edition: str
    lists: Sequence[str]
    plan: Plan
    number: int
    sender: str
    transport: str
    is_tested: bool
    abandoned: int
    unfillable: Unfillable


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """What became of a run.

    Attributes:
        stopped: why it did not come to its end; "" where it did.
        suppressed: addresses that will not be written to again.
        suspect_domains: domains where so many addresses were called dead that none was suppressed.
    """

    status: IssueStatus
    tally: Tally = field(default_factory=Tally)
    stopped: str = ""
    suppressed: int = 0
    suspect_domains: Sequence[str] = ()

    @property
    def needs_a_look(self) -> bool:
        """Something is not as one would wish."""
        open_states = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
        failed = self.tally.count(
            Verdict.ADDRESS_DEAD,
            Verdict.ADDRESS_UNSUPPORTED,
            Verdict.MAILBOX_UNAVAILABLE,
            Verdict.MESSAGE_REFUSED,
        )
        return failed > 0 or any(self.status.deliveries[state] for state in open_states)


#: Shows the summary and raises SendRefused where nobody agrees.
Ask = Callable[[Summary], None]
#: Told after every group of results.
OnProgress = Callable[[Tally], None]


def preview_send(mailer: Mailer, request: SendRequest) -> Summary:
    """What a send would do; changes nothing.

    Raises:
        SendRefused: it must not start.
    """
    issue, audience = _look(mailer, request)
    return _summary(mailer, request, issue, audience, abandoned=0)


def send_issue(
    mailer: Mailer, request: SendRequest, *, ask: Ask, on_progress: OnProgress
) -> SendReport:
    """Send an issue, or go on with it.

    Raises:
        SendRefused: it must not start, or nobody agreed; nothing was sent.
        SendStopped: somebody else is sending.
    """
    with mailer.lock(f"send {request.slug}"):
        abandoned = _settle_abandoned(mailer)
        issue, audience = _look(mailer, request)
        summary = _summary(mailer, request, issue, audience, abandoned=abandoned)
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
        return _deliver(mailer, frozen, on_progress, limit=request.limit)


def retry_issue(
    mailer: Mailer,
    slug: str,
    *,
    with_failed: bool,
    ask: Callable[[int], None],
    on_progress: OnProgress,
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
        _settle_abandoned(mailer)
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
        return _deliver(mailer, issue, on_progress, only=chosen)


def resend_uncertain(mailer: Mailer, slug: str, *, on_progress: OnProgress) -> SendReport:
    """Try uncertain deliveries again, each with the same Message-ID (RFC 5321 section 4.2.5).

    Raises:
        NotFound: the issue was never sent.
    """
    with mailer.lock(f"settle {slug}"):
        issue = _sent_issue(mailer, slug)
        check_builds(issue, (), as_frozen=True)
        _settle_abandoned(mailer)
        with writing(mailer.engine) as connection:
            chosen = settle_for_resend(connection, issue.id, now=mailer.clock())
        if not chosen:
            return _report(mailer, slug)
        return _deliver(mailer, issue, on_progress, only=chosen)


def _sent_issue(mailer: Mailer, slug: str) -> FrozenIssue:
    with reading(mailer.engine) as connection:
        issue = load_issue(connection, slug)
    if issue is None:
        raise not_sent_yet(slug)
    return issue


def _settle_abandoned(mailer: Mailer) -> int:
    """Name what a sender that died has left; only for who holds the lock."""
    has_lock = sqlite_path(mailer.engine) is not None
    with writing(mailer.engine) as connection:
        return mark_abandoned(connection, now=None if has_lock else mailer.clock())


def _look(mailer: Mailer, request: SendRequest) -> tuple[FrozenIssue, Audience]:
    with reading(mailer.engine) as connection:
        frozen = load_issue(connection, request.slug)
        check_builds(frozen, request.builds, as_frozen=request.as_frozen)
        audience = Audience(
            list_ids=find_lists(connection, request.lists),
            issue_id=None if frozen is None else frozen.id,
        )
    return frozen or unfrozen_issue(request.builds, now=mailer.clock()), audience


def _summary(
    mailer: Mailer,
    request: SendRequest,
    issue: FrozenIssue,
    audience: Audience,
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
            lists=request.lists,
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
    on_progress: OnProgress,
    *,
    only: Sequence[int] | None = None,
    limit: int | None = None,
) -> SendReport:
    tally, reason = Tally(), ""

    def keep(so_far: Tally) -> None:
        nonlocal tally
        tally = so_far
        on_progress(so_far)

    if mailer.delivery.uncertain == "resend":
        with writing(mailer.engine) as connection:
            again = settle_for_resend(connection, issue.id, now=mailer.clock())
        only = None if only is None else [*only, *again]
        limit = None if limit is None else limit + len(again)
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
    )
    try:
        was_interrupted = run_async(_deliver_until_told(run))
    except SendStopped as error:
        reason = str(error)
    else:
        reason = "interrupted" if was_interrupted else ""
    return _report(mailer, issue.slug, issue=issue, tally=tally, stopped=reason)


async def _deliver_until_told(run: Run) -> bool:
    """Deliver; whether SIGINT or SIGTERM ended it."""
    stop = Stop()
    with stopping_on_signals(stop):
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

"""What a send is told and what it tells: request, sum, report, and who looks on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from newsletter_mail.delivery.plan import Plan
from newsletter_mail.delivery.preparation import Unfillable
from newsletter_mail.delivery.report import IssueStatus
from newsletter_mail.delivery.tally import Tally
from newsletter_mail.words import Build, DeliveryState, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What somebody wants sent.

    Attributes:
        builds: of the files as they are now, the issue's own language first; empty where they
            cannot be compiled and ``as_frozen`` is given.
        lists: slugs; empty for those that the issue was planned by, or ``main``.
        limit: so many messages at most in this run.
    """

    slug: str
    builds: Sequence[Build]
    lists: Sequence[str] = ()
    limit: int | None = None
    as_frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is shown before anything is sent.

    Attributes:
        lists: slugs of those that it goes to.
        is_as_planned: they are not ``main``, and nobody has named them: an earlier run was for
            them.
        number: messages that this run would send.
        abandoned: deliveries that an earlier run left without an answer.
        is_tested: this very build was sent as a test.
    """

    slug: str
    edition: str
    lists: Sequence[str]
    is_as_planned: bool
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


class Watch(Protocol):
    """Who is told how a run goes, on the thread of the run; every call has to be quick."""

    def begin(self, total: int) -> None:
        """So many messages are going to be sent."""

    def show(self, tally: Tally) -> None:
        """After every group of results; the tally counts on afterwards."""

    def stopping(self) -> None:
        """Each time that somebody asks the run to stop."""

    def end(self) -> None:
        """After every ``begin``: nothing more will be sent."""

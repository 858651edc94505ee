"""What every transport promises, and what it asks of the caller. No I/O."""

from collections.abc import Callable
from typing import Protocol

from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict

#: Told of each message exactly once, on the event loop's thread; should be quick.
Report = Callable[[Outgoing, Outcome], None]


class Feed(Protocol):
    """Where a transport takes its messages from; only what it takes is in its hands.

    One ``next`` at a time is waited for; ``next_now`` may be called meanwhile. When the way breaks
    a ``next`` that still waits is cancelled, and must not take a message with it.
    """

    @property
    def is_closed(self) -> bool:
        """It was closed early: no message is begun any more, and none is tried again.

        False at the end of a feed that has given all it had.
        """
        ...

    async def next(self) -> Outgoing | None:
        """The next message, waited for; None when there will be no more."""
        ...

    def next_now(self) -> Outgoing | None:
        """A message that is ready at once, else None (which does not mean the end)."""
        ...


class Transport(Protocol):
    """A way to mailboxes."""

    @property
    def connections(self) -> int:
        """At most twice as many messages are in its hands at once."""
        ...

    @property
    def description(self) -> str:
        """Where it leads, for people; without a password."""
        ...

    async def run(self, feed: Feed, report: Report) -> None:
        """Deliver what the feed gives, until it gives None.

        Each message that was taken is reported exactly once, also when this raises or is
        cancelled: then as ``NOT_HANDED_OVER`` (safe to try again) or ``NO_ANSWER``.

        Raises:
            TransportError: the way as a whole is broken. Which kind says why: ConnectFailed,
                TransportTimeout, TlsFailed, AuthFailed, SenderRefused.
        """
        ...


def not_handed_over(reason: str, stage: Stage = Stage.CONNECT) -> Outcome:
    """The outcome of a message that no server has; ``reason`` is one sentence."""
    return Outcome(Verdict.NOT_HANDED_OVER, Reply(0, reason), stage)

"""The deliveries in our hands: claimed on disk, and not yet recorded.

They are being made, ready, on the wire, or answered; ``size`` bounds all of these together.
"""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Iterable

from newsletter_mail.delivery.claims import ClaimedDelivery
from newsletter_mail.delivery.ledger import Ledger
from newsletter_mail.delivery.pace import Pace
from newsletter_mail.delivery.results import Result
from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict

#: Results wait so long for others to be recorded with, seconds.
GROUP_S = 0.05


class Window:
    """A bounded set of deliveries, and the feed that a transport takes its messages from.

    Args:
        size: how many at most.
        pace: how fast they may leave.
        per_domain: so many at most on the wire to one domain; 0 for no limit.
        ledger: told what leaves, and what was answered.
    """

    def __init__(
        self, size: int, pace: Pace, *, per_domain: int = 0, ledger: Ledger | None = None
    ) -> None:
        self.size = size
        #: Set when something has changed that the loop waits for.
        self.moved = asyncio.Event()
        self._pace = pace
        self._per_domain = per_domain
        self._ledger = ledger
        self._on_wire: Counter[str] = Counter()
        self._ready: deque[Outgoing] = deque()
        self._claimed: dict[int, ClaimedDelivery] = {}
        self._taken: set[int] = set()
        self._results: list[Result] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._are_results_old = False
        self._waiter: asyncio.Future[None] | None = None
        self._closed = asyncio.Event()

    @property
    def room(self) -> int:
        """How many more may be claimed."""
        return self.size - len(self._claimed) - len(self._results)

    @property
    def is_empty(self) -> bool:
        """Nothing is ready, on the wire or waiting to be recorded."""
        return not self._claimed and not self._results

    @property
    def is_hungry(self) -> bool:
        """The transport has nothing to take, and nothing is being made for it."""
        return len(self._claimed) == len(self._taken)

    @property
    def result_count(self) -> int:
        """Results that wait to be recorded."""
        return len(self._results)

    @property
    def is_closed(self) -> bool:
        """No message leaves any more."""
        return self._closed.is_set()

    @property
    def are_results_due(self) -> bool:
        """Enough of them wait to be recorded, or the oldest has waited, or no more will come."""
        if not self._results:
            return False
        is_enough = len(self._results) * 2 >= self.size
        return is_enough or self._are_results_old or not self._claimed

    def claim(self, deliveries: Iterable[ClaimedDelivery]) -> None:
        """Take deliveries in; their messages follow."""
        self._claimed.update((delivery.subscriber_id, delivery) for delivery in deliveries)

    def add(self, message: Outgoing) -> None:
        """Have the message of a claimed delivery leave; its key is the subscriber's row number."""
        self._ready.append(message)
        self._wake()

    def refuse(self, delivery: ClaimedDelivery, outcome: Outcome) -> None:
        """There is no message for a claimed delivery."""
        del self._claimed[delivery.subscriber_id]
        self.add_result(Result(delivery=delivery, outcome=outcome))

    def add_result(self, result: Result) -> None:
        """Keep what became of a delivery until it is recorded."""
        if not self._results:
            self._alarm = asyncio.get_running_loop().call_later(GROUP_S, self._ring)
        self._results.append(result)
        if self.are_results_due:
            self.moved.set()

    def report(self, message: Outgoing, outcome: Outcome) -> None:
        """What became of a message that the transport has taken."""
        delivery = self._claimed.pop(message.key)
        self._taken.discard(message.key)
        if self._ledger is not None and outcome.verdict is not Verdict.NO_ANSWER:
            is_accepted = outcome.verdict is Verdict.ACCEPTED
            self._ledger.hear(message.key, is_accepted=is_accepted)
        self.add_result(Result(delivery=delivery, outcome=outcome))
        if self._per_domain:
            self._on_wire[_domain(message)] -= 1
            self._wake()

    def take_results(self) -> list[Result]:
        """The results so far, which are now the caller's to record."""
        results, self._results = self._results, []
        self._are_results_old = False
        if self._alarm is not None:
            self._alarm.cancel()
        return results

    def put_back(self, results: list[Result]) -> None:
        """Results that could not be recorded."""
        self._results = results + self._results
        self._ring()

    def close(self) -> None:
        """Let no message leave any more; those on the wire come to their end."""
        self._closed.set()
        self._wake()

    def give_up_rest(self) -> None:
        """Once the transport has ended: give back what never left."""
        self._ready.clear()
        for key, delivery in self._claimed.items():
            verdict = Verdict.NO_ANSWER if key in self._taken else Verdict.NOT_HANDED_OVER
            outcome = Outcome(verdict, Reply(0, "the send was stopped"), Stage.CONNECT)
            self.add_result(Result(delivery=delivery, outcome=outcome))
        self._claimed.clear()

    async def next(self) -> Outgoing | None:
        """The next message for the transport; None when there will be no more.

        One call waits at a time; it may be cancelled, and takes no message with it then.
        """
        while not self.is_closed:
            place = self._place_of_next()
            if place is None:
                self._waiter = asyncio.get_running_loop().create_future()
                self.moved.set()
                await self._waiter
                continue
            wait_s = self._pace.delay(time.monotonic())
            if wait_s:
                await self._sleep(wait_s)
                continue
            return self._take(place)
        return None

    def next_now(self) -> Outgoing | None:
        """A message that may leave at once, else None."""
        place = self._place_of_next()
        if place is None or self.is_closed or self._pace.delay(time.monotonic()):
            return None
        return self._take(place)

    def _place_of_next(self) -> int | None:
        """The first that is ready and whose domain has room."""
        if not self._per_domain:
            return 0 if self._ready else None
        for place, message in enumerate(self._ready):
            if self._on_wire[_domain(message)] < self._per_domain:
                return place
        return None

    def _take(self, place: int) -> Outgoing:
        message = self._ready[place]
        if self._ledger is not None:
            self._ledger.take(message.key)
        self._taken.add(message.key)
        self._pace.take(time.monotonic())
        del self._ready[place]
        if not self._ready:
            self.moved.set()
        if self._per_domain:
            self._on_wire[_domain(message)] += 1
        return message

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)

    def _ring(self) -> None:
        self._are_results_old = bool(self._results)
        self.moved.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None
        self.moved.set()


def _domain(message: Outgoing) -> str:
    return message.envelope.recipient.rpartition("@")[2]

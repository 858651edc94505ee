"""How far a send is, how fast it goes and how long it takes. Pure: the clock is an argument."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter_mail.delivery.states import STATE_AFTER
from newsletter_mail.delivery.tally import Tally
from newsletter_mail.words import DeliveryState, Verdict

#: The rate is that of so many seconds.
WINDOW_S = 10.0
#: A rate over less time than this says nothing.
_LEAST_S = 1.0
#: Nothing for so long is a pause, unless messages come that slowly anyway.
_PAUSE_S = 3.0
#: In so many of the usual gaps between two messages one should have come.
_GAPS = 3

_VERDICTS: Mapping[DeliveryState, tuple[Verdict, ...]] = {
    state: tuple(verdict for verdict in Verdict if STATE_AFTER[verdict] is state)
    for state in (
        DeliveryState.SENT,
        DeliveryState.DEFERRED,
        DeliveryState.FAILED,
        DeliveryState.UNCERTAIN,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A run at one moment.

    Attributes:
        done: messages that a server was asked about; ``total`` at most.
        total: messages of the run.
        deferred: how often a server said "later"; one message may have heard it twice.
        rate: messages a second, lately; None while it is not known.
        left_s: seconds to the end at this rate; None where that would be a guess.
        seconds: since the beginning.
    """

    done: int
    total: int
    sent: int
    deferred: int
    failed: int
    uncertain: int
    rate: float | None
    left_s: float | None
    seconds: float

    @property
    def mean_rate(self) -> float | None:
        """Messages a second since the beginning; None for a run too short to have one."""
        return self.done / self.seconds if self.seconds >= _LEAST_S else None


class Gauge:
    """Reads the tally of a run, again and again: several times a second, to be exact.

    Args:
        total: messages of the run.
        now: a monotonic clock, seconds; the beginning.
    """

    def __init__(self, total: int, now: float) -> None:
        self._total = total
        self._start = self._moved_at = now
        self._resumed_at = now - _PAUSE_S
        # Moments, and how much was done by then; the first is as old as the window.
        self._points = deque([(now, 0)])

    def read(self, tally: Tally, now: float) -> Reading:
        """How things stand; never earlier than the time before."""
        # A sender counts on while we read: only what can be asked for by its name is safe.
        counts = {state: tally.count(*verdicts) for state, verdicts in _VERDICTS.items()}
        tries = sum(counts.values())
        rate = self._rate(tries, now)
        # Whoever was deferred and is due again within the run is counted once more.
        done = min(tries, self._total)
        return Reading(
            done=done,
            total=self._total,
            sent=counts[DeliveryState.SENT],
            deferred=counts[DeliveryState.DEFERRED],
            failed=counts[DeliveryState.FAILED],
            uncertain=counts[DeliveryState.UNCERTAIN],
            rate=rate,
            left_s=self._left_s(self._total - done, rate, now),
            seconds=now - self._start,
        )

    def _rate(self, tries: int, now: float) -> float | None:
        points = self._points
        if tries != points[-1][1]:
            if now - self._moved_at > self._longest_gap_s(points[-1][1], now):
                self._resumed_at = now
            self._moved_at = now
        points.append((now, tries))
        while len(points) > 2 and points[1][0] <= now - WINDOW_S:
            points.popleft()
        then, before = points[0]
        return (tries - before) / (now - then) if now - then >= _LEAST_S else None

    def _longest_gap_s(self, tries: int, now: float) -> float:
        """So long nothing may happen before it is a pause."""
        then, before = self._points[0]
        recent = tries - before
        return max(_PAUSE_S, _GAPS * (now - then) / recent) if recent else _PAUSE_S

    def _left_s(self, left: int, rate: float | None, now: float) -> float | None:
        """Unknown in a pause and right after it, when the window is full of nothing.

        A throttling server lets us wait for up to a minute, and then again.
        """
        if not left:
            return 0.0
        is_paused = now - self._moved_at > self._longest_gap_s(self._points[-1][1], now)
        if not rate or is_paused or now - self._resumed_at < _PAUSE_S:
            return None
        return left / rate


def spoken(seconds: float) -> str:
    """A time for people: ``9 s``, ``4 min 10 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"

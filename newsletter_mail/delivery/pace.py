"""How fast messages go: a rate, and a slower step when the server finds us too fast. Pure.

The rate is a GCRA, the token bucket in one number: the time at which the next message is due
(ITU-T I.371, "virtual scheduling").
"""

import sys

#: After "too fast" nothing goes for so long, seconds; twice as long each time it is said again.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Pace:
    """Says when the next message may go.

    Args:
        rate: messages a second; 0 for no limit.
        burst: messages that may go at once after a rest.
    """

    def __init__(self, rate: float, *, burst: int = 1) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._allowance = self._interval * (burst - 1)
        self._due = 0.0
        self._pause_until = 0.0
        self._pause = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next message may go; 0 for at once.

        Args:
            now: a monotonic clock, seconds.
        """
        return max(0.0, self._due - self._allowance - now, self._pause_until - now)

    def most_in(self, seconds: float) -> int:
        """So many messages at most go in a time; without a rate, more than anybody sends."""
        return int(seconds / self._interval) if self._interval else sys.maxsize

    def take(self, now: float) -> None:
        """A message goes."""
        self._due = max(self._due, now) + self._interval

    def slow_down(self, now: float) -> float:
        """The server said that we are too fast; how long nothing goes, seconds."""
        if now < self._pause_until:
            # Other connections hear the same about messages that were on the way already.
            return self._pause_until - now
        self._pause = min(max(self._pause * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self._pause_until = now + self._pause
        return self._pause

    def speed_up(self) -> None:
        """The server took a message: the next "too fast" starts from a shorter pause."""
        self._pause *= 0.9

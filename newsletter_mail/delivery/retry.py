"""When a deferred delivery is tried again. Pure."""

from datetime import datetime, timedelta

from newsletter_mail.words import Verdict

#: The first wait and the longest one, seconds. Greylisting lets us in after 5 minutes at most
#: servers; RFC 5321 section 4.5.4.1 asks for longer waits of a relay, which we are not.
BASE_S = 60.0
CAP_S = 4 * 3600.0
#: A server that finds us too fast is given more time from the first.
THROTTLED_BASE_S = 300.0


def delay_before(attempt: int, *, base_s: float = BASE_S, cap_s: float = CAP_S) -> float:
    """Wait before the next try of a deferred delivery, without jitter.

    Args:
        attempt: tries already made, >= 1.

    Returns:
        Seconds, three times as long with each attempt, up to ``cap_s``: six tries spread over
        about three hours.

    Raises:
        ValueError: ``attempt`` is below 1.

    >>> [delay_before(attempt) for attempt in (1, 2, 3, 9)]
    [60.0, 180.0, 540.0, 14400.0]
    """
    if attempt < 1:
        raise ValueError("attempt counts from 1")
    # 3 ** 40 is beyond every cap and far from overflow.
    return min(base_s * 3.0 ** min(attempt - 1, 40), cap_s)


def due_again(verdict: Verdict, *, attempt: int, now: datetime, jitter: float) -> datetime:
    """When the delivery is due again.

    Args:
        verdict: ``TRY_LATER`` or ``THROTTLED``.
        attempt: tries already made, >= 1.
        jitter: from 0 to 1; spreads the tries of many over a fifth of the wait.
    """
    base_s = THROTTLED_BASE_S if verdict is Verdict.THROTTLED else BASE_S
    return now + timedelta(seconds=delay_before(attempt, base_s=base_s) * (0.9 + 0.2 * jitter))

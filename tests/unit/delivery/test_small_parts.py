"""Pace, breaker and waits: functions of their arguments."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.delivery.breaker import WATCHED, Breaker
from newsletter_mail.delivery.pace import FIRST_PAUSE_S, LONGEST_PAUSE_S, Pace
from newsletter_mail.delivery.retry import CAP_S, THROTTLED_BASE_S, delay_before, due_again
from newsletter_mail.words import Reply, Verdict
from tests.unit.delivery.town import NOW, outcome

SAID = Reply(554, "5.7.1 looks like spam", "5.7.1")


def test_no_rate_is_no_wait() -> None:
    pace = Pace(0)
    for _ in range(1000):
        assert pace.delay(5.0) == 0
        pace.take(5.0)


@given(
    st.floats(0.5, 500),
    st.integers(1, 20),
    st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=60),
)
def test_a_rate_holds_over_any_time(rate: float, burst: int, rests: list[float]) -> None:
    """Whoever waits as told never sends more than rate × time + burst, from any moment on."""
    pace, now = Pace(rate, burst=burst), 1000.0
    taken: list[float] = []
    for rest in rests:
        now += rest
        now += pace.delay(now)
        assert pace.delay(now) < 1e-6
        pace.take(now)
        taken.append(now)
    for start in range(len(taken)):
        for end in range(start, len(taken)):
            most = rate * (taken[end] - taken[start]) + burst
            assert end - start + 1 <= most + 1e-3


def test_a_burst_goes_at_once() -> None:
    pace = Pace(10, burst=3)
    delays = []
    for _ in range(5):
        delays.append(round(pace.delay(100.0), 3))
        pace.take(100.0)
    assert delays == [0, 0, 0, 0.1, 0.2]


def test_too_fast_is_a_longer_pause_each_time() -> None:
    pace, now, pauses = Pace(0), 50.0, []
    for _ in range(9):
        pauses.append(pace.slow_down(now))
        # Other connections hear it as well, and it is the same pause.
        assert pace.slow_down(now + 0.5) == pauses[-1] - 0.5
        now += pace.delay(now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE_S, LONGEST_PAUSE_S)
    for _ in range(100):
        pace.speed_up()
    assert pace.slow_down(now) == FIRST_PAUSE_S


def test_we_are_refused_once_is_enough() -> None:
    breaker = Breaker(5)
    breaker.watch(outcome(Verdict.ACCEPTED))
    assert breaker.reason == ""
    breaker.watch(outcome(Verdict.WE_ARE_REFUSED, Reply(550, "5.7.26 no SPF", "5.7.26")))
    assert breaker.reason == "the mail server refuses us as a sender: 550 5.7.26 no SPF"
    breaker.watch(outcome(Verdict.WE_ARE_REFUSED, SAID))
    assert "SPF" in breaker.reason


def test_refusals_among_the_first_messages() -> None:
    breaker = Breaker(5)
    for _ in range(90):
        breaker.watch(outcome(Verdict.ACCEPTED))
    for _ in range(5):
        breaker.watch(outcome(Verdict.MESSAGE_REFUSED, SAID))
    assert breaker.reason == ""
    breaker.watch(outcome(Verdict.MESSAGE_REFUSED, SAID))
    assert breaker.reason == (
        "6 of the first 96 messages were refused by a policy, the last with: "
        "554 5.7.1 looks like spam"
    )


def test_later_refusals_are_no_pattern() -> None:
    breaker = Breaker(1)
    for _ in range(WATCHED):
        breaker.watch(outcome(Verdict.ACCEPTED))
    for _ in range(50):
        breaker.watch(outcome(Verdict.MESSAGE_REFUSED, SAID))
    assert breaker.reason == ""


@pytest.mark.parametrize(
    "verdict", [v for v in Verdict if v not in {Verdict.WE_ARE_REFUSED, Verdict.MESSAGE_REFUSED}]
)
def test_what_is_no_refusal_of_ours(verdict: Verdict) -> None:
    breaker = Breaker(1)
    for _ in range(WATCHED):
        breaker.watch(outcome(verdict, SAID))
    assert breaker.reason == ""


def test_messages_that_never_left_are_not_counted() -> None:
    breaker = Breaker(1)
    for _ in range(10 * WATCHED):
        breaker.watch(outcome(Verdict.NOT_HANDED_OVER))
    breaker.watch(outcome(Verdict.MESSAGE_REFUSED, SAID))
    breaker.watch(outcome(Verdict.MESSAGE_REFUSED, SAID))
    assert re.match("2 of the first 2 messages", breaker.reason)


def test_waits_grow_to_a_cap() -> None:
    waits = [delay_before(attempt) for attempt in range(1, 60)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (60, CAP_S)
    assert delay_before(10**9) == CAP_S
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="counts from 1"):
            delay_before(wrong)


@given(st.integers(1, 50), st.floats(0, 1))
def test_jitter_spreads_a_fifth(attempt: int, jitter: float) -> None:
    wait = delay_before(attempt)
    due = (
        due_again(Verdict.TRY_LATER, attempt=attempt, now=NOW, jitter=jitter) - NOW
    ).total_seconds()
    assert 0.9 * wait - 1e-3 <= due <= 1.1 * wait + 1e-3
    throttled = due_again(Verdict.THROTTLED, attempt=attempt, now=NOW, jitter=jitter)
    assert throttled - NOW >= timedelta(seconds=min(0.9 * THROTTLED_BASE_S, due) - 1e-3)

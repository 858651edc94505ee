"""Rate and time left of a run, second by second."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.cli.gauge import WINDOW_S, Gauge, Reading, spoken
from newsletter_mail.delivery.tally import Tally
from newsletter_mail.words import Verdict

LOOKS_A_SECOND = 4
NOT_TRIED = {Verdict.NOT_HANDED_OVER, Verdict.WE_ARE_REFUSED}


def run(rates: Iterable[float], *, total: int = 100_000) -> list[Reading]:
    """The readings at the end of each second, at so many messages in each."""
    gauge, tally, moment, count = Gauge(total, 1000.0), Tally(), 1000.0, 0.0
    readings = []
    for rate in rates:
        for _ in range(LOOKS_A_SECOND):
            moment += 1 / LOOKS_A_SECOND
            count += rate / LOOKS_A_SECOND
            while tally.done < int(count):
                tally.add(Verdict.ACCEPTED)
            reading = gauge.read(tally, moment)
        readings.append(reading)
    return readings


def test_a_steady_run() -> None:
    readings = run([400] * 30)
    assert [reading.rate for reading in readings] == [400] * 30
    assert [reading.left_s for reading in readings[3:]] == [
        (100_000 - 400 * n) / 400 for n in range(4, 31)
    ]
    assert readings[-1].sent == readings[-1].done == 12_000
    assert (readings[-1].seconds, readings[-1].mean_rate) == (30, 400)


def test_nothing_is_known_at_first() -> None:
    gauge = Gauge(10, 0)
    reading = gauge.read(Tally({Verdict.ACCEPTED: 3}), 0.5)
    assert (reading.rate, reading.left_s, reading.mean_rate) == (None, None, None)
    assert reading.done == 3


def test_the_rate_is_that_of_the_last_seconds() -> None:
    assert run([100] * 30 + [10] * int(WINDOW_S))[-1].rate == 10


def test_a_pause_is_no_eternity() -> None:
    """A throttling server lets us wait for a minute: the time left is unknown, not days."""
    readings = run([400] * 20 + [0] * 60 + [400] * 20)
    in_pause, after = readings[20:80], readings[80:]
    assert all(reading.left_s is None for reading in in_pause[4:])
    assert in_pause[-1].rate == 0
    assert [reading.left_s is None for reading in after[:2]] == [True, True]
    known = [reading.left_s for reading in (*readings[:24], *after) if reading.left_s is not None]
    assert len(known) > 35
    assert max(known) < 4 * 100_000 / 400
    assert after[-1].rate == 400


def test_a_slow_run_is_no_pause() -> None:
    readings = run([0.25] * 60, total=30)
    assert all(reading.left_s is not None for reading in readings[20:])
    assert readings[-1].left_s == pytest.approx((30 - 15) / 0.25, rel=0.35)


def test_a_finished_run_has_nothing_left() -> None:
    assert [reading.left_s for reading in run([5, 5, 0, 0, 0, 0, 0], total=10)[1:]] == [0] * 6


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(Verdict), st.integers(0, 50)),
            st.floats(0, 100),
        ),
        max_size=30,
    ),
    st.integers(0, 200),
)
def test_whatever_happens_the_numbers_make_sense(
    steps: list[tuple[dict[Verdict, int], float]], total: int
) -> None:
    gauge, tally, moment = Gauge(total, 0), Tally(), 0.0
    for more, seconds in steps:
        for verdict, count in more.items():
            tally.by_verdict[verdict] = tally.by_verdict.get(verdict, 0) + count
        moment += seconds
        reading = gauge.read(tally, moment)
        assert reading.done == min(tally.done, total)
        tries = sum(
            count for verdict, count in tally.by_verdict.items() if verdict not in NOT_TRIED
        )
        parts = reading.sent + reading.deferred + reading.failed + reading.uncertain
        assert parts == tries
        assert reading.rate is None or reading.rate >= 0
        assert reading.left_s is None or reading.left_s >= 0
        assert reading.left_s is not None or reading.done < total


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (9.4, "9 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (250, "4 min 10 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (4_000_000, "1,111 h 6 min"),
    ],
)
def test_times_for_people(seconds: float, words: str) -> None:
    assert spoken(seconds) == words

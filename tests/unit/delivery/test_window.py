"""The window: bounded, and whatever is in it comes out again exactly once."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter_mail.delivery.claims import ClaimedDelivery
from newsletter_mail.delivery.pace import Pace
from newsletter_mail.delivery.window import Window
from newsletter_mail.words import Envelope, Outgoing, Recipient, Verdict
from tests.unit.delivery.town import outcome, outgoing


def claimed(key: int) -> ClaimedDelivery:
    return ClaimedDelivery(
        subscriber_id=key,
        list_id=1,
        recipient=Recipient(public_id=f"public{key}", email=f"p{key}@example.net"),
        attempt=1,
        ref=f"ref{key}",
        first_tried_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def filled(number: int, *, size: int = 8, pace: Pace | None = None) -> Window:
    window = Window(size, pace or Pace(0))
    for key in range(number):
        window.claim([claimed(key)])
        window.add(outgoing(key))
    return window


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 5))


def test_room_counts_all_that_is_in_our_hands() -> None:
    async def work() -> None:
        window = filled(5)
        assert (window.room, window.is_hungry, window.is_empty) == (3, False, False)
        first = await window.next()
        assert first is not None
        assert first.key == 0
        assert window.room == 3
        window.report(first, outcome(Verdict.ACCEPTED))
        assert (window.room, window.result_count) == (3, 1)
        (result,) = window.take_results()
        assert result.delivery.subscriber_id == 0
        assert (window.room, window.result_count) == (4, 0)
        window.put_back([result])
        assert (window.room, window.result_count) == (3, 1)

    run(work())


def test_results_that_are_put_back_come_first() -> None:
    async def work() -> None:
        window = filled(2)
        for _ in range(2):
            message = window.next_now()
            assert message is not None
            window.report(message, outcome(Verdict.ACCEPTED))
            if message.key == 0:
                early = window.take_results()
        window.put_back(early)
        assert [one.delivery.subscriber_id for one in window.take_results()] == [0, 1]

    run(work())


def test_next_waits_for_a_message() -> None:
    async def work() -> None:
        window = filled(0)
        assert window.next_now() is None
        waiting = asyncio.create_task(window.next())
        await asyncio.sleep(0)
        assert window.moved.is_set()
        window.claim([claimed(7)])
        window.add(outgoing(7))
        message = await waiting
        assert message is not None
        assert message.key == 7

    run(work())


def test_next_that_is_cancelled_takes_nothing_with_it() -> None:
    async def work() -> None:
        window = filled(0)
        waiting = asyncio.create_task(window.next())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        window.claim([claimed(1)])
        window.add(outgoing(1))
        message = window.next_now()
        assert message is not None
        assert message.key == 1

    run(work())


def test_a_closed_window_gives_nothing() -> None:
    async def work() -> None:
        window = filled(3)
        window.close()
        assert window.is_closed
        assert window.next_now() is None
        assert await window.next() is None

    run(work())


def test_closing_does_not_wait_for_the_pace() -> None:
    async def work() -> None:
        window = filled(3, pace=Pace(0.001))
        assert window.next_now() is not None
        assert window.next_now() is None
        # Due in a quarter of an hour.
        waiting = asyncio.create_task(window.next())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        window.close()
        assert await waiting is None
        window.give_up_rest()
        verdicts = [result.outcome.verdict for result in window.take_results()]
        assert verdicts.count(Verdict.NOT_HANDED_OVER) == 2

    run(work())


def test_closing_wakes_who_waits() -> None:
    async def work() -> None:
        window = filled(0)
        waiting = asyncio.create_task(window.next())
        await asyncio.sleep(0)
        window.close()
        assert await waiting is None

    run(work())


def test_what_never_left_is_given_back_and_what_did_is_uncertain() -> None:
    async def work() -> None:
        window = filled(3)
        first = await window.next()
        second = await window.next()
        assert first is not None
        assert second is not None
        window.report(first, outcome(Verdict.ACCEPTED))
        window.close()
        window.give_up_rest()
        verdicts = {
            result.delivery.subscriber_id: result.outcome.verdict
            for result in window.take_results()
        }
        assert verdicts == {
            0: Verdict.ACCEPTED,
            1: Verdict.NO_ANSWER,
            2: Verdict.NOT_HANDED_OVER,
        }
        assert window.is_empty
        assert window.room == 8

    run(work())


def test_results_are_due_by_number_or_by_age() -> None:
    async def work() -> None:
        window = filled(8)
        for answered in range(1, 5):
            message = window.next_now()
            assert message is not None
            window.moved.clear()
            window.report(message, outcome(Verdict.ACCEPTED))
            assert window.are_results_due == window.moved.is_set() == (answered == 4)
        window.take_results()
        assert not window.are_results_due
        message = window.next_now()
        assert message is not None
        window.moved.clear()
        window.report(message, outcome(Verdict.ACCEPTED))
        assert not window.are_results_due
        await window.moved.wait()
        assert window.are_results_due
        window.take_results()
        assert not window.are_results_due

    run(work())


def test_one_domain_has_so_many_on_the_wire_and_the_others_overtake() -> None:
    async def work() -> None:
        window = Window(8, Pace(0), per_domain=1)
        for key, domain in enumerate(("a.example", "a.example", "b.example")):
            envelope = Envelope(sender="news@example.org", recipient=f"p{key}@{domain}")
            message = Outgoing(key=key, ref=f"ref{key}", envelope=envelope, content=(b"\r\n",))
            window.claim([claimed(key)])
            window.add(message)
        first, second = window.next_now(), window.next_now()
        assert first is not None
        assert second is not None
        assert (first.key, second.key) == (0, 2)
        assert window.next_now() is None
        waiting = asyncio.create_task(window.next())
        await asyncio.sleep(0)
        window.report(first, outcome(Verdict.ACCEPTED))
        third = await waiting
        assert third is not None
        assert third.key == 1

    run(work())

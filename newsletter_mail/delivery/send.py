"""The send loop: claims small windows, keeps the transport busy, records what became of each.

A row is ``sending`` on disk before its message leaves, and what became of it is on disk 50 ms or
half a window after the answer.
"""

import asyncio
import contextlib
import os
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine

from newsletter_mail.delivery.breaker import Breaker
from newsletter_mail.delivery.claims import (
    Claim,
    ClaimedDelivery,
    Result,
    claim_deliveries,
    record_results,
)
from newsletter_mail.delivery.editions import FrozenIssue
from newsletter_mail.delivery.messages import MessageMaker
from newsletter_mail.delivery.pace import Pace
from newsletter_mail.delivery.window import Window
from newsletter_mail.errors import MessageError, SendStopped, StoreError, TransportError
from newsletter_mail.store.engine import writing
from newsletter_mail.transport.base import Transport
from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict

#: Results wait so long for others to be recorded with, seconds.
GROUP_S = 0.05
#: So long it is tried to record the last results when the database does not take them, seconds.
PATIENCE_S = 30.0
#: More than the longest time that a transport waits for an answer.
LEASE = timedelta(minutes=20)


class Stop:
    """How a person ends a send: once is gently, twice is at once."""

    def __init__(self) -> None:
        self.gently = asyncio.Event()
        self.at_once = asyncio.Event()

    def request(self) -> None:
        """Ask once more."""
        (self.at_once if self.gently.is_set() else self.gently).set()


@dataclass(slots=True)
class Tally:
    """Outcomes of a run so far."""

    by_verdict: dict[Verdict, int] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.by_verdict[verdict] = self.by_verdict.get(verdict, 0) + 1

    def count(self, *verdicts: Verdict) -> int:
        """How many had one of these."""
        return sum(self.by_verdict.get(verdict, 0) for verdict in verdicts)

    @property
    def done(self) -> int:
        """Messages that a server has been asked about."""
        untried = self.count(Verdict.NOT_HANDED_OVER, Verdict.WE_ARE_REFUSED)
        return sum(self.by_verdict.values()) - untried


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of the send needs.

    Attributes:
        clock: the time, aware UTC.
        on_progress: told after every group of results; quick.
        only: nothing but these subscribers; None: everything that is due.
        limit: so many deliveries at most; None: no limit.
        per_domain: messages on the wire to one domain at the same time; 0: no limit.
    """

    engine: Engine
    issue: FrozenIssue
    maker: MessageMaker
    transport: Transport
    pace: Pace
    breaker: Breaker
    max_attempts: int
    ref_of: Callable[[str], str]
    clock: Callable[[], datetime]
    on_progress: Callable[[Tally], None]
    only: Sequence[int] | None = None
    limit: int | None = None
    per_domain: int = 0


async def deliver(run: Run, stop: Stop) -> Tally:
    """Deliver all that is due of an issue, or as much until it is stopped.

    Returns:
        What became of the messages of this run; whether it was stopped, the caller knows.

    Raises:
        SendStopped: the transport or the database gave up, or we are refused; everything that is
            known has been recorded.
    """
    return await _Loop(run, stop).run()


class _Loop:
    def __init__(self, run: Run, stop: Stop) -> None:
        self._run = run
        self._stop = stop
        self._claim = Claim(owner=secrets.token_hex(8), lease=LEASE)
        self._window = Window(2 * run.transport.connections, run.pace, per_domain=run.per_domain)
        self._left = run.limit
        # Slices of it travel with the claims: a database takes so many values and no more.
        self._only = None if run.only is None else deque(sorted(run.only))
        self._is_exhausted = False
        self._fruitless = 0
        self._failure = ""
        self._tally = Tally()
        # A commit waits for the disk; the wire must not wait with it.
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._signers = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="sign")

    async def run(self) -> Tally:
        carrier = asyncio.create_task(self._run.transport.run(self._window, self._report))
        carrier.add_done_callback(lambda _task: self._window.moved.set())
        watchers = [
            asyncio.create_task(self._on_stop()),
            asyncio.create_task(self._on_stop_at_once(carrier)),
        ]
        try:
            while not await self._is_carrier_done(carrier):
                await self._turn()
        finally:
            for watcher in watchers:
                watcher.cancel()
            await self._end(carrier)
        if self._failure:
            raise SendStopped(self._failure)
        return self._tally

    async def _on_stop(self) -> None:
        await self._stop.gently.wait()
        self._window.close()

    async def _on_stop_at_once(self, carrier: asyncio.Task[None]) -> None:
        await self._stop.at_once.wait()
        carrier.cancel()

    def _report(self, message: Outgoing, outcome: Outcome) -> None:
        run, verdict = self._run, outcome.verdict
        self._window.report(message, outcome)
        self._tally.add(verdict)
        if verdict is Verdict.THROTTLED:
            run.pace.slow_down(time.monotonic())
        elif verdict is Verdict.ACCEPTED:
            run.pace.speed_up()
        self._fruitless = self._fruitless + 1 if verdict is Verdict.NOT_HANDED_OVER else 0
        if self._fruitless > 3 * self._window.size:
            self._fail(f"the mail server takes no message: {outcome.reply}")
        run.breaker.watch(outcome)
        if run.breaker.reason:
            self._fail(run.breaker.reason)

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason
        self._window.close()

    async def _is_carrier_done(self, carrier: asyncio.Task[None]) -> bool:
        """Wait until it pays to go to the disk, or the transport has ended."""
        window = self._window
        while not carrier.done():
            window.moved.clear()
            age = window.wait_of_results(time.monotonic())
            is_starved = window.is_hungry and window.room > 0 and not self._is_claiming_over
            if window.result_count * 2 >= window.size or age >= GROUP_S or is_starved:
                return False
            if window.is_empty and self._is_claiming_over and not window.is_closed:
                window.close()
            timeout = GROUP_S - age if window.result_count else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(window.moved.wait(), timeout)
        return True

    @property
    def _is_claiming_over(self) -> bool:
        is_none_left = self._left == 0 or (self._only is not None and not self._only)
        return self._is_exhausted or is_none_left or self._window.is_closed

    async def _turn(self) -> None:
        """Record the results so far and claim as many anew, in one transaction."""
        results = self._window.take_results()
        # What is recorded leaves the window in the same transaction.
        room = 0 if self._window.is_closed else self._window.room
        if self._left is not None:
            room = min(room, self._left)
        only = None
        if self._only is not None:
            only = [self._only.popleft() for _ in range(min(max(room, 0), len(self._only)))]
            room = len(only)
        loop = asyncio.get_running_loop()
        try:
            fresh = await loop.run_in_executor(
                self._disk, self._record_and_claim, results, room, only
            )
        except StoreError as error:
            self._window.put_back(results)
            self._fail(str(error))
            await asyncio.sleep(GROUP_S)
            return
        given_back = [
            result.delivery.subscriber_id
            for result in results
            if result.outcome.verdict is Verdict.NOT_HANDED_OVER
        ]
        if self._only is not None:
            self._only.extend(given_back)
        elif room > 0:
            self._is_exhausted = len(fresh) < room
        if given_back:
            self._is_exhausted = False
        if self._left is not None:
            self._left += len(given_back) - len(fresh)
        for delivery, message in zip(fresh, await self._make_all(fresh), strict=True):
            self._add(delivery, message)
        if results:
            self._run.on_progress(self._tally)

    def _record_and_claim(
        self, results: Sequence[Result], room: int, only: Sequence[int] | None
    ) -> list[ClaimedDelivery]:
        run, now = self._run, self._run.clock()
        with writing(run.engine) as connection:
            record_results(
                connection,
                run.issue.id,
                self._claim,
                results,
                now=now,
                max_attempts=run.max_attempts,
                jitter=random.random,
            )
            if room <= 0:
                return []
            return claim_deliveries(
                connection,
                run.issue.id,
                self._claim,
                limit=room,
                now=now,
                ref_of=run.ref_of,
                only=only,
            )

    async def _make_all(
        self, fresh: Sequence[ClaimedDelivery]
    ) -> Sequence[Outgoing | MessageError]:
        if self._run.maker.signer is None:
            # 50 µs each: handing them to a thread costs as much.
            return [self._make(delivery) for delivery in fresh]
        # An RSA signature takes 350 µs and lets other threads run meanwhile.
        loop = asyncio.get_running_loop()
        return await asyncio.gather(
            *(loop.run_in_executor(self._signers, self._make, delivery) for delivery in fresh)
        )

    def _make(self, delivery: ClaimedDelivery) -> Outgoing | MessageError:
        try:
            return self._run.maker.make(
                delivery.recipient,
                self._run.issue.build_for(delivery.recipient.language),
                delivery.list_id,
                ref=delivery.ref,
                date=delivery.first_tried_at,
                key=delivery.subscriber_id,
            )
        except MessageError as error:
            return error

    def _add(self, delivery: ClaimedDelivery, message: Outgoing | MessageError) -> None:
        if isinstance(message, Outgoing):
            self._window.add(delivery, message)
            return
        # Each message was filled once before the first one left: this person has changed since,
        # and the others do not wait for it.
        outcome = Outcome(Verdict.MESSAGE_REFUSED, Reply(0, str(message)), Stage.CONNECT)
        self._window.add_result(Result(delivery=delivery, outcome=outcome))
        self._tally.add(outcome.verdict)

    async def _end(self, carrier: asyncio.Task[None]) -> None:
        """Record the last results, whatever the loop and the transport ended with."""
        self._window.close()
        try:
            await carrier
        except TransportError as error:
            self._failure = self._failure or str(error)
        except asyncio.CancelledError:
            pass
        self._window.give_up_rest()
        deadline = time.monotonic() + PATIENCE_S
        while self._window.result_count:
            results = self._window.take_results()
            try:
                self._record_and_claim(results, 0, None)
            except StoreError as error:
                self._window.put_back(results)
                if time.monotonic() > deadline:
                    self._failure = (
                        f"{error}. What became of {len(results)} messages could not be written "
                        "down; the next send will name them as uncertain"
                    )
                    break
                await asyncio.sleep(1)
        self._run.on_progress(self._tally)
        self._disk.shutdown()
        self._signers.shutdown()

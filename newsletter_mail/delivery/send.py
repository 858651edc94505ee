"""The send loop: claims small windows, keeps the transport busy, records what became of each.

A row is ``sending`` on disk before its message leaves, and what became of it is on disk 50 ms or
half a window after the answer. What a ``kill -9`` can leave uncertain are the messages that the
transport holds, at most two a connection: the window itself where there is no ledger to tell them
from the others, and a part of it where there is.
"""

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from newsletter_mail.delivery.assembly import Assembly
from newsletter_mail.delivery.breaker import Breaker
from newsletter_mail.delivery.claims import (
    Claim,
    ClaimedDelivery,
    claim_deliveries,
)
from newsletter_mail.delivery.editions import FrozenIssue
from newsletter_mail.delivery.ledger import Ledger
from newsletter_mail.delivery.messages import MessageMaker
from newsletter_mail.delivery.pace import Pace
from newsletter_mail.delivery.results import Result, record_results
from newsletter_mail.delivery.stopping import Stop
from newsletter_mail.delivery.tally import Tally
from newsletter_mail.delivery.window import GROUP_S, Window
from newsletter_mail.errors import SendStopped, StoreError, TransportError
from newsletter_mail.store.engine import writing
from newsletter_mail.transport.base import Transport
from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict

#: Messages that a transport may hold for each of its connections: one on the wire, one behind it.
HELD = 2
#: Deliveries claimed for each connection where a ledger tells which of them have left.
CLAIMED = 10
#: With a rate, no more than leave in so long: whoever unsubscribes meanwhile is not asked again.
CLAIMED_S = 5.0
#: So long it is tried to record the last results when the database does not take them, seconds.
PATIENCE_S = 30.0
#: More than the longest time that a transport waits for an answer.
LEASE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of the send needs.

    Attributes:
        clock: the time, aware UTC.
        on_progress: told after every group of results; quick.
        only: nothing but these subscribers; None: everything that is due.
        limit: so many deliveries at most; None: no limit.
        per_domain: messages on the wire to one domain at the same time; 0: no limit.
        ledger: where the ledger of the run may be; None: it has none.
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
    ledger: Path | None = None


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
        self._ledger = self._start_ledger()
        self._window = Window(
            self._window_size(), run.pace, per_domain=run.per_domain, ledger=self._ledger
        )
        self._left = run.limit
        # Slices of it travel with the claims: a database takes so many values and no more.
        self._only = None if run.only is None else deque(sorted(run.only))
        self._is_exhausted = False
        self._fruitless = 0
        self._failure = ""
        self._tally = Tally()
        # A commit waits for the disk; the wire must not wait with it.
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._assembly = Assembly(run.issue, run.maker)
        self._making: list[asyncio.Task[None]] = []

    def _start_ledger(self) -> Ledger | None:
        run = self._run
        if run.ledger is None:
            return None
        return Ledger.start(run.ledger, owner=self._claim.owner, issue_id=run.issue.id)

    def _window_size(self) -> int:
        connections = self._run.transport.connections
        if self._ledger is None:
            return HELD * connections
        most = min(CLAIMED * connections, self._run.pace.most_in(CLAIMED_S))
        return max(HELD * connections, most)

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
        if self._fruitless > 3 * HELD * self._run.transport.connections:
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
            is_starved = window.is_hungry and window.room > 0 and not self._is_claiming_over
            if window.are_results_due or is_starved:
                return False
            if window.is_empty and self._is_claiming_over and not window.is_closed:
                window.close()
            await window.moved.wait()
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
        self._start_making(fresh)
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
            fresh: list[ClaimedDelivery] = []
            if room > 0:
                fresh = claim_deliveries(
                    connection,
                    run.issue.id,
                    self._claim,
                    limit=room,
                    now=now,
                    ref_of=run.ref_of,
                    only=only,
                )
                if self._ledger is not None:
                    self._ledger.claim(delivery.subscriber_id for delivery in fresh)
        if self._ledger is not None:
            self._ledger.forget(result.delivery.subscriber_id for result in results)
        return fresh

    def _start_making(self, fresh: Sequence[ClaimedDelivery]) -> None:
        """While these messages are made, the wire and the disk go on."""
        for task in [task for task in self._making if task.done()]:
            self._making.remove(task)
            task.result()
        self._window.claim(fresh)
        self._making.append(asyncio.create_task(self._make(fresh)))

    async def _make(self, fresh: Sequence[ClaimedDelivery]) -> None:
        claimed = iter(fresh)
        async for message in self._assembly.make(fresh):
            delivery = next(claimed)
            if isinstance(message, Outgoing):
                self._window.add(message)
                continue
            # Each message was filled once before the first one left: this person has changed
            # since, and the others do not wait for it.
            outcome = Outcome(Verdict.MESSAGE_REFUSED, Reply(0, str(message)), Stage.CONNECT)
            self._window.refuse(delivery, outcome)
            self._tally.add(outcome.verdict)

    async def _end(self, carrier: asyncio.Task[None]) -> None:
        """Record the last results, whatever the loop and the transport ended with."""
        self._window.close()
        try:
            await carrier
        except (TransportError, StoreError) as error:
            self._failure = self._failure or str(error)
        except asyncio.CancelledError:
            pass
        if self._making:
            await asyncio.wait(self._making)
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
                        "down; the next send says which of them are uncertain"
                    )
                    break
                await asyncio.sleep(1)
        if self._ledger is not None:
            self._ledger.close(is_needed=self._window.result_count > 0)
        self._run.on_progress(self._tally)
        self._disk.shutdown()
        self._assembly.close()

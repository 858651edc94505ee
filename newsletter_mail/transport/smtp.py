"""The SMTP transport: some connections ("lanes") that share one feed.

Connections are opened when messages wait for them, the second only after the first has proved
that server, certificate and login are good: a wrong password is tried once, not ten times.
"""

import asyncio
import random
import ssl
from collections import deque
from dataclasses import replace

from newsletter_mail.errors import ConnectFailed, TransportError, TransportTimeout
from newsletter_mail.transport.base import Feed, Report, not_handed_over
from newsletter_mail.transport.opening import AuthPostponed, Security
from newsletter_mail.transport.smtp_connection import SmtpConnection
from newsletter_mail.transport.smtp_settings import SmtpSettings
from newsletter_mail.words import Outcome, Outgoing, Verdict

_AUTH_TRIES = 3


class SmtpTransport:
    """Delivers to one SMTP server; see ``transport.base.Transport``."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings

    @property
    def connections(self) -> int:
        """At most twice as many messages are in its hands at once."""
        return self.settings.connections

    @property
    def description(self) -> str:
        """Such as ``smtp://mail.example.org:587 (STARTTLS, as USER)``."""
        settings = self.settings
        scheme = "smtps" if settings.security is Security.IMPLICIT else "smtp"
        login = f", as {settings.user}" if settings.user else ""
        return f"{scheme}://{settings.peer} ({settings.security.value}{login})"

    async def run(self, feed: Feed, report: Report) -> None:
        """Deliver what the feed gives, until it gives None; see ``Transport.run``."""
        settings = self.settings
        if settings.security is not Security.NONE and settings.tls is None:
            # Reading the system's authorities takes 15 ms: once, not for each connection.
            settings = replace(settings, tls=ssl.create_default_context())
        await _Run(settings, feed, report).deliver()


class _Run:
    """One call of ``run``: gives messages to lanes that are free, and ends in good order."""

    def __init__(self, settings: SmtpSettings, feed: Feed, report: Report) -> None:
        self.settings = settings
        #: A connection has been ready at least once.
        self.is_proved = False
        #: Something that ``_dispatch`` should look at.
        self.changed = asyncio.Event()
        #: Connections that are no lane's any more and wait for the answer to QUIT.
        self.leaving: set[SmtpConnection] = set()
        self._feed = feed
        self._report = report
        self._error: BaseException | None = None
        self._lanes: list[_Lane] = []
        self._capacity = settings.connections
        self._returned: deque[Outgoing] = deque()
        self._tried_again: set[str] = set()
        self._feed_is_done = False
        self._is_over = False
        self._pull: asyncio.Task[Outgoing | None] | None = None

    @property
    def is_stopping(self) -> bool:
        """No more message is begun."""
        return self._error is not None or self._is_over

    async def deliver(self) -> None:
        try:
            await self._dispatch()
            await self._say_goodbye()
        finally:
            self._abandon()
        if self._error is not None:
            raise self._error

    def fail(self, error: BaseException) -> None:
        """Begin no more message, await the answers that are due, then raise this."""
        self._error = self._error or error
        self.changed.set()

    def take_now(self) -> Outgoing | None:
        """A message that is ready at once, else None."""
        if self.is_stopping:
            return None
        if self._returned:
            return self._returned.popleft()
        try:
            return None if self._feed_is_done else self._feed.next_now()
        except Exception as error:  # noqa: BLE001 - the caller's own; ``deliver`` raises it again
            self.fail(error)
            return None

    def report(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self._tried_again.discard(outgoing.ref)
        try:
            self._report(outgoing, outcome)
        except Exception as error:  # noqa: BLE001 - the caller's own; ``deliver`` raises it again
            self.fail(error)

    def may_try_again(self, outgoing: Outgoing) -> bool:
        """Whether a message that ended a connection gets another one: once."""
        if self.is_stopping or outgoing.ref in self._tried_again:
            return False
        self._tried_again.add(outgoing.ref)
        return True

    def stand_down(self, lane: "_Lane", error: TransportError) -> None:
        """A lane has no connection and has lost its hope to get one.

        A server may take fewer connections than we would like. Only when no other lane gets
        through either is the way broken.
        """
        is_loss = isinstance(error, ConnectFailed | TransportTimeout)
        if is_loss and any(other.is_alive for other in self._lanes if other is not lane):
            self._lanes.remove(lane)
            self._capacity -= 1
            self._returned += lane.waiting
            lane.waiting.clear()
        else:
            self.fail(error)
        self.changed.set()

    async def _dispatch(self) -> None:
        while True:
            self.changed.clear()
            if self.is_stopping:
                self._drop_waiting()
            if not self._give_one() and self._is_done():
                return
            if not self.changed.is_set():
                await self.changed.wait()

    def _is_done(self) -> bool:
        if any(lane.is_busy for lane in self._lanes):
            return False
        return self.is_stopping or (self._feed_is_done and not self._returned)

    def _drop_waiting(self) -> None:
        outcome = not_handed_over(str(self._error or "the send was interrupted"))
        for lane in self._lanes:
            lane.stop_opening()
            self._returned += lane.waiting
            lane.waiting.clear()
        while self._returned:
            self.report(self._returned.popleft(), outcome)

    def _give_one(self) -> bool:
        """Give a message to a free lane; False if there is no message or no lane for one."""
        self._finish_pull()
        lane = None if self.is_stopping else self._free_lane()
        if lane is None:
            return False
        outgoing = self.take_now()
        if outgoing is not None:
            lane.give(outgoing)
            self.changed.set()
            return True
        if self._pull is None and not self._feed_is_done and not self.is_stopping:
            self._pull = asyncio.get_running_loop().create_task(self._next())
            self._pull.add_done_callback(self._on_pulled)
        return False

    async def _next(self) -> Outgoing | None:
        return await self._feed.next()

    def _on_pulled(self, pull: asyncio.Task[Outgoing | None]) -> None:
        self.changed.set()
        if self._is_over and not pull.cancelled():
            self._finish_pull()
            self._drop_waiting()

    def _finish_pull(self) -> None:
        if self._pull is None or not self._pull.done():
            return
        pull, self._pull = self._pull, None
        if pull.cancelled():
            self._feed_is_done = True
        elif (error := pull.exception()) is not None:
            self.fail(error)
        elif (outgoing := pull.result()) is not None:
            self._returned.append(outgoing)
        else:
            self._feed_is_done = True
        if self.is_stopping:
            self._drop_waiting()

    def _free_lane(self) -> "_Lane | None":
        free = [lane for lane in self._lanes if not lane.is_busy]
        for lane in free:
            if lane.connection is not None:
                return lane
        if not self.is_proved and len(free) < len(self._lanes):
            return None
        if free:
            return free[0]
        if len(self._lanes) < self._capacity:
            self._lanes.append(_Lane(self))
            return self._lanes[-1]
        return None

    async def _say_goodbye(self) -> None:
        for lane in self._lanes:
            lane.leave()
        if self.leaving:
            waits = [connection.closed for connection in self.leaving]
            await asyncio.wait(waits, timeout=self.settings.quit_wait)

    def _abandon(self) -> None:
        self._is_over = True
        for lane in self._lanes:
            lane.abandon()
        self._finish_pull()
        self._drop_waiting()
        for connection in tuple(self.leaving):
            connection.abort("QUIT was not answered")
        if self._pull is not None:
            self._pull.cancel()


class _Lane:
    """One of the connections, over all its reconnects."""

    def __init__(self, run: _Run) -> None:
        self.connection: SmtpConnection | None = None
        #: In our hands, and in no connection's.
        self.waiting: deque[Outgoing] = deque()
        self._run = run
        self._failures = 0
        self._auth_tries = 0
        self._opening: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """It has messages, or is about to take some."""
        if self.waiting or self._opening is not None:
            return True
        return self.connection is not None and bool(self.connection.in_hand)

    @property
    def is_alive(self) -> bool:
        """It has a connection, or no reason to think that it will not get one."""
        return self.connection is not None or (self._opening is not None and self._failures == 0)

    def give(self, outgoing: Outgoing) -> None:
        """Deliver this, and then whatever is ready at once; only while not busy."""
        self.waiting.append(outgoing)
        if self.connection is None:
            self._open_after(0.0)
        else:
            self.connection.start()

    def leave(self) -> None:
        """Close the connection in good order, without waiting for it."""
        if self.connection is not None:
            connection, self.connection = self.connection, None
            self._run.leaving.add(connection)
            connection.quit()

    def stop_opening(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def abandon(self) -> None:
        self.stop_opening()
        if self.connection is not None:
            self.connection.abort("the send was interrupted")

    def take(self, connection: SmtpConnection) -> Outgoing | None:
        if connection.submitted >= self._run.settings.messages_per_connection:
            return None
        return self.waiting.popleft() if self.waiting else self._run.take_now()

    def answered(self, outgoing: Outgoing, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.NO_ANSWER:
            self._failures = 0
        self._run.report(outgoing, outcome)

    def returned(self, outgoing: Outgoing, outcome: Outcome, *, was_next: bool) -> None:
        run = self._run
        may_go_on = run.may_try_again(outgoing) if was_next else not run.is_stopping
        if may_go_on:
            self.waiting.append(outgoing)
        else:
            run.report(outgoing, outcome)

    def idle(self, connection: SmtpConnection) -> None:
        if connection.submitted >= self._run.settings.messages_per_connection:
            self.leave()
            if not self.waiting and (outgoing := self._run.take_now()) is not None:
                self.waiting.append(outgoing)
            if self.waiting:
                self._open_after(0.0)
        self._run.changed.set()

    def ended(self, connection: SmtpConnection) -> None:
        self._run.leaving.discard(connection)
        if connection is not self.connection:
            return
        self.connection = None
        delay = 0.0
        if connection.submitted and not connection.has_answered:
            # The first time, the message in hand gets its new connection at once.
            delay = self._delay() if self._failures else 0.0
            self._failures += 1
            if self._is_hopeless(connection.error):
                self._run.stand_down(self, connection.error)
        if self.waiting and not self._run.is_stopping:
            self._open_after(delay)
        self._run.changed.set()

    def _delay(self) -> float:
        """The wait after one more failure, with jitter so that lanes do not come in step."""
        backoff = self._run.settings.backoff
        longest = backoff[min(self._failures, len(backoff) - 1)] if backoff else 0.0
        return longest * random.uniform(0.75, 1.0)  # noqa: S311 - no secret

    def _open_after(self, delay: float) -> None:
        self._opening = asyncio.get_running_loop().create_task(self._open(delay))
        self._opening.add_done_callback(self._on_opened)

    def _on_opened(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._run.fail(error)

    async def _open(self, delay: float) -> None:
        """Get a connection, however often it takes, and start it."""
        run = self._run
        while True:
            await asyncio.sleep(delay)
            try:
                connection = await SmtpConnection.open(run.settings, self)
                if not connection.is_over:
                    break
                raise ConnectFailed(f"{run.settings.peer} closed the connection")
            except TransportError as error:
                delay = self._delay()
                self._failures += 1
                if self._is_hopeless(error):
                    self._opening = None
                    run.stand_down(self, error)
                    return
        self._opening = None
        self._auth_tries = 0
        self.connection = connection
        run.is_proved = True
        run.changed.set()
        connection.start()

    def _is_hopeless(self, error: TransportError) -> bool:
        if isinstance(error, AuthPostponed):
            self._auth_tries += 1
            return self._auth_tries >= _AUTH_TRIES
        if isinstance(error, ConnectFailed | TransportTimeout):
            return self._failures > len(self._run.settings.backoff)
        return True

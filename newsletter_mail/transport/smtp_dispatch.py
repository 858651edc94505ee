"""One run of the SMTP transport: gives the messages of a feed to lanes, and ends in good order.

A lane that is busy helps itself. The dispatcher gives to those that are free, and opens new ones
while messages wait: the second only after the first has proved that server, certificate and login
are good, so that a wrong password is tried once and not ten times.
"""

import asyncio
from collections import deque

from newsletter_mail.errors import ConnectFailed, TransportError, TransportTimeout
from newsletter_mail.transport.base import Feed, Report, not_handed_over
from newsletter_mail.transport.smtp_connection import SmtpConnection
from newsletter_mail.transport.smtp_doubt import Doubt
from newsletter_mail.transport.smtp_lane import Lane
from newsletter_mail.transport.smtp_settings import SmtpSettings
from newsletter_mail.words import Outcome, Outgoing, Stage

#: So often it is looked whether the feed was closed while lanes look for a connection, seconds.
_LOOK_S = 0.1


class Dispatcher:
    """See the module; for one call of ``deliver``. Its lanes call it back."""

    def __init__(self, settings: SmtpSettings, feed: Feed, report: Report) -> None:
        self.settings = settings
        self._feed = feed
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._error: BaseException | None = None
        self._is_over = False
        self._is_reached = False
        self._capacity = settings.connections
        self._doubt = Doubt(settings.connections)
        #: With a message or looking for a connection; and with a connection and no message.
        self._busy: set[Lane] = set()
        self._free: list[Lane] = []
        #: Without a connection, and not to forget how often they failed to get a good one.
        self._failed: list[Lane] = []
        #: Connections that are no lane's any more and wait for the answer to QUIT.
        self._leaving: set[SmtpConnection] = set()
        #: Taken from the feed, and in no lane's hands.
        self._pool: deque[Outgoing] = deque()
        self._tried_again: set[str] = set()
        self._has_room = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_awake = False
        self._look_handle: asyncio.TimerHandle | None = None

    @property
    def is_stopping(self) -> bool:
        """No more message is begun."""
        return self._error is not None or self._is_over or self._feed.is_closed

    async def deliver(self) -> None:
        """Until the feed gives None, or the way is broken: then it raises why."""
        self._pull = self._loop.create_task(self._take_from_feed())
        self._pull.add_done_callback(self._on_pulled)
        self._wake()
        try:
            await self._ended.wait()
            await self._say_goodbye()
        finally:
            self._abandon()
            # What it may bring along has to be given back.
            await asyncio.wait([self._pull])
        if self._error is not None:
            raise self._error

    def fail(self, error: BaseException) -> None:
        """Begin no more message, await the answers that are due, then raise this."""
        self._error = self._error or error
        self._wake()

    def take_now(self) -> Outgoing | None:
        """A message that is ready at once, else None."""
        if self._error is not None or self._is_over:
            return None
        if self._pool:
            return self._pool.popleft()
        try:
            return self._feed.next_now()
        except Exception as error:  # noqa: BLE001 - the caller's own; ``deliver`` raises it again
            self.fail(error)
            return None

    def report(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Say what became of a message, once."""
        if self._tried_again:
            self._tried_again.discard(outgoing.ref)
        if self._doubt.lost and outcome.stage is Stage.BODY and outcome.reply.code:
            self._doubt.answer()
            self._wake()
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

    def opens(self) -> None:
        """A lane begins to look for a connection."""
        if self._look_handle is None:
            self._look_handle = self._loop.call_later(_LOOK_S, self._look)

    def reached(self) -> None:
        """A lane has a connection."""
        self._is_reached = True
        self._wake()

    def free(self, lane: Lane) -> None:
        """A lane has a connection and no message."""
        self._busy.discard(lane)
        self._free.append(lane)
        # While the feed is waited for, there is nothing that could be given out.
        if self._pull.done() or not self._has_room.is_set():
            self._wake()

    def leave(self, connection: SmtpConnection) -> None:
        """Say good-bye on a connection that is nobody's any more."""
        self._leaving.add(connection)
        connection.quit()

    def left(self, connection: SmtpConnection) -> None:
        """A connection is over."""
        self._leaving.discard(connection)

    def close(self, lane: Lane) -> None:
        """A lane has no connection and looks for none; its messages are for others."""
        self._remove(lane)
        if lane.has_failed:
            self._failed.append(lane)

    def stand_down(self, lane: Lane, error: TransportError) -> None:
        """A lane has no connection and has lost its hope to get one.

        A server may take fewer connections than we would like. Only when no other lane gets
        through either is the way broken.
        """
        self._remove(lane)
        is_loss = isinstance(error, ConnectFailed | TransportTimeout)
        if is_loss and (self._free or any(other.is_alive for other in self._busy)):
            self._capacity -= 1
        else:
            self.fail(error)

    def lost(self, lane: Lane, error: TransportError) -> None:
        """A connection broke after a whole message and before the answer."""
        self._remove(lane)
        self._doubt.lose(is_probe=lane.is_probe)
        if self._doubt.is_final:
            self.fail(error)

    async def _take_from_feed(self) -> None:
        """Wait for the feed while a lane waits for a message; ends with the feed."""
        while True:
            await self._has_room.wait()
            outgoing = await self._feed.next()
            if outgoing is None:
                return
            self._pool.append(outgoing)
            self._settle()

    def _on_pulled(self, pull: asyncio.Task[None]) -> None:
        if not pull.cancelled() and (error := pull.exception()) is not None:
            self.fail(error)
        self._wake()

    def _wake(self) -> None:
        """Settle soon: a lane that calls may be in the middle of something."""
        if not self._is_awake:
            self._is_awake = True
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        """Give out what can be given out, or give it back; see whether this is the end."""
        self._is_awake = False
        if self.is_stopping:
            self._pull.cancel()
            self._give_back()
        while self._may_give() and (outgoing := self.take_now()) is not None:
            self._give(outgoing)
        if self._may_give():
            self._has_room.set()
        else:
            self._has_room.clear()
        if self._pull.done() and not self._busy and not self._pool:
            self._ended.set()

    def _may_give(self) -> bool:
        if self.is_stopping:
            return False
        if self._busy and (self._doubt.is_open or not self._is_reached):
            return False
        return bool(self._free) or len(self._busy) < self._capacity

    def _give(self, outgoing: Outgoing) -> None:
        # The one that was busy last: those that a slow feed does not need may go to sleep.
        lanes = self._free or self._failed
        lane = lanes.pop() if lanes else Lane(self)
        lane.is_probe = self._doubt.is_open
        self._busy.add(lane)
        lane.give(outgoing)

    def _give_back(self) -> None:
        for lane in tuple(self._busy):
            if lane.is_opening:
                lane.stop_opening()
                self.close(lane)
        outcome = not_handed_over(str(self._error or "the send was interrupted"))
        while self._pool:
            self.report(self._pool.popleft(), outcome)

    def _remove(self, lane: Lane) -> None:
        self._busy.discard(lane)
        if lane in self._free:
            self._free.remove(lane)
        self._pool += lane.waiting
        lane.waiting.clear()
        self._wake()

    def _look(self) -> None:
        self._look_handle = None
        if self._feed.is_closed:
            self._wake()
        elif any(lane.is_opening for lane in self._busy):
            self.opens()

    async def _say_goodbye(self) -> None:
        for lane in self._free:
            lane.leave()
        if self._leaving:
            waits = [connection.closed for connection in self._leaving]
            await asyncio.wait(waits, timeout=self.settings.quit_wait)

    def _abandon(self) -> None:
        self._is_over = True
        for lane in (*self._busy, *self._free):
            lane.abandon()
        for connection in tuple(self._leaving):
            connection.abort("QUIT was not answered")
        if self._look_handle is not None:
            self._look_handle.cancel()
        self._settle()

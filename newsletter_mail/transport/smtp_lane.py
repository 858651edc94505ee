"""One of the connections of an SMTP transport, over all its reconnects."""

import asyncio
import random
from collections import deque
from typing import Protocol

from newsletter_mail.errors import ConnectFailed, TransportError, TransportTimeout
from newsletter_mail.transport.opening import AuthPostponed
from newsletter_mail.transport.smtp_connection import SmtpConnection
from newsletter_mail.transport.smtp_settings import SmtpSettings
from newsletter_mail.words import Outcome, Outgoing, Stage, Verdict

_AUTH_TRIES = 3
# See ``smtp_steps``.
_NO_ANSWER, _BODY = Verdict.NO_ANSWER, Stage.BODY


class Traffic(Protocol):
    """What a lane has to do with the others; called on the event loop's thread."""

    settings: SmtpSettings

    @property
    def is_stopping(self) -> bool:
        """No more message is begun."""
        ...

    def take_now(self) -> Outgoing | None:
        """A message that is ready at once, else None."""
        ...

    def report(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Say what became of a message, once."""
        ...

    def may_try_again(self, outgoing: Outgoing) -> bool:
        """Whether a message that ended a connection gets another one."""
        ...

    def opens(self) -> None:
        """The lane begins to look for a connection."""
        ...

    def reached(self) -> None:
        """The lane has a connection."""
        ...

    def free(self, lane: "Lane") -> None:
        """The lane has a connection and no message."""
        ...

    def leave(self, connection: SmtpConnection) -> None:
        """The connection is nobody's any more, and says good-bye."""
        ...

    def left(self, connection: SmtpConnection) -> None:
        """A connection is over that may have been left."""
        ...

    def close(self, lane: "Lane") -> None:
        """The lane has no connection and looks for none; its messages are for others."""
        ...

    def stand_down(self, lane: "Lane", error: TransportError) -> None:
        """The lane has no connection and has lost its hope to get one."""
        ...

    def lost(self, lane: "Lane", error: TransportError) -> None:
        """The connection broke after a whole message and before the answer."""
        ...

    def fail(self, error: BaseException) -> None:
        """Begin no more message, await the answers that are due, then raise this."""
        ...


class Lane:
    """Is given a message when it is free, and then takes whatever is ready."""

    def __init__(self, traffic: Traffic) -> None:
        self.connection: SmtpConnection | None = None
        #: Its message is there to see whether a fault has passed.
        self.is_probe = False
        #: In our hands, and in no connection's.
        self.waiting: deque[Outgoing] = deque()
        self._traffic = traffic
        self._failures = 0
        self._auth_tries = 0
        self._has_lost = False
        self._opening: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """It has a connection, or no reason to think that it will not get one."""
        return self.connection is not None or (self.is_opening and self._failures == 0)

    @property
    def has_failed(self) -> bool:
        """Its last connection or its last try to get one was of no use."""
        return self._failures > 0

    @property
    def is_opening(self) -> bool:
        """It has no connection, and looks for one."""
        return self._opening is not None

    def give(self, outgoing: Outgoing) -> None:
        """Deliver this, and then whatever is ready at once; only while free."""
        self.waiting.append(outgoing)
        if self.connection is None:
            self._open_after(self._delay() if self._failures else 0.0)
        else:
            self.connection.start()

    def leave(self) -> None:
        """Close the connection in good order, without waiting for it."""
        if self.connection is not None:
            connection, self.connection = self.connection, None
            self._traffic.leave(connection)

    def stop_opening(self) -> None:
        """Look for a connection no longer."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def abandon(self) -> None:
        """Close everything at once."""
        self.stop_opening()
        if self.connection is not None:
            self.connection.abort("the send was interrupted")

    def take(self, connection: SmtpConnection) -> Outgoing | None:
        """Called by the connection."""
        if connection.submitted >= self._traffic.settings.messages_per_connection:
            return None
        return self.waiting.popleft() if self.waiting else self._traffic.take_now()

    def answered(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Called by the connection."""
        if outcome.verdict is _NO_ANSWER:
            self._has_lost = True
        else:
            self._failures = 0
            if outcome.stage is _BODY:
                self.is_probe = False
        self._traffic.report(outgoing, outcome)

    def returned(self, outgoing: Outgoing, outcome: Outcome, *, was_next: bool) -> None:
        """Called by the connection."""
        traffic = self._traffic
        may_go_on = traffic.may_try_again(outgoing) if was_next else not traffic.is_stopping
        if may_go_on:
            self.waiting.append(outgoing)
        else:
            traffic.report(outgoing, outcome)

    def idle(self, connection: SmtpConnection) -> None:
        """Called by the connection."""
        if connection.submitted < self._traffic.settings.messages_per_connection:
            self._traffic.free(self)
            return
        self.leave()
        if not self.waiting and (outgoing := self._traffic.take_now()) is not None:
            self.waiting.append(outgoing)
        self._go_on_after(0.0)

    def ended(self, connection: SmtpConnection) -> None:
        """Called by the connection."""
        self._traffic.left(connection)
        if connection is not self.connection:
            return
        self.connection = None
        delay = 0.0
        if self._has_lost:
            self._traffic.lost(self, connection.error)
            return
        if connection.submitted and not connection.has_answered:
            # The first time, the message in hand gets its new connection at once.
            delay = self._delay() if self._failures else 0.0
            self._failures += 1
            if self._is_hopeless(connection.error):
                self._traffic.stand_down(self, connection.error)
                return
        self._go_on_after(delay)

    def _go_on_after(self, delay: float) -> None:
        if self.waiting and not self._traffic.is_stopping:
            self._open_after(delay)
        else:
            self._traffic.close(self)

    def _delay(self) -> float:
        """The wait after one more failure, with jitter so that lanes do not come in step."""
        backoff = self._traffic.settings.backoff
        longest = backoff[min(self._failures, len(backoff) - 1)] if backoff else 0.0
        return longest * random.uniform(0.75, 1.0)  # noqa: S311 - no secret

    def _open_after(self, delay: float) -> None:
        self._opening = asyncio.get_running_loop().create_task(self._open(delay))
        self._opening.add_done_callback(self._on_opened)
        self._traffic.opens()

    def _on_opened(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._traffic.fail(error)

    async def _open(self, delay: float) -> None:
        """Get a connection, however often it takes, and start it."""
        traffic = self._traffic
        while True:
            await asyncio.sleep(delay)
            try:
                connection = await SmtpConnection.open(traffic.settings, self)
                if not connection.is_over:
                    break
                raise ConnectFailed(f"{traffic.settings.peer} closed the connection")
            except TransportError as error:
                delay = self._delay()
                self._failures += 1
                if self._is_hopeless(error):
                    self._opening = None
                    traffic.stand_down(self, error)
                    return
        self._opening = None
        self._auth_tries = 0
        self.connection = connection
        traffic.reached()
        connection.start()

    def _is_hopeless(self, error: TransportError) -> bool:
        if isinstance(error, AuthPostponed):
            self._auth_tries += 1
            return self._auth_tries >= _AUTH_TRIES
        if isinstance(error, ConnectFailed | TransportTimeout):
            return self._failures > len(self._traffic.settings.backoff)
        return True

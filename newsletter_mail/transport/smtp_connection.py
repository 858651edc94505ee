"""One connection to an SMTP server on asyncio: drives an ``SmtpSession``.

In the steady state no coroutine wakes up: the server's answer arrives, the next message is
taken, and both leave in one write, all in one callback. That is most of the difference between
40 and 700 µs of CPU a message.
"""

import asyncio
from typing import Protocol, cast

from newsletter_mail.errors import ConnectFailed, TransportError, TransportTimeout
from newsletter_mail.transport import sockets
from newsletter_mail.transport.network import own_name, reason_of
from newsletter_mail.transport.opening import Login
from newsletter_mail.transport.smtp_events import Answered, Ended, Event, Ready, Returned, TlsWanted
from newsletter_mail.transport.smtp_protocol import SmtpSession
from newsletter_mail.transport.smtp_settings import SmtpSettings
from newsletter_mail.words import Outcome, Outgoing, Stage, Verdict

_PHASES = {
    Stage.CONNECT: "the greeting",
    Stage.TLS: "STARTTLS",
    Stage.AUTH: "the login",
    Stage.MAIL: "MAIL",
    Stage.RCPT: "RCPT",
    Stage.DATA: "DATA",
    Stage.BODY: "the message",
}

_READ_BYTES = 16 * 1024
# See ``smtp_steps``.
_NO_ANSWER = Verdict.NO_ANSWER


class Owner(Protocol):
    """Whom a connection works for; called on the event loop's thread."""

    def take(self, connection: "SmtpConnection") -> Outgoing | None:
        """A message for this connection that is ready at once, else None."""
        ...

    def answered(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """It is known what became of a message."""
        ...

    def returned(self, outgoing: Outgoing, outcome: Outcome, *, was_next: bool) -> None:
        """The connection ended without this message (see ``Returned``)."""
        ...

    def idle(self, connection: "SmtpConnection") -> None:
        """Nothing is in hand, and ``take`` gave nothing."""
        ...

    def ended(self, connection: "SmtpConnection") -> None:
        """The connection is over; all its messages have been answered or returned."""
        ...


class SmtpConnection(asyncio.BufferedProtocol):
    """See the module; made by ``open``."""

    def __init__(self, settings: SmtpSettings, owner: Owner) -> None:
        self.is_over = False
        #: The server has said what became of a message, at least once.
        self.has_answered = False
        #: Why it is over.
        self.error: TransportError = ConnectFailed(f"{settings.peer} closed the connection")
        #: Done when the transport below is closed.
        self.closed = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        # True: TLS is wanted; False: ready for messages.
        self._opening: asyncio.Future[bool] = self._loop.create_future()
        self._received = memoryview(bytearray(_READ_BYTES))
        self._is_connected = False
        self._is_started = False
        self._is_paused = False
        self._was_ever_paused = False
        self._is_leaving = False
        #: Since when an answer is waited for, if one is.
        self._waits_since = self._loop.time()
        self._unsent_at_last_tick = 0
        self._tick_handle: asyncio.TimerHandle | None = None
        # Fine enough for the shortest of the timeouts, and cheaper than a timer a message.
        self._tick_seconds = min(1.0, settings.timeouts.shortest / 4)

    @classmethod
    async def open(cls, settings: SmtpSettings, owner: Owner) -> "SmtpConnection":
        """A connection that is ready for ``start``.

        Raises:
            ConnectFailed, TransportTimeout, TlsFailed, AuthFailed, SenderRefused.
        """
        connection = cls(settings, owner)
        try:
            await sockets.connect(settings, connection)
            while await connection._opening:
                connection._opening = connection._loop.create_future()
                await connection._start_tls()
        except BaseException:
            connection.abort("the connection was given up")
            raise
        return connection

    @property
    def submitted(self) -> int:
        """Messages that it has begun."""
        return self._session.submitted

    def start(self) -> None:
        """Take messages from the owner as fast as they are answered, until it has none."""
        self._is_started = True
        self._waits_since = self._loop.time()
        self._go_on()

    def quit(self) -> None:
        """Say good-bye and close; only while idle. The owner hears nothing any more."""
        self._is_started = False
        self._is_leaving = True
        self._waits_since = self._loop.time()
        self._session.quit()
        self._flush()

    def abort(self, reason: str) -> None:
        """Close at once."""
        self._end(ConnectFailed(reason))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._use(transport)
        self._is_connected = True
        settings = self._settings
        sockname = transport.get_extra_info("sockname")
        self._session = SmtpSession(
            Login(
                peer=settings.peer,
                helo=settings.helo or own_name(sockname),
                security=settings.security,
                user=settings.user,
                password=settings.password,
            )
        )
        self._waits_since = self._loop.time()
        self._tick_handle = self._loop.call_later(self._tick_seconds, self._tick)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Called by asyncio. A plain Protocol makes it allocate 256 KB for each answer."""
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        """Called by asyncio."""
        session = self._session
        replies = session.replies
        events = session.receive(bytes(self._received[:nbytes]))
        # Bytes alone buy no time: a server could drip for ever.
        if session.replies != replies:
            self._waits_since = self._loop.time()
        self._apply(events)

    def pause_writing(self) -> None:
        """Called by asyncio: not every byte has left."""
        self._is_paused = True
        self._was_ever_paused = True

    def resume_writing(self) -> None:
        """Called by asyncio: every byte has left."""
        self._is_paused = False
        if self._is_started:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        how = "closed the connection" if exc is None else f"is gone ({reason_of(exc)})"
        self._end(ConnectFailed(f"{self._settings.peer} {how}"))
        if not self.closed.done():
            self.closed.set_result(None)

    async def _start_tls(self) -> None:
        self._use(await sockets.start_tls(self._settings, self._transport, self))
        self._waits_since = self._loop.time()
        self._apply(self._session.tls_started())

    def _use(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Paused means exactly: not every byte has left. 1 and not 0, because the TLS transport
        # takes an empty buffer to have reached a mark of 0.
        self._transport.set_write_buffer_limits(high=1, low=0)
        self._is_encrypted = transport.get_extra_info("ssl_object") is not None

    def _apply(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Answered():
                    if event.outcome.verdict is not _NO_ANSWER:
                        self.has_answered = True
                    self._owner.answered(event.outgoing, event.outcome)
                case Returned():
                    self._owner.returned(event.outgoing, event.outcome, was_next=event.was_next)
                case Ready() | TlsWanted():
                    self._opening.set_result(isinstance(event, TlsWanted))
                case Ended():
                    self._close(event.error)
                    return
        self._go_on()

    def _go_on(self) -> None:
        """Take what there is room for, and send."""
        session = self._session
        while self._is_started and session.has_room:
            if self._was_ever_paused:
                # Nothing goes behind a dot that may still be here, so that a connection which
                # breaks in the middle of a message leaves no doubt. Fast lines never get here.
                self._flush()
                if self._is_paused:
                    return
            outgoing = self._owner.take(self)
            if outgoing is None:
                break
            if (refusal := session.submit(outgoing)) is not None:
                self._owner.answered(outgoing, refusal)
        self._flush()
        if session.is_idle and self._is_started and not self.is_over:
            self._owner.idle(self)

    def _flush(self) -> None:
        output = self._session.take_output()
        if self._is_encrypted:
            # The TLS transport does not say what waits below it, but then it keeps what is written
            # next, and says so. Hence the dot goes by itself: it is the last piece, or MAIL and
            # RCPT with DATA of the next message follow it.
            cut = -3 if output[-3:-2] == [b".\r\n"] else -1
            self._write(output[:cut])
            output = output[cut:]
        self._write(output)

    def _write(self, pieces: list[bytes]) -> None:
        # Not writelines: some versions of asyncio do not call pause_writing from it.
        if pieces:
            self._transport.write(b"".join(pieces))

    def _tick(self) -> None:
        now = self._loop.time()
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent_at_last_tick:
            # A slow line, and not a server that hangs: RFC 5321 section 4.5.3.2.5.
            self._waits_since = now
        self._unsent_at_last_tick = unsent
        stage = self._session.awaits
        seconds = self._patience(stage)
        if stage is not None and now > self._waits_since + seconds:
            peer = self._settings.peer
            what = f"{peer} did not answer {_PHASES[stage]} within {seconds:g} s"
            self._end(TransportTimeout(what))
        else:
            self._tick_handle = self._loop.call_later(self._tick_seconds, self._tick)

    def _patience(self, stage: Stage | None) -> float:
        if self._is_leaving:
            return self._settings.quit_wait
        return self._settings.timeouts.for_stage(stage or Stage.CONNECT)

    def _end(self, error: TransportError) -> None:
        if self._is_connected and not self.is_over:
            self._apply(self._session.end(error, unsent=self._is_paused))

    def _close(self, error: TransportError | None) -> None:
        self.is_over = True
        self.error = error or self.error
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        # Also after QUIT: nothing is left to send, and a TLS farewell would be waited for.
        self._transport.abort()
        if not self._opening.done():
            self._opening.set_exception(self.error)
            # Whoever gave up waiting for it does not ask for it either.
            self._opening.exception()
        self._owner.ended(self)

"""The SMTP client as a state machine: the server's bytes in, events and bytes to send out. Sans-io.

Where the server announces PIPELINING (RFC 2920), the content of one message and MAIL, RCPT and
DATA of the next leave in one write, so that a message costs one round trip. Otherwise everything
goes step by step. One recipient for each message: every message is a personal one.

The machine knows at any moment which message is uncertain: the one whose content has been given
out and has no answer. Everything else is certain not to have been handed over.
"""

from collections import deque

from newsletter_mail.errors import ConnectFailed, TransportError
from newsletter_mail.transport.extensions import Extensions
from newsletter_mail.transport.opening import Login, Say, UpgradeToTls, open_session
from newsletter_mail.transport.replies import content_outcome, outcome_of
from newsletter_mail.transport.reply_parser import NotSmtp, RawReply, ReplyParser
from newsletter_mail.transport.smtp_commands import mail_command, rcpt_command, refuse_unsent
from newsletter_mail.transport.smtp_events import Answered, Ended, Event, Ready, Returned, TlsWanted
from newsletter_mail.transport.smtp_steps import (
    BODY,
    DATA,
    ENVELOPE,
    LONE_DOT,
    MAIL,
    OPENING,
    QUIT,
    RCPT,
    RSET,
    Aside,
    Step,
    Transaction,
)
from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict


class SmtpSession:
    """One connection to an SMTP server.

    Feed it with ``receive`` and ``submit``, send what ``take_output`` gives, act on the events
    that each call returns. At most two messages are in its hands.
    """

    def __init__(self, login: Login) -> None:
        self.extensions = Extensions()
        #: Messages that were submitted to this connection so far.
        self.submitted = 0
        #: Whole answers that came so far.
        self.replies = 0
        self._peer = login.peer
        self._parser = ReplyParser()
        self._opening = open_session(login)
        self._opening_stage = Stage.CONNECT
        self._expected: deque[Step | Aside] = deque()
        self._envelope: Transaction | None = None
        self._content: Transaction | None = None
        self._output: list[bytes] = []
        self._events: list[Event] = []
        self._is_ready = False
        self._is_over = False
        self._needs_reset = False
        self._go_on_opening(None)

    @property
    def has_room(self) -> bool:
        """A message may be submitted now."""
        return (
            self._is_ready
            and self._envelope is None
            and (self._content is None or self.extensions.pipelining)
        )

    @property
    def is_idle(self) -> bool:
        """Of every message that was submitted an event has told."""
        return self._envelope is None and self._content is None

    @property
    def awaits(self) -> Stage | None:
        """The stage whose answer comes next; None while nothing is asked."""
        if not self._expected:
            return None
        step = self._expected[0]
        if step is OPENING:
            return self._opening_stage
        return step.value if isinstance(step, Step) else Stage.MAIL

    def take_output(self) -> list[bytes]:
        """What to send now. Whoever takes it sends it."""
        output, self._output = self._output, []
        return output

    def receive(self, received: bytes) -> list[Event]:
        """Bytes came from the server."""
        try:
            for raw in self._parser.read(received):
                self._on_reply(raw)
                if self._is_over:
                    break
        except NotSmtp as error:
            self._finish(ConnectFailed(f"{self._peer} does not speak SMTP: {error}"))
        return self._take_events()

    def tls_started(self) -> list[Event]:
        """The upgrade that ``TlsWanted`` asked for is done."""
        self._go_on_opening(RawReply(0, ()))
        return self._take_events()

    def submit(self, outgoing: Outgoing) -> Outcome | None:
        """Begin a message; only while ``has_room``.

        Returns:
            What became of it, if this server cannot take it; else None: an event will tell.
        """
        if (refusal := refuse_unsent(outgoing, self.extensions, self._peer)) is not None:
            return refusal
        self.submitted += 1
        self._envelope = Transaction(outgoing)
        if self._needs_reset:
            self._needs_reset = False
            self._output.append(b"RSET\r\n")
            self._expected.append(RSET)
        self._output.append(mail_command(outgoing, self.extensions))
        if self.extensions.pipelining:
            self._output.append(rcpt_command(outgoing) + b"DATA\r\n")
            self._expected += ENVELOPE
        else:
            self._expected.append(MAIL)
        return None

    def quit(self) -> None:
        """Say good-bye; only when nothing is in hand."""
        self._is_ready = False
        self._output.append(b"QUIT\r\n")
        self._expected.append(QUIT)

    def end(self, error: TransportError, *, unsent: bool) -> list[Event]:
        """The connection broke, or has to be given up.

        Args:
            error: why.
            unsent: at least the last byte of what was taken has certainly not left.
        """
        self._finish(error, unsent=unsent or bool(self._output))
        return self._take_events()

    def _on_reply(self, raw: RawReply) -> None:
        self.replies += 1
        step = self._expected.popleft() if self._expected else None
        if raw.code == 421 and step is not QUIT:
            self._on_closing(raw, step)
        elif step is BODY and self._content is not None:
            self._on_body(self._content, raw)
        elif isinstance(step, Step) and self._envelope is not None:
            self._on_envelope(step, self._envelope, raw)
        elif step is OPENING:
            self._go_on_opening(raw)
        elif step is QUIT:
            self._finish(None)
        elif step is None:
            raise NotSmtp(f"it says {raw.cleaned()} without being asked")

    def _go_on_opening(self, raw: RawReply | None) -> None:
        try:
            action = self._opening.send(raw) if raw else next(self._opening)
        except StopIteration as stop:
            self.extensions = stop.value
            self._is_ready = True
            self._events.append(Ready())
            return
        except TransportError as error:
            self._finish(error)
            return
        if isinstance(action, Say):
            self._opening_stage = action.stage
            if action.line:
                self._output.append(action.line)
            self._expected.append(OPENING)
        elif isinstance(action, UpgradeToTls):
            if not self._parser.is_empty:
                # Put there by somebody in the middle, to be believed under TLS (CVE-2011-0411).
                raise NotSmtp("it went on talking in the clear after it agreed to start TLS")
            self._events.append(TlsWanted())

    def _on_envelope(self, step: Step, transaction: Transaction, raw: RawReply) -> None:
        if raw.code >= 400 and transaction.refusal is None:
            transaction.refusal = outcome_of(step.value, raw)
        if step is DATA:
            self._on_data(transaction, raw)
        elif 300 <= raw.code < 400:
            raise NotSmtp(f"it answers {step.name} with {raw.code}")
        elif step is RCPT and raw.code < 300:
            transaction.has_recipient = True
        if not self.extensions.pipelining:
            self._go_on_envelope(step, transaction)

    def _go_on_envelope(self, step: Step, transaction: Transaction) -> None:
        if transaction.refusal is not None:
            if self._envelope is transaction:
                self._needs_reset = step is not MAIL
                self._envelope = None
                self._events.append(Answered(transaction.outgoing, transaction.refusal))
        elif step is MAIL:
            self._output.append(rcpt_command(transaction.outgoing))
            self._expected.append(RCPT)
        elif step is RCPT:
            self._output.append(b"DATA\r\n")
            self._expected.append(DATA)

    def _on_data(self, transaction: Transaction, raw: RawReply) -> None:
        if raw.code != 354 and raw.code < 400:
            raise NotSmtp(f"it answers DATA with {raw.code}")
        if transaction.refusal is None:
            self._envelope = None
            self._content = transaction
            self._output += transaction.outgoing.content
            self._output.append(b".\r\n")
            self._expected.append(BODY)
            return
        if raw.code == 354:
            if transaction.has_recipient:
                raise NotSmtp("it wants the content of a message whose sender it refused")
            # It must not have the content, and it waits for the end of one.
            self._output.append(b".\r\n")
            self._expected.append(LONE_DOT)
        else:
            self._needs_reset = True
        self._envelope = None
        self._events.append(Answered(transaction.outgoing, transaction.refusal))

    def _on_body(self, transaction: Transaction, raw: RawReply) -> None:
        if 300 <= raw.code < 400:
            raise NotSmtp(f"it answers the content with {raw.code}")
        self._content = None
        self._events.append(Answered(transaction.outgoing, content_outcome(raw)))

    def _on_closing(self, raw: RawReply, step: Step | Aside | None) -> None:
        """421 at any moment: the server has not taken what it had not answered (RFC 5321 3.8)."""
        stage = step.value if isinstance(step, Step) else Stage.CONNECT
        outcome = outcome_of(stage, raw)
        error = ConnectFailed(f"{self._peer} closes the connection: {outcome.reply}")
        if (content := self._content) is not None:
            self._content = None
            self._give_back(content, outcome, was_next=True)
            outcome = Outcome(Verdict.NOT_HANDED_OVER, Reply(0, str(error)), Stage.MAIL)
            if (envelope := self._envelope) is not None:
                self._envelope = None
                self._give_back(envelope, outcome, was_next=False)
        elif (envelope := self._envelope) is not None:
            self._envelope = None
            self._give_back(envelope, outcome, was_next=True)
        self._finish(error)

    def _finish(self, error: TransportError | None, *, unsent: bool = False) -> None:
        if self._is_over:
            return
        stage = self.awaits or Stage.CONNECT
        self._is_over = True
        self._is_ready = False
        reply = Reply(0, str(error))
        content, envelope = self._content, self._envelope
        self._content = self._envelope = None
        if content is not None:
            # With an envelope behind it, the dot may have left though the last byte has not.
            if unsent and envelope is None:
                outcome = Outcome(Verdict.NOT_HANDED_OVER, reply, Stage.BODY)
                self._give_back(content, outcome, was_next=True)
            else:
                outcome = Outcome(Verdict.NO_ANSWER, reply, Stage.BODY)
                self._events.append(Answered(content.outgoing, outcome))
        if envelope is not None:
            outcome = Outcome(Verdict.NOT_HANDED_OVER, reply, stage)
            self._give_back(envelope, outcome, was_next=content is None)
        self._output.clear()
        self._expected.clear()
        self._events.append(Ended(error))

    def _give_back(self, transaction: Transaction, outcome: Outcome, *, was_next: bool) -> None:
        if transaction.refusal is not None:
            self._events.append(Answered(transaction.outgoing, transaction.refusal))
        elif outcome.verdict is Verdict.THROTTLED:
            # "Too fast" is not answered by coming back at once.
            self._events.append(Answered(transaction.outgoing, outcome))
        else:
            self._events.append(Returned(transaction.outgoing, outcome, was_next))

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

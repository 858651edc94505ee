"""The state machine alone: what it says, and what it makes of what it hears."""

import itertools
from base64 import b64encode
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.errors import (
    AuthFailed,
    ConnectFailed,
    SenderRefused,
    TlsFailed,
    TransportError,
    TransportTimeout,
)
from newsletter_mail.transport.opening import AuthPostponed, Login, Security
from newsletter_mail.transport.smtp_events import Answered, Ended, Event, Ready, Returned, TlsWanted
from newsletter_mail.transport.smtp_protocol import SmtpSession
from newsletter_mail.words import Envelope, Outcome, Outgoing, Stage, Verdict

PIPELINING = b"220 hi\r\n250-there\r\n250-SIZE 1000\r\n250 PIPELINING\r\n"
PLAIN = b"220 hi\r\n250 there\r\n"
ENVELOPE_OK = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"


def make_session(security: Security = Security.NONE, *, user: str = "") -> SmtpSession:
    login = Login(
        peer="mx.test:25", helo="me.test", security=security, user=user, password="pässword"
    )
    return SmtpSession(login)


def ready(greeting: bytes = PIPELINING) -> SmtpSession:
    session = make_session()
    assert session.receive(greeting) == [Ready()]
    session.take_output()
    return session


def message(
    number: int,
    *,
    recipient: str = "",
    content: tuple[bytes, ...] = (b"Subject: x\r\n\r\n", b"text\r\n"),
) -> Outgoing:
    recipient = recipient or f"r{number}@x.test"
    return Outgoing(number, f"ref{number}", Envelope(f"b+{number}@s.test", recipient), content)


def said(session: SmtpSession) -> bytes:
    return b"".join(session.take_output())


def outcomes(events: Iterable[Event]) -> list[tuple[int, Verdict, Stage]]:
    return [
        (event.outgoing.key, event.outcome.verdict, event.outcome.stage)
        for event in events
        if isinstance(event, Answered)
    ]


def returned(events: Iterable[Event]) -> list[tuple[int, Verdict, bool]]:
    return [
        (event.outgoing.key, event.outcome.verdict, event.was_next)
        for event in events
        if isinstance(event, Returned)
    ]


def error_of(events: list[Event]) -> TransportError:
    assert isinstance(events[-1], Ended)
    assert events[-1].error is not None
    return events[-1].error


class TestOpening:
    def test_says_ehlo_and_learns_what_is_offered(self) -> None:
        session = make_session()
        assert said(session) == b""
        assert session.awaits is Stage.CONNECT
        assert session.receive(b"220 hi\r\n") == []
        assert said(session) == b"EHLO me.test\r\n"
        assert not session.has_room
        assert session.receive(b"250-there\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n") == [Ready()]
        assert session.has_room
        assert session.awaits is None
        assert session.extensions.eight_bit

    def test_falls_back_to_helo(self) -> None:
        session = make_session()
        session.receive(b"220 hi\r\n502 5.5.1 what?\r\n")
        assert said(session) == b"EHLO me.test\r\nHELO me.test\r\n"
        assert session.receive(b"250 there\r\n") == [Ready()]

    @pytest.mark.parametrize(
        ("received", "error"),
        [
            (b"554 5.7.1 go away\r\n", SenderRefused),
            (b"421 4.3.2 not now\r\n", ConnectFailed),
            (b"450 4.3.2 not now\r\n", ConnectFailed),
            (b"220 hi\r\n554 5.7.1 go away\r\n", SenderRefused),
            (b"220 hi\r\n421 4.3.2 not now\r\n", ConnectFailed),
            (b"220 hi\r\n502 what?\r\n554 go away\r\n", SenderRefused),
            (b"SSH-2.0-OpenSSH_9.2\r\n", ConnectFailed),
        ],
    )
    def test_is_refused(self, received: bytes, error: type[TransportError]) -> None:
        session = make_session()
        caught = error_of(session.receive(received))
        assert type(caught) is error
        assert "mx.test:25" in str(caught)
        assert not session.has_room

    def test_starts_tls_and_asks_again(self) -> None:
        session = make_session(Security.STARTTLS)
        session.receive(b"220 hi\r\n250-there\r\n250-PIPELINING\r\n250 STARTTLS\r\n")
        assert said(session).endswith(b"STARTTLS\r\n")
        assert session.awaits is Stage.TLS
        assert session.receive(b"220 2.0.0 go\r\n") == [TlsWanted()]
        assert session.tls_started() == []
        assert said(session) == b"EHLO me.test\r\n"
        assert session.receive(b"250 there\r\n") == [Ready()]
        assert not session.extensions.pipelining

    def test_insists_on_tls(self) -> None:
        session = make_session(Security.STARTTLS, user="me")
        error = error_of(session.receive(PIPELINING))
        assert isinstance(error, TlsFailed)
        assert "smtps://" in str(error)
        assert b"AUTH" not in said(session)

    def test_tls_is_not_available(self) -> None:
        session = make_session(Security.STARTTLS)
        error = error_of(
            session.receive(b"220 hi\r\n250-there\r\n250 STARTTLS\r\n454 4.7.0 not now\r\n")
        )
        assert isinstance(error, TlsFailed)
        assert "454 4.7.0 not now" in str(error)

    @pytest.mark.parametrize("injected", [b"250 evil\r\n", b"250-evil\r\n", b"2"])
    def test_nothing_said_in_the_clear_survives_the_upgrade(self, injected: bytes) -> None:
        session = make_session(Security.STARTTLS)
        events = session.receive(
            b"220 hi\r\n250-there\r\n250 STARTTLS\r\n220 2.0.0 go\r\n" + injected
        )
        assert isinstance(error_of(events), ConnectFailed)
        assert TlsWanted() not in events

    def test_logs_in_with_plain(self) -> None:
        session = make_session(user="me@x.test")
        session.receive(b"220 hi\r\n250-there\r\n250 AUTH LOGIN PLAIN\r\n")
        secret = b64encode("\0me@x.test\0pässword".encode())
        assert said(session).endswith(b"AUTH PLAIN " + secret + b"\r\n")
        assert session.awaits is Stage.AUTH
        assert session.receive(b"235 2.7.0 welcome\r\n") == [Ready()]

    def test_a_server_that_does_not_listen_is_told_twice(self) -> None:
        session = make_session(user="me")
        session.receive(b"220 hi\r\n250-there\r\n250 AUTH PLAIN\r\n")
        secret = said(session).rpartition(b"AUTH PLAIN ")[2]
        session.receive(b"334 \r\n")
        assert said(session) == secret
        assert session.receive(b"235 ok\r\n") == [Ready()]

    def test_a_long_password_does_not_fit_into_one_command(self) -> None:
        session = make_session(user="me" * 250)
        session.receive(b"220 hi\r\n250-there\r\n250 AUTH PLAIN\r\n")
        assert said(session).endswith(b"\r\nAUTH PLAIN\r\n")
        session.receive(b"334 \r\n")
        password = "pässword".encode()
        assert said(session) == b64encode(b"\0" + b"me" * 250 + b"\0" + password) + b"\r\n"
        assert session.receive(b"235 ok\r\n") == [Ready()]

    def test_logs_in_with_login(self) -> None:
        session = make_session(user="me")
        session.receive(b"220 hi\r\n250-there\r\n250 AUTH LOGIN\r\n")
        assert said(session).endswith(b"AUTH LOGIN\r\n")
        session.receive(b"334 VXNlcm5hbWU6\r\n")
        assert said(session) == b64encode(b"me") + b"\r\n"
        session.receive(b"334 UGFzc3dvcmQ6\r\n")
        assert said(session) == b64encode("pässword".encode()) + b"\r\n"
        assert session.receive(b"235 2.7.0 welcome\r\n") == [Ready()]

    @pytest.mark.parametrize(
        ("received", "error"),
        [
            (b"250 AUTH PLAIN\r\n535 5.7.8 no\r\n", AuthFailed),
            (b"250 AUTH PLAIN\r\n454 4.7.0 later\r\n", AuthPostponed),
            (b"250 AUTH LOGIN\r\n504 5.7.4 no\r\n", AuthFailed),
            (b"250 AUTH LOGIN\r\n334 a\r\n535 5.7.8 no\r\n", AuthFailed),
            (b"250 AUTH XOAUTH2 CRAM-MD5\r\n", AuthFailed),
            (b"250 SIZE\r\n", AuthFailed),
        ],
    )
    def test_the_login_fails(self, received: bytes, error: type[TransportError]) -> None:
        session = make_session(user="me")
        caught = error_of(session.receive(b"220 hi\r\n250-there\r\n" + received))
        assert type(caught) is error
        assert "pässword" not in str(caught)

    def test_a_login_shows_no_password(self) -> None:
        login = Login(peer="a", helo="b", security=Security.NONE, user="c", password="hunter2")
        assert "hunter2" not in repr(login)


class TestPipelined:
    def test_an_envelope_is_one_group(self) -> None:
        session = ready()
        assert session.submit(message(1)) is None
        size = message(1).size
        assert said(session) == (
            f"MAIL FROM:<b+1@s.test> SIZE={size}\r\nRCPT TO:<r1@x.test>\r\nDATA\r\n".encode()
        )
        assert not session.has_room
        assert session.awaits is Stage.MAIL
        assert not session.is_idle

    def test_content_and_the_next_envelope_leave_together(self) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        assert session.receive(ENVELOPE_OK) == []
        assert session.has_room
        session.submit(message(2))
        assert said(session).startswith(b"Subject: x\r\n\r\ntext\r\n.\r\nMAIL FROM:<b+2@s.test>")
        events = session.receive(b"250 2.0.0 queued as 1\r\n" + ENVELOPE_OK)
        assert outcomes(events) == [(1, Verdict.ACCEPTED, Stage.BODY)]
        assert said(session).endswith(b".\r\n")
        assert not session.is_idle
        session.receive(b"250 2.0.0 queued as 2\r\n")
        assert session.is_idle

    def test_the_answer_is_kept_word_for_word(self) -> None:
        session = ready()
        session.submit(message(1))
        events = session.receive(ENVELOPE_OK + b"250 2.0.0 queued as 1\r\n")
        assert isinstance(events[0], Answered)
        reply = events[0].outcome.reply
        assert (reply.code, reply.text, reply.enhanced) == (250, "2.0.0 queued as 1", "2.0.0")

    @pytest.mark.parametrize(
        ("received", "verdict", "stage"),
        [
            (b"550 5.7.1 a\r\n503 b\r\n503 c\r\n", Verdict.WE_ARE_REFUSED, Stage.MAIL),
            (b"250 a\r\n550 5.1.1 b\r\n554 c\r\n", Verdict.ADDRESS_DEAD, Stage.RCPT),
            (b"250 a\r\n451 4.7.1 b\r\n503 c\r\n", Verdict.TRY_LATER, Stage.RCPT),
            (b"250 a\r\n250 b\r\n451 4.3.0 c\r\n", Verdict.TRY_LATER, Stage.DATA),
        ],
    )
    def test_a_refused_envelope_is_reset(
        self, received: bytes, verdict: Verdict, stage: Stage
    ) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        assert outcomes(session.receive(received)) == [(1, verdict, stage)]
        assert said(session) == b""
        assert session.has_room
        session.submit(message(2))
        assert said(session).startswith(b"RSET\r\nMAIL FROM:<b+2@s.test>")
        events = session.receive(b"250 2.0.0 Ok\r\n" + ENVELOPE_OK + b"250 queued\r\n")
        assert outcomes(events) == [(2, Verdict.ACCEPTED, Stage.BODY)]

    def test_content_of_a_refused_recipient_never_leaves(self) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        events = session.receive(b"250 a\r\n550 5.1.1 b\r\n354 give it to me\r\n")
        assert outcomes(events) == [(1, Verdict.ADDRESS_DEAD, Stage.RCPT)]
        assert said(session) == b".\r\n"
        session.submit(message(2))
        assert said(session).startswith(b"MAIL FROM:<b+2@s.test>")
        events = session.receive(b"554 no valid recipients\r\n" + ENVELOPE_OK + b"250 queued\r\n")
        assert outcomes(events) == [(2, Verdict.ACCEPTED, Stage.BODY)]

    def test_a_server_that_wants_content_without_a_sender_is_left(self) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        events = session.receive(b"550 a\r\n250 b\r\n354 give it to me\r\n")
        assert isinstance(error_of(events), ConnectFailed)
        assert said(session) == b""

    def test_room_for_two_and_no_more(self) -> None:
        session = ready()
        session.submit(message(1))
        session.receive(ENVELOPE_OK)
        session.submit(message(2))
        assert not session.has_room


class TestStepByStep:
    def test_one_command_at_a_time(self) -> None:
        session = ready(PLAIN)
        session.submit(message(1))
        assert said(session) == b"MAIL FROM:<b+1@s.test>\r\n"
        session.receive(b"250 Ok\r\n")
        assert said(session) == b"RCPT TO:<r1@x.test>\r\n"
        session.receive(b"250 Ok\r\n")
        assert said(session) == b"DATA\r\n"
        session.receive(b"354 go\r\n")
        assert said(session) == b"Subject: x\r\n\r\ntext\r\n.\r\n"
        assert not session.has_room
        assert outcomes(session.receive(b"250 Ok\r\n")) == [(1, Verdict.ACCEPTED, Stage.BODY)]
        assert session.has_room

    @pytest.mark.parametrize(
        ("received", "verdict", "stage", "then"),
        [
            (b"550 5.7.1 a\r\n", Verdict.WE_ARE_REFUSED, Stage.MAIL, b"MAIL"),
            (b"250 a\r\n550 5.1.1 b\r\n", Verdict.ADDRESS_DEAD, Stage.RCPT, b"RSET\r\nMAIL"),
            (b"250 a\r\n250 b\r\n451 c\r\n", Verdict.TRY_LATER, Stage.DATA, b"RSET\r\nMAIL"),
            (b"250 a\r\n250 b\r\n354 c\r\n552 5.2.2 d\r\n",
             Verdict.MAILBOX_UNAVAILABLE, Stage.BODY, b"MAIL"),
        ],
    )  # fmt: skip
    def test_refused(self, received: bytes, verdict: Verdict, stage: Stage, then: bytes) -> None:
        session = ready(PLAIN)
        session.submit(message(1))
        assert outcomes(session.receive(received)) == [(1, verdict, stage)]
        said(session)
        session.submit(message(2))
        assert said(session).startswith(then)


class TestWhatAServerCannotTake:
    @pytest.mark.parametrize("offer", [b"250 there\r\n", b"250-there\r\n250 8BITMIME\r\n"])
    def test_smtputf8(self, offer: bytes) -> None:
        session = ready(b"220 hi\r\n" + offer)
        outcome = session.submit(message(1, recipient="jörg@x.test"))
        assert isinstance(outcome, Outcome)
        assert outcome.verdict is Verdict.ADDRESS_UNSUPPORTED
        assert said(session) == b""
        assert session.has_room

    def test_smtputf8_is_asked_for(self) -> None:
        session = ready(b"220 hi\r\n250-there\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
        content = ("To: jörg@x.test\r\n\r\n".encode(),)
        session.submit(message(1, recipient="jörg@x.test", content=content))
        assert said(session) == b"MAIL FROM:<b+1@s.test> BODY=8BITMIME SMTPUTF8\r\n"
        session.receive(b"250 Ok\r\n")
        assert said(session) == "RCPT TO:<jörg@x.test>\r\n".encode()

    def test_size(self) -> None:
        outcome = ready().submit(message(1, content=(b"x" * 999, b"\r\n")))
        assert outcome is not None
        assert outcome.verdict is Verdict.MESSAGE_REFUSED
        assert "1001 bytes" in outcome.reply.text
        assert ready().submit(message(1, content=(b"x" * 998, b"\r\n"))) is None

    def test_eight_bit(self) -> None:
        outcome = ready(PLAIN).submit(message(1, content=("ä\r\n".encode(),)))
        assert outcome is not None
        assert outcome.verdict is Verdict.MESSAGE_REFUSED

    @pytest.mark.parametrize(
        "recipient", ["a@x.test>\r\nDATA\r\n", "a\0@x.test", "<a@x.test>", "a\n@x.test"]
    )
    def test_addresses_that_would_break_out(self, recipient: str) -> None:
        session = ready()
        outcome = session.submit(message(1, recipient=recipient))
        assert outcome is not None
        assert outcome.verdict is Verdict.MESSAGE_REFUSED
        assert said(session) == b""


LOST = ConnectFailed("gone")


class TestTheEnd:
    def test_quit(self) -> None:
        session = ready()
        session.quit()
        assert said(session) == b"QUIT\r\n"
        assert not session.has_room
        assert session.receive(b"221 2.0.0 bye\r\n") == [Ended(None)]
        assert session.receive(b"250 more\r\n") == []

    @pytest.mark.parametrize("heard", [b"", b"250 a\r\n", b"250 a\r\n250 b\r\n"])
    @pytest.mark.parametrize("greeting", [PIPELINING, PLAIN])
    def test_lost_before_the_content(self, heard: bytes, greeting: bytes) -> None:
        session = ready(greeting)
        session.submit(message(1))
        session.receive(heard)
        said(session)
        events = session.end(LOST, unsent=False)
        assert returned(events) == [(1, Verdict.NOT_HANDED_OVER, True)]
        assert error_of(events) is LOST

    def test_lost_after_the_dot(self) -> None:
        session = ready()
        session.submit(message(1))
        session.receive(ENVELOPE_OK)
        said(session)
        assert session.awaits is Stage.BODY
        events = session.end(TransportTimeout("slow"), unsent=False)
        assert outcomes(events) == [(1, Verdict.NO_ANSWER, Stage.BODY)]

    def test_lost_in_the_middle_of_the_content(self) -> None:
        session = ready()
        session.submit(message(1))
        session.receive(ENVELOPE_OK)
        said(session)
        events = session.end(LOST, unsent=True)
        assert returned(events) == [(1, Verdict.NOT_HANDED_OVER, True)]

    def test_content_that_nobody_took_has_not_left(self) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        session.receive(ENVELOPE_OK)
        events = session.end(LOST, unsent=False)
        assert returned(events) == [(1, Verdict.NOT_HANDED_OVER, True)]

    @pytest.mark.parametrize("how", [{"unsent": False}, {"unsent": True}])
    def test_with_an_envelope_behind_it_the_dot_may_have_left(self, how: dict[str, bool]) -> None:
        session = ready()
        session.submit(message(1))
        session.receive(ENVELOPE_OK)
        session.submit(message(2))
        said(session)
        events = session.end(LOST, **how)
        assert outcomes(events) == [(1, Verdict.NO_ANSWER, Stage.BODY)]
        assert returned(events) == [(2, Verdict.NOT_HANDED_OVER, False)]

    def test_a_refusal_that_was_heard_counts(self) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        session.receive(b"250 a\r\n550 5.1.1 b\r\n")
        events = session.end(LOST, unsent=False)
        assert outcomes(events) == [(1, Verdict.ADDRESS_DEAD, Stage.RCPT)]

    def test_421_in_place_of_an_answer_hands_back(self) -> None:
        session = ready()
        session.submit(message(1))
        session.receive(ENVELOPE_OK)
        session.submit(message(2))
        said(session)
        events = session.receive(b"421 4.3.2 closing\r\n250 not for us\r\n")
        assert returned(events) == [
            (1, Verdict.TRY_LATER, True),
            (2, Verdict.NOT_HANDED_OVER, False),
        ]
        assert isinstance(error_of(events), ConnectFailed)

    def test_421_because_we_are_too_fast_is_an_answer(self) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        events = session.receive(b"421 4.7.28 unusual rate\r\n")
        assert outcomes(events) == [(1, Verdict.THROTTLED, Stage.MAIL)]

    def test_421_while_idle(self) -> None:
        events = ready().receive(b"421 4.4.2 idle for too long\r\n")
        assert len(events) == 1
        assert "idle for too long" in str(error_of(events))

    @pytest.mark.parametrize(
        ("heard", "garbage"),
        [
            (b"", b"hello\r\n"),
            (b"", b"334 what?\r\n"),
            (b"250 a\r\n", b"354 too early\r\n"),
            (b"250 a\r\n250 b\r\n", b"250 no 354\r\n"),
            (b"250 a\r\n250 b\r\n", b"x" * 5000),
        ],
    )
    def test_garbage_before_the_content(self, heard: bytes, garbage: bytes) -> None:
        session = ready()
        session.submit(message(1))
        said(session)
        events = session.receive(heard + garbage)
        assert returned(events) == [(1, Verdict.NOT_HANDED_OVER, True)]
        assert "mx.test:25" in str(error_of(events))

    @pytest.mark.parametrize("garbage", [b"hello\r\n", b"354 what?\r\n", b"250-x\r\n" * 200])
    def test_garbage_after_the_content(self, garbage: bytes) -> None:
        session = ready()
        session.submit(message(1))
        session.receive(ENVELOPE_OK)
        said(session)
        events = session.receive(garbage)
        assert outcomes(events) == [(1, Verdict.NO_ANSWER, Stage.BODY)]

    def test_an_answer_to_nothing_is_garbage(self) -> None:
        assert "without being asked" in str(error_of(ready().receive(b"250 Ok\r\n")))

    def test_the_end_comes_once(self) -> None:
        session = ready()
        assert session.end(LOST, unsent=False) == [Ended(LOST)]
        assert session.end(LOST, unsent=False) == []


def converse(chunks: Iterable[bytes], *, messages: int = 4) -> tuple[list[Event], bytes]:
    """Feed chunks, submitting a message whenever there is room; events and all that was said."""
    session = make_session()
    numbers = itertools.count(1)
    events: list[Event] = []
    sent = b""
    for chunk in chunks:
        # One reply at a time, as a driver would see them at the latest.
        events += session.receive(chunk)
        while session.has_room and session.submitted < messages:
            session.submit(message(next(numbers)))
        sent += said(session)
    events += session.end(LOST, unsent=False)
    return events, sent


SCRIPT = [
    PIPELINING,
    ENVELOPE_OK,
    b"250-2.0.0 queued\r\n250 2.0.0 as 1\r\n250 a\r\n550 5.1.1 b\r\n554 c\r\n",
    b"250 reset\r\n250 a\r\n250 b\r\n354 c\r\n",
    b"451 4.3.0 d\r\n250 a\r\n250 b\r\n354 c\r\n",
]


@given(st.data())
def test_chunks_make_no_difference(data: st.DataObject) -> None:
    cut = []
    for part in SCRIPT:
        edges = sorted({0, len(part), *data.draw(st.lists(st.integers(0, len(part)), max_size=5))})
        cut += [part[start:end] for start, end in itertools.pairwise(edges)]
    assert converse(cut) == converse(SCRIPT)


REPLIES = st.sampled_from(
    [
        b"250 Ok\r\n",
        b"250-2.0.0 a\r\n250 b\r\n",
        b"354 go\r\n",
        b"421 4.3.2 closing\r\n",
        b"550 5.1.1 no\r\n",
        b"451 4.7.1 later\r\n",
        b"503 5.5.1 order\r\n",
        b"garbage\r\n",
        b"334 x\r\n",
    ]
)


@given(
    st.sampled_from([PIPELINING, PLAIN]),
    st.lists(REPLIES | st.binary(max_size=40), max_size=30),
    st.sampled_from([[], [ENVELOPE_OK, b"250 Ok\r\n"]]),
)
def test_every_message_is_accounted_for_once(
    greeting: bytes, replies: list[bytes], first: list[bytes]
) -> None:
    events, sent = converse([greeting, *first, *replies], messages=10)
    accounted = [event for event in events if isinstance(event, Answered | Returned)]
    keys = [event.outgoing.key for event in accounted]
    assert sorted(keys) == list(range(1, len(keys) + 1))
    assert sum(isinstance(event, Ended) for event in events) == 1
    handed_over = {Verdict.ACCEPTED, Verdict.NO_ANSWER}
    claimed = sum(event.outcome.verdict in handed_over for event in accounted)
    # Nothing is said to be with the server whose content was not sent.
    assert claimed <= sent.count(b"text\r\n.\r\n")

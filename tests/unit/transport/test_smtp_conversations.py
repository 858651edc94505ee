"""Any server at all: what the session reports is what that server knows to be true."""

import itertools
from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from newsletter_mail.errors import ConnectFailed
from newsletter_mail.transport.opening import Login, Security
from newsletter_mail.transport.smtp_events import Answered, Ended, Event, Ready, Returned
from newsletter_mail.transport.smtp_protocol import SmtpSession
from newsletter_mail.words import Envelope, Outgoing, Verdict

CODES = [250, 251, 354, 334, 220, 421, 450, 451, 452, 500, 503, 550, 552, 554]
PROPER = {"MAIL": 250, "RCPT": 250, "DATA": 354, "BODY": 250, "RSET": 250, "DOT": 554}


@dataclass
class Listener:
    """Reads what the client says as a server does, and keeps what was answered."""

    #: Commands without an answer, and the message that each is about.
    asked: deque[tuple[str, int]] = field(default_factory=deque)
    answers: dict[tuple[str, int], int] = field(default_factory=dict)
    contents: list[int] = field(default_factory=list)
    current: int = 0
    awaits_content: deque[int] = field(default_factory=deque)

    def hear(self, said: bytes) -> None:
        *lines, rest = said.split(b"\r\n")
        assert rest == b"", "half a line"
        is_content = False
        for line in lines:
            verb = line[:4].decode()
            if is_content:
                is_content = line != b"."
                if not is_content:
                    self.asked.append(("BODY", self.contents[-1]))
            elif verb == "MAIL":
                self.current = int(line.partition(b"+")[2].partition(b"@")[0])
                self.asked.append((verb, self.current))
            elif verb in {"RCPT", "DATA", "RSET"}:
                self.asked.append((verb, self.current))
            elif line == b".":
                assert not self.is_taken("RCPT", self.awaits_content.popleft()), "an empty message"
                self.asked.append(("DOT", 0))
            else:
                number = int(line.removeprefix(b"Subject: "))
                assert self.awaits_content.popleft() == number, "content that was not asked for"
                assert self.is_taken("MAIL", number), "content of a refused sender"
                assert self.is_taken("RCPT", number), "content for a refused recipient"
                self.contents.append(number)
                is_content = True

    def is_taken(self, step: str, number: int) -> bool:
        return 200 <= self.answers[step, number] < 300

    def answer(self, code: int) -> None:
        step, number = self.asked.popleft()
        self.answers[step, number] = code
        if (step, code) == ("DATA", 354):
            self.awaits_content.append(number)


class Conversation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.listener = Listener()
        self.submitted: list[int] = []
        self.told: dict[int, Answered | Returned] = {}
        self.is_over = False
        self.is_garbled = False

    @initialize(
        pipelining=st.booleans(), unsent=st.booleans(), noise=st.just(b"") | st.binary(max_size=40)
    )
    def connect(self, *, pipelining: bool, unsent: bool, noise: bytes) -> None:
        # How it ends: a rule of its own would end most conversations before they matter.
        self.ending = noise, unsent
        login = Login(peer="mx.test:25", helo="me.test", security=Security.NONE)
        self.session = SmtpSession(login)
        offer = b"250 PIPELINING" if pipelining else b"250 SIZE"
        events = self.session.receive(b"220 hi\r\n250-there\r\n" + offer + b"\r\n")
        assert events == [Ready()]
        self.session.take_output()

    @precondition(lambda self: not self.is_over and self.session.has_room)
    @rule()
    def submit(self) -> None:
        number = len(self.submitted) + 1
        self.submitted.append(number)
        content = (f"Subject: {number}\r\n\r\n".encode(), b"text\r\n")
        envelope = Envelope(f"b+{number}@s.test", f"r{number}@x.test")
        assert self.session.submit(Outgoing(number, f"ref{number}", envelope, content)) is None
        self.flush()

    @precondition(lambda self: not self.is_over and self.listener.asked)
    @rule(cuts=st.lists(st.integers(0, 60), max_size=3), more=st.integers(0, 3))
    def agree(self, cuts: list[int], more: int) -> None:
        """The answers of a server that takes everything, several in one go."""
        replies = b""
        for _ in range(min(1 + more, len(self.listener.asked))):
            code = PROPER[self.listener.asked[0][0]]
            self.listener.answer(code)
            replies += f"{code}-2.0.0 and\r\n{code} more\r\n".encode()
        self.receive(replies, cuts)

    @precondition(lambda self: not self.is_over and self.listener.asked)
    @rule(code=st.sampled_from(CODES), cuts=st.lists(st.integers(0, 20), max_size=3))
    def answer(self, code: int, cuts: list[int]) -> None:
        self.listener.answer(code)
        self.receive(f"{code} whatever\r\n".encode(), cuts)

    @precondition(lambda self: self.is_over)
    @rule(more=st.sampled_from([b"250 Ok\r\n", b"354 go\r\n", b"what?\r\n"]))
    def say_more(self, more: bytes) -> None:
        assert self.session.receive(more) == []
        assert self.session.end(ConnectFailed("gone"), unsent=False) == []
        assert self.session.take_output() == []

    def receive(self, received: bytes, cuts: list[int]) -> None:
        edges = [0, *sorted(min(cut, len(received)) for cut in cuts), len(received)]
        for start, end in itertools.pairwise(edges):
            self.note(self.session.receive(received[start:end]))
        if not self.is_over:
            self.flush()

    def flush(self) -> None:
        self.listener.hear(b"".join(self.session.take_output()))

    def note(self, events: list[Event], *, unsent: bool = False) -> None:
        for event in events:
            assert not self.is_over, "something after the end"
            if isinstance(event, Ended):
                self.is_over = True
            elif isinstance(event, Answered | Returned):
                self.check(event, unsent=unsent)

    def check(self, event: Answered | Returned, *, unsent: bool) -> None:
        number = event.outgoing.key
        assert number not in self.told, "told twice"
        self.told[number] = event
        verdict, answers = event.outcome.verdict, self.listener.answers
        has_content = number in self.listener.contents
        if self.is_garbled:
            assert has_content or verdict not in {Verdict.ACCEPTED, Verdict.NO_ANSWER}
            return
        body = answers.get(("BODY", number))
        if isinstance(event, Returned) or verdict is Verdict.NOT_HANDED_OVER:
            assert not has_content or body == 421 or unsent
        elif verdict is Verdict.NO_ANSWER:
            assert has_content
            assert body is None or 300 <= body < 400
        elif verdict is Verdict.ACCEPTED:
            assert body is not None
            assert 200 <= body < 300
        else:
            steps = ("MAIL", "RCPT", "DATA", "BODY")
            assert any(answers.get((step, number), 0) >= 400 for step in steps)

    def teardown(self) -> None:
        noise, unsent = self.ending
        if noise and not self.is_over:
            # What it means, if anything, the listener does not know.
            self.is_garbled = True
            self.receive(noise, [])
        if not self.is_over:
            # Bytes that are still here are those of a content only if nothing is behind it.
            self.note(self.session.end(ConnectFailed("gone"), unsent=unsent), unsent=unsent)
        assert sorted(self.told) == self.submitted, "not told"


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)

"""Feeds and results for tests of the SMTP transport."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from newsletter_mail.errors import TransportError
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp import SmtpTransport
from newsletter_mail.transport.smtp_settings import SmtpSettings, Timeouts
from newsletter_mail.words import Envelope, Outcome, Outgoing, Verdict
from tests.integration.smtp_servers import Script, ScriptedServer

QUICK = Timeouts(connect=5, banner=5, command=5, data=5, body=5)
SETTINGS = SmtpSettings(
    host="127.0.0.1",
    port=0,
    security=Security.NONE,
    connections=3,
    timeouts=QUICK,
    backoff=(0.01, 0.01),
    quit_wait=0.2,
)


def impatient(phase: str) -> SmtpSettings:
    """With 0.2 s for the answer of one phase, and enough for a busy machine elsewhere."""
    match phase:
        case "banner" | "ehlo":
            timeouts = replace(QUICK, banner=0.2)
        case "data":
            timeouts = replace(QUICK, data=0.2)
        case "body":
            timeouts = replace(QUICK, body=0.2)
        case _:
            timeouts = replace(QUICK, command=0.2)
    return replace(SETTINGS, timeouts=timeouts)


class ListFeed:
    """Gives messages from a list; counts what is in the transport's hands."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.left = deque(messages)
        self.is_closed = False
        self.in_hand = 0
        self.most_in_hand = 0

    async def next(self) -> Outgoing | None:
        await asyncio.sleep(0)
        return self.next_now()

    def next_now(self) -> Outgoing | None:
        if not self.left or self.is_closed:
            return None
        self.in_hand += 1
        self.most_in_hand = max(self.most_in_hand, self.in_hand)
        return self.left.popleft()


class Results:
    def __init__(self, feed: ListFeed) -> None:
        self.feed = feed
        self.outcomes: dict[int, Outcome] = {}
        self.error: BaseException | None = None

    def report(self, outgoing: Outgoing, outcome: Outcome) -> None:
        assert outgoing.key not in self.outcomes, "reported twice"
        self.feed.in_hand -= 1
        self.outcomes[outgoing.key] = outcome

    @property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(outcome.verdict for outcome in self.outcomes.values())


def messages(count: int, *, size: int = 300) -> list[Outgoing]:
    body = (b"x" * 70 + b"\r\n") * (size // 72)
    return [
        Outgoing(
            number,
            f"ref{number}",
            Envelope(f"b+{number}@s.test", f"r{number}@x.test"),
            (f"Message-ID: <{number}@s.test>\r\n".encode(), b"Subject: x\r\n\r\n", body),
        )
        for number in range(count)
    ]


async def deliver(
    server: ScriptedServer, outgoing: Sequence[Outgoing], settings: SmtpSettings = SETTINGS
) -> Results:
    feed = ListFeed(outgoing)
    results = Results(feed)
    transport = SmtpTransport(replace(settings, port=server.port))
    try:
        await asyncio.wait_for(transport.run(feed, results.report), 20)
    except TransportError as error:
        results.error = error
    assert feed.in_hand == 0, "a message was taken and never reported"
    assert feed.most_in_hand <= 2 * settings.connections
    return results


def run(
    script: Script,
    outgoing: Sequence[Outgoing],
    settings: SmtpSettings = SETTINGS,
) -> tuple[Results, ScriptedServer]:
    async def scenario() -> tuple[Results, ScriptedServer]:
        async with ScriptedServer(script) as server:
            return await deliver(server, outgoing, settings), server

    return asyncio.run(scenario())

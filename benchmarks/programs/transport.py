"""Sends one message again and again with our SMTP transport: no database, no fill, no log."""

import argparse
import ssl
import sys
from pathlib import Path

from benchmarks.programs.compiled import DATE, MAIN_LIST, compile_bench
from benchmarks.programs.loops import run_on
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp import SmtpTransport
from newsletter_mail.transport.smtp_settings import SmtpSettings
from newsletter_mail.words import Envelope, Outcome, Outgoing, Recipient, Verdict


class _Feed:
    """So many messages with the same content."""

    is_closed = False

    def __init__(self, content: tuple[bytes, ...], messages: int) -> None:
        self._content = content
        self._messages = messages
        self._given = 0

    async def next(self) -> Outgoing | None:
        return self.next_now()

    def next_now(self) -> Outgoing | None:
        if self._given == self._messages:
            return None
        self._given += 1
        ref = f"ref{self._given}"
        envelope = Envelope(f"bounces+{ref}@example.org", f"user{self._given}@example.org")
        return Outgoing(self._given, ref, envelope, self._content)


def _content(workspace: Path) -> tuple[bytes, ...]:
    compiled = compile_bench(workspace)
    recipient = Recipient(
        public_id="reader",
        email="reader@town.example.org",
        first_name="Ana",
        last_name="Silva",
        attributes={"city": "Paris"},
    )
    return compiled.maker.make(
        recipient, compiled.build, MAIN_LIST, ref="reader", date=DATE
    ).content


def main() -> None:
    """Send; exit code 1 where not every message was taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="of the sink on 127.0.0.1")
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--authority", type=Path, help="speak TLS from the start")
    chosen = parser.parse_args()
    tls = None
    if chosen.authority is not None:
        tls = ssl.create_default_context(cafile=str(chosen.authority))
    settings = SmtpSettings(
        host="127.0.0.1",
        port=chosen.port,
        security=Security.NONE if tls is None else Security.IMPLICIT,
        connections=chosen.connections,
        tls=tls,
    )
    taken = 0

    def report(_: Outgoing, outcome: Outcome) -> None:
        nonlocal taken
        taken += outcome.verdict is Verdict.ACCEPTED

    feed = _Feed(_content(chosen.workspace), chosen.messages)
    run_on(chosen.loop, SmtpTransport(settings).run(feed, report))
    if taken != chosen.messages:
        sys.exit(f"the sink took {taken} of {chosen.messages} messages")


if __name__ == "__main__":
    main()

"""SMTP servers on loopback that misbehave on cue, in a test's event loop or as a process.

``python -m tests.integration.smtp_servers --log FILE`` prints its port and appends one JSON line
for each message that it accepts, flushed to the disk before it answers.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path
from types import TracebackType
from typing import Self

PHASES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "quit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a server behaves.

    Attributes:
        refuse_every: at RCPT, each Nth gets ``refuse_reply``.
        defer_every: at RCPT, each Nth (shifted by N/2) gets ``defer_reply``.
        closes_after: 421 in place of the MAIL after so many messages of a connection.
        hang: no answer in this phase any more.
        drop: the connection is closed in place of the answer in this phase.
        drop_body_after: the connection is closed after so many bytes of content.
        replies: the answer of a phase, word for word with CRLF; overrides the usual one.
        replies_once: the same, for the first time only.
        delay_s: before each answer.
        takes_nothing: 354 to DATA even if the recipient was refused.
        max_connections: more get 421 as their greeting.
        receive_buffer: bytes that the server takes before it has to read.
        drip_s: between the lines of an answer from ``replies``.
        idle_s: the connection is closed after so long without a command.
        read_delay_s: between one piece of content and the next, for the first 8 MB.
        chaos: one answer in so many is 421, nothing at all and the end, or the end of the line.
        chaos_seed: decides which.
        loses_first: so many messages are taken, and the connection is closed without an answer.
        answers_per_connection: so many messages, then the same happens to the next.
        tls: for STARTTLS, or from the start with ``implicit_tls``.
        users: names and passwords; AUTH is asked for when there are any.
    """

    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 30000000")
    pipelining: bool = True
    refuse_every: int = 0
    refuse_reply: str = "550 5.1.1 no such user"
    defer_every: int = 0
    defer_reply: str = "451 4.7.1 greylisted, come back later"
    closes_after: int = 0
    hang: str = ""
    drop: str = ""
    drop_body_after: int = 0
    replies: Mapping[str, bytes] = field(default_factory=dict)
    replies_once: Mapping[str, bytes] = field(default_factory=dict)
    delay_s: float = 0.0
    takes_nothing: bool = False
    max_connections: int = 0
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    users: Mapping[str, str] = field(default_factory=dict)
    mechanisms: str = "PLAIN LOGIN"
    receive_buffer: int = 0
    drip_s: float = 0.0
    idle_s: float = 0.0
    read_delay_s: float = 0.0
    chaos: int = 0
    chaos_seed: int = 0
    loses_first: int = 0
    answers_per_connection: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that the server accepted."""

    sender: str
    recipient: str
    content: bytes
    mail_parameters: str
    is_encrypted: bool


class _Gone(Exception):
    """The conversation is over."""


class ScriptedServer:
    """``async with ScriptedServer(script) as server``; then ``server.port``."""

    def __init__(self, script: Script | None = None, *, log: Path | None = None) -> None:
        self.script = script or Script()
        self.received: list[Received] = []
        self.connections = 0
        self.open_connections = 0
        self.most_open_connections = 0
        self.commands: list[str] = []
        self.rcpt_count = 0
        self.lost = 0
        self.chance = random.Random(self.script.chaos_seed)
        self._once = dict(self.script.replies_once)
        self._log = log.open("a", encoding="utf-8") if log else None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._log:
            self._log.close()

    async def start(self, port: int = 0) -> None:
        script = self.script
        self._server = await asyncio.start_server(
            self._serve,
            "127.0.0.1",
            port,
            ssl=script.tls if script.implicit_tls else None,
            limit=64 * 1024 * 1024 if not script.receive_buffer else script.receive_buffer,
        )
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def wait_closed(self) -> None:
        await self._server.serve_forever()

    @property
    def recipients(self) -> list[str]:
        return [received.recipient for received in self.received]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        self.most_open_connections = max(self.most_open_connections, self.open_connections)
        try:
            await _Conversation(self, reader, writer).talk()
        except (_Gone, OSError, asyncio.IncompleteReadError, ValueError):
            pass
        except asyncio.CancelledError:
            # The test is over; asyncio's streams would print the cancellation.
            pass
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            with contextlib.suppress(OSError):
                writer.transport.abort()

    def accept(self, received: Received) -> None:
        self.received.append(received)
        if self._log:
            headers = BytesHeaderParser().parsebytes(received.content)
            line = {
                "recipient": received.recipient,
                "message_id": headers["Message-ID"],
                "sender": received.sender,
                "time": time.time(),
            }
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
            os.fsync(self._log.fileno())

    def next_once(self, phase: str) -> bytes | None:
        return self._once.pop(phase, None)


class _Conversation:
    def __init__(
        self, server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.script = server.script
        self.reader = reader
        self.writer = writer
        self.is_encrypted = self.script.implicit_tls
        self.is_logged_in = not self.script.users
        self.messages = 0
        self.sender: str | None = None
        self.recipient: str | None = None
        self.parameters = ""

    async def talk(self) -> None:
        script = self.script
        if script.max_connections and self.server.open_connections > script.max_connections:
            self.writer.write(b"421 4.7.0 too many connections from your address\r\n")
            await self.writer.drain()
            return
        await self.say("banner", "220 scripted.test ESMTP")
        while True:
            line = await asyncio.wait_for(self.reader.readline(), script.idle_s or None)
            if not line:
                return
            self.server.commands.append(line.decode("utf-8", "replace").strip())
            verb, _, argument = self.server.commands[-1].partition(" ")
            await self.obey(verb.upper(), argument)

    async def obey(self, verb: str, argument: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                await self.say("ehlo", self.hello() if verb == "EHLO" else "250 scripted.test")
            case "STARTTLS":
                await self.start_tls()
            case "AUTH":
                await self.log_in(argument)
            case "MAIL":
                await self.mail(argument)
            case "RCPT":
                await self.rcpt(argument)
            case "DATA":
                await self.content()
            case "RSET":
                self.sender = self.recipient = None
                await self.say("rset", "250 2.0.0 Ok")
            case "QUIT":
                await self.say("quit", "221 2.0.0 Bye")
                raise _Gone
            case _:
                await self.say("unknown", "500 5.5.2 what?")

    async def say(self, phase: str, reply: str) -> None:
        script = self.script
        if script.delay_s:
            await asyncio.sleep(script.delay_s)
        if script.hang == phase:
            await asyncio.sleep(3600)
        if script.drop == phase:
            raise _Gone
        if script.chaos and self.server.chance.randrange(script.chaos) == 0:
            # A server that has taken a message must not say 421 (RFC 5321 section 3.8).
            ends = [b"", b"25", b"hello\r\n", b"421 4.3.2 closing\r\n"]
            self.writer.write(self.server.chance.choice(ends[: 3 if phase == "body" else 4]))
            await self.writer.drain()
            raise _Gone
        answer = self.server.next_once(phase) or script.replies.get(phase)
        for line in (answer or b"").splitlines(keepends=True) if script.drip_s else ():
            self.writer.write(line)
            await asyncio.sleep(script.drip_s)
            answer = b""
        self.writer.write(answer if answer is not None else reply.encode() + b"\r\n")
        await self.writer.drain()
        if answer is not None and answer.startswith(b"421"):
            raise _Gone

    def hello(self) -> str:
        script = self.script
        offers = list(script.extensions)
        if script.pipelining:
            offers.append("PIPELINING")
        if script.tls and not self.is_encrypted:
            offers.append("STARTTLS")
        if script.users:
            offers.append(f"AUTH {script.mechanisms}")
        lines = ["scripted.test", *offers]
        return "\r\n".join(
            f"250{'-' if number < len(lines) else ' '}{line}"
            for number, line in enumerate(lines, start=1)
        )

    async def start_tls(self) -> None:
        await self.say("starttls", "220 2.0.0 Go ahead")
        if self.script.hang == "handshake":
            await asyncio.sleep(3600)
        assert self.script.tls is not None
        await self.writer.start_tls(self.script.tls)
        self.is_encrypted = True

    async def log_in(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            user = await self.ask("VXNlcm5hbWU6")
            password = await self.ask("UGFzc3dvcmQ6")
        self.is_logged_in = self.script.users.get(user) == password
        await self.say(
            "auth",
            "235 2.7.0 Authentication successful"
            if self.is_logged_in
            else "535 5.7.8 Error: authentication failed",
        )

    async def ask(self, challenge: str) -> str:
        self.writer.write(f"334 {challenge}\r\n".encode())
        return base64.b64decode(await self.reader.readline()).decode()

    async def mail(self, argument: str) -> None:
        if self.script.closes_after and self.messages >= self.script.closes_after:
            self.writer.write(b"421 4.3.2 enough for one connection\r\n")
            await self.writer.drain()
            raise _Gone
        if not self.is_logged_in:
            await self.say("mail", "530 5.7.0 Authentication required")
        elif self.sender is not None:
            await self.say("mail", "503 5.5.1 Error: nested MAIL command")
        elif "mail" in self.script.replies and self.script.replies["mail"][:1] != b"2":
            await self.say("mail", "")
        else:
            address, _, self.parameters = argument.partition(":")[2].partition(">")
            self.sender = address.strip("<")
            await self.say("mail", "250 2.1.0 Ok")

    async def rcpt(self, argument: str) -> None:
        script = self.script
        if self.sender is None:
            await self.say("rcpt_unasked", "503 5.5.1 Error: need MAIL command")
            return
        self.server.rcpt_count += 1
        count = self.server.rcpt_count
        if script.refuse_every and count % script.refuse_every == 0:
            await self.say("rcpt", script.refuse_reply)
        elif script.defer_every and count % script.defer_every == script.defer_every // 2:
            await self.say("rcpt", script.defer_reply)
        elif script.replies.get("rcpt", b"2")[:1] != b"2":
            await self.say("rcpt", "")
        else:
            self.recipient = argument.partition(":")[2].strip("<>")
            await self.say("rcpt", "250 2.1.5 Ok")

    async def read_content(self) -> bytes:
        if self.script.read_delay_s:
            content = b""
            while not content.endswith(b"\r\n.\r\n"):
                content += await self.reader.read(100_000)
                if len(content) < 8_000_000:
                    await asyncio.sleep(self.script.read_delay_s)
            return content
        content = await self.reader.readline()
        if content != b".\r\n":
            content += await self.reader.readuntil(b"\r\n.\r\n")
        return content

    def loses_this(self) -> bool:
        if self.server.lost < self.script.loses_first:
            self.server.lost += 1
            return True
        return 0 < self.script.answers_per_connection < self.messages

    async def content(self) -> None:
        if self.recipient is None and not self.script.takes_nothing:
            await self.say("data_unasked", "554 5.5.1 Error: no valid recipients")
            return
        if self.script.replies.get("data", b"3")[:1] != b"3":
            await self.say("data", "")
            return
        await self.say("data", "354 End data with <CR><LF>.<CR><LF>")
        if self.script.drop_body_after:
            await self.reader.readexactly(self.script.drop_body_after)
            raise _Gone
        content = await self.read_content()
        sender, recipient = self.sender, self.recipient
        self.sender = self.recipient = None
        if recipient is None:
            await self.say("lone_dot", "554 5.5.1 Error: no valid recipients")
            return
        self.messages += 1
        if self.loses_this():
            raise _Gone
        answer = self.script.replies.get("body", b"2")
        if answer[:1] == b"2" and self.script.drop != "body" and self.script.hang != "body":
            self.server.accept(
                Received(
                    sender=sender or "",
                    recipient=recipient,
                    content=content[:-3],
                    mail_parameters=self.parameters.strip(),
                    is_encrypted=self.is_encrypted,
                )
            )
        await self.say("body", "250 2.0.0 Ok: queued")


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--refuse-every", nargs=2, metavar=("N", "REPLY"))
    parser.add_argument("--defer-every", nargs=2, metavar=("N", "REPLY"))
    parser.add_argument("--421-after", dest="closes_after", type=int, default=0)
    parser.add_argument("--hang", choices=PHASES, default="")
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds before each answer")
    parser.add_argument("--no-pipelining", action="store_true")
    options = parser.parse_args()
    usual = Script()
    refuse = options.refuse_every or (0, usual.refuse_reply)
    defer = options.defer_every or (0, usual.defer_reply)
    script = Script(
        pipelining=not options.no_pipelining,
        refuse_every=int(refuse[0]),
        refuse_reply=refuse[1],
        defer_every=int(defer[0]),
        defer_reply=defer[1],
        closes_after=options.closes_after,
        hang=options.hang,
        delay_s=options.delay / 1000,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve_for_ever(script, options.port, options.log))


async def _serve_for_ever(script: Script, port: int, log: Path | None) -> None:
    server = ScriptedServer(script, log=log)
    await server.start(port)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    await server.wait_closed()


if __name__ == "__main__":
    main()

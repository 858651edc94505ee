"""A mail server in a process of its own that does one thing wrong, some times, and keeps a log.

``python -m benchmarks.soak.server FOLDER BEHAVIOUR`` prints its port. What it accepts is a line of
``accepted.jsonl`` before its answer leaves; refusals and faults have files of their own. It knows
nothing of newsletter-mail, and ends with the process that has started it.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import socket
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: In the order of a conversation; ``content`` is in the middle of a message, ``dot`` after its
#: end and in place of the answer, ``answered`` after the answer.
PHASES = ("connect", "ehlo", "mail", "rcpt", "data", "content", "dot", "answered")
_LARGEST = 4 * 1024 * 1024
_GARBAGE = (
    b"\x00\xff\xfe\x80 no SMTP\r\n",
    b"hello\r\n",
    b"25",
    b"999 what\r\n",
    b"250-it never ends\r\n" * 40,
    b"x" * 200_000,
    b"354 go on\r\n354 go on\r\n",
)
#: What each kind of address is told at RCPT: the first time, and afterwards.
_AT_RCPT: Mapping[str, tuple[str, str]] = {
    "dead": ("550 5.1.1 no such user",) * 2,
    "full": ("552 5.2.2 mailbox full",) * 2,
    "grey": ("451 4.7.1 greylisted, come back later", ""),
    "never": ("450 4.2.0 not today",) * 2,
}
_AFTER_DOT: Mapping[str, tuple[str, str]] = {
    "busy": ("451 4.3.0 try again", ""),
    "spam": ("554 5.6.0 this content is not wanted",) * 2,
}
KINDS = ("ok", *_AT_RCPT, *_AFTER_DOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the server does wrong.

    Attributes:
        fault: cut, 421, garbage, hang, slow, or "" for nothing.
        phase: where, of ``PHASES``.
        is_abrupt: cut with a reset, instead of in good order (FIN).
        takes: in phase ``dot``: the message is accepted all the same.
        start: begins when the phase has been come to so often.
        times: so often at most.
        one_in: about each so-manieth conversation that comes to the phase.
        port: 0 for any.
    """

    fault: str = ""
    phase: str = ""
    is_abrupt: bool = False
    takes: bool = False
    start: int = 0
    times: int = 0
    one_in: int = 1
    seed: int = 0
    port: int = 0


class _Gone(Exception):
    """The conversation is over."""


class _Server:
    def __init__(self, folder: Path, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.chance = random.Random(behaviour.seed)
        self._seen: set[tuple[str, str]] = set()
        self._came = 0
        self._struck = 0
        self._files = {
            name: os.open(folder / f"{name}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for name in ("accepted", "refused", "strikes")
        }

    def write(self, name: str, **values: object) -> None:
        """One line in one write: whole or not there, however this process ends."""
        os.write(self._files[name], json.dumps(values | {"time": time.time()}).encode() + b"\n")

    def is_time(self, phase: str) -> bool:
        behaviour = self.behaviour
        if not behaviour.fault or behaviour.phase != phase or self._struck >= behaviour.times:
            return False
        self._came += 1
        if self._came < behaviour.start or self.chance.randrange(behaviour.one_in):
            return False
        self._struck += 1
        return True

    def refusal(self, table: Mapping[str, tuple[str, str]], place: str, recipient: str) -> str:
        """What a recipient is refused with; "" for not at all."""
        kind = re.match("[a-z]*", recipient)
        first, later = table.get(kind[0] if kind else "", ("", ""))
        key = (place, recipient)
        said = later if key in self._seen else first
        self._seen.add(key)
        if said:
            self.write("refused", recipient=recipient, code=int(said[:3]))
        return said

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Conversation(self, reader, writer).talk()
        except (_Gone, OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.transport.abort()


class _Conversation:
    def __init__(
        self, server: _Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.recipient = ""

    async def talk(self) -> None:
        await self.say("connect", "220 soak.test ESMTP")
        while line := await self.reader.readline():
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    offers = ("soak.test", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
                    lines = [f"250-{offer}" for offer in offers]
                    await self.say("ehlo", "\r\n".join([*lines, "250 PIPELINING"]))
                case "MAIL":
                    self.recipient = ""
                    await self.say("mail", "250 2.1.0 Ok")
                case "RCPT":
                    await self.rcpt(argument.partition(":")[2].strip("<>"))
                case "DATA":
                    await self.take_message()
                case "RSET":
                    self.recipient = ""
                    await self.say("", "250 2.0.0 Ok")
                case "QUIT":
                    await self.say("", "221 2.0.0 Bye")
                    return
                case _:
                    await self.say("", "500 5.5.2 what?")

    async def rcpt(self, recipient: str) -> None:
        if self.server.is_time("rcpt"):
            await self.strike("rcpt", recipient)
        refusal = self.server.refusal(_AT_RCPT, "rcpt", recipient)
        self.recipient = "" if refusal else recipient
        await self.say("", refusal or "250 2.1.5 Ok")

    async def take_message(self) -> None:
        if not self.recipient:
            await self.say("", "554 5.5.1 no valid recipients")
            return
        await self.say("data", "354 go on")
        if self.server.is_time("content"):
            await self.reader.readexactly(self.server.chance.randrange(1, 9000))
            await self.strike("content", self.recipient)
        content = await self.reader.readuntil(b"\r\n.\r\n")
        recipient, self.recipient = self.recipient, ""
        is_time = self.server.is_time("dot")
        if is_time and not self.server.behaviour.takes:
            await self.strike("dot", recipient)
        refusal = self.server.refusal(_AFTER_DOT, "dot", recipient)
        if not refusal:
            found = re.search(rb"^Message-ID: *<([^>]*)>", content, re.MULTILINE | re.IGNORECASE)
            message_id = found[1].decode() if found else ""
            self.server.write("accepted", recipient=recipient, message_id=message_id)
        if is_time:
            await self.strike("dot", recipient)
        await self.say("", refusal or "250 2.0.0 Ok: queued")
        if self.server.is_time("answered"):
            await self.strike("answered", recipient)

    async def say(self, phase: str, answer: str) -> None:
        if self.server.is_time(phase):
            await self.strike(phase, self.recipient)
        self.writer.write(answer.encode() + b"\r\n")
        await self.writer.drain()

    async def strike(self, phase: str, recipient: str) -> None:
        """Do what is wrong; returns only where the answer shall follow."""
        server, behaviour = self.server, self.server.behaviour
        server.write("strikes", phase=phase, recipient=recipient)
        match behaviour.fault:
            case "slow":
                await asyncio.sleep(server.chance.uniform(0.02, 0.4))
                return
            case "hang":
                await self.wait_for_end()
            case "421":
                self.writer.write(b"421 4.3.2 the server is going down\r\n")
            case "garbage":
                self.writer.write(server.chance.choice(_GARBAGE))
        if behaviour.is_abrupt and behaviour.fault == "cut":
            # No waiting, and a reset instead of an end (SO_LINGER of 0 seconds).
            peer = self.writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
            raise _Gone
        await self.writer.drain()
        self.writer.write_eof()
        await self.wait_for_end()
        raise _Gone

    async def wait_for_end(self) -> None:
        """Read what still comes and answer nothing, so that nothing that was said gets lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                while await self.reader.read(65536):
                    pass


async def _serve_for_ever(folder: Path, behaviour: Behaviour) -> None:
    server = _Server(folder, behaviour)
    listening = await asyncio.start_server(
        server.serve, "127.0.0.1", behaviour.port, limit=_LARGEST, backlog=200
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    # Whoever has started this holds the other end of stdin.
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_parent)
    await listening.serve_forever()


def _end_with_parent() -> None:
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(_serve_for_ever(Path(sys.argv[1]), Behaviour(**json.loads(sys.argv[2]))))

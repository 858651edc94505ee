"""An SMTP server that takes every message and keeps none; can wait before each answer.

Prints its port, and a line more after ``--tell-after`` messages. Runs until it is killed.
"""

import argparse
import asyncio
import ssl
from collections import deque
from pathlib import Path
from typing import cast

import trustme

from benchmarks.programs.loops import run_on
from benchmarks.tools import best_loop

_END = b"\r\n.\r\n"
_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 30000000\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class _Count:
    def __init__(self, tell_after: int) -> None:
        self._left = tell_after

    def add_one(self) -> None:
        self._left -= 1
        if self._left == 0:
            print("enough", flush=True)


class _Session(asyncio.Protocol):
    def __init__(self, count: _Count, delay_s: float) -> None:
        self._count = count
        self._delay_s = delay_s
        self._rest = b""
        self._is_content = False
        # Timers that are due at the same time fire in any order; the answers have one.
        self._waiting: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of uvloop are no subclass of it.
        self._transport = cast(asyncio.Transport, transport)
        self._answer(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        answers = []
        while (answer := self._next_answer()) is not None:
            answers.append(answer)
        if answers:
            self._answer(b"".join(answers))

    def _next_answer(self) -> bytes | None:
        """The answer to the next command or message that is here as a whole."""
        if self._is_content:
            end = self._rest.find(_END)
            if end < 0:
                # The end may be on its way in two pieces.
                self._rest = self._rest[1 - len(_END) :]
                return None
            self._rest = self._rest[end + len(_END) :]
            self._is_content = False
            self._count.add_one()
            return b"250 taken\r\n"
        line, newline, rest = self._rest.partition(b"\r\n")
        if not newline:
            return None
        verb = line[:4].upper()
        self._is_content = verb == b"DATA"
        # An empty message begins with its end.
        self._rest = b"\r\n" + rest if self._is_content else rest
        return _ANSWERS.get(verb, b"250 good\r\n")

    def _answer(self, answer: bytes) -> None:
        if not self._delay_s:
            self._write(answer)
            return
        # As on a long way: each answer comes so long after its command, and not after the answer
        # before it.
        self._waiting.append(answer)
        asyncio.get_running_loop().call_later(self._delay_s, self._answer_now)

    def _answer_now(self) -> None:
        self._write(self._waiting.popleft())

    def _write(self, answer: bytes) -> None:
        self._transport.write(answer)
        if answer.endswith(_ANSWERS[b"QUIT"]):
            self._transport.close()


async def _serve(delay_s: float, tell_after: int, tls: ssl.SSLContext | None) -> None:
    count = _Count(tell_after)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Session(count, delay_s), "127.0.0.1", 0, ssl=tls, backlog=1000
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _make_certificate(folder: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--tell-after", type=int, default=0, help="messages")
    parser.add_argument("--tls", type=Path, help="speak TLS; the authority goes into this folder")
    chosen = parser.parse_args()
    tls = None if chosen.tls is None else _make_certificate(chosen.tls)
    run_on(best_loop(), _serve(chosen.delay, chosen.tell_after, tls))


if __name__ == "__main__":
    main()

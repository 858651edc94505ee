"""A road to a mail server on which accidents happen, to recipients that are named before."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from types import TracebackType
from typing import Self


class Accident(Enum):
    """What happens to the message of one recipient; only in plain text, lines are read."""

    #: All of it arrives but the final dot, then the connection breaks.
    LOST_DOT = auto()
    #: The server has it and says so, and the connection breaks before we hear it.
    LOST_ANSWER = auto()
    #: The server has it and says so, and we wait for ever to hear it.
    HELD_ANSWER = auto()


class BadRoad:
    """Listens on 127.0.0.1 and passes lines on to a server's port, both ways."""

    def __init__(self, target: int, accidents: dict[str, Accident]) -> None:
        self._server = _Listener(target, accidents)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        _break(*self._server.connections)
        # Waits for their threads.
        self._server.server_close()

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port


class _Listener(socketserver.ThreadingTCPServer):
    def __init__(self, target: int, accidents: dict[str, Accident]) -> None:
        super().__init__(("127.0.0.1", 0), _Journey)
        self.target = target
        self.accidents = accidents
        self.connections: list[socket.socket] = []


class _Journey(socketserver.StreamRequestHandler):
    """One connection."""

    server: _Listener
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._accident: Accident | None = None
        self.server.connections.append(self.connection)
        with socket.create_connection(("127.0.0.1", self.server.target), timeout=60) as far:
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._carry_answers, args=(far,))
            back.start()
            with _broken_afterwards(self.connection, far):
                self._carry_commands(far)
            back.join()

    def _carry_commands(self, far: socket.socket) -> None:
        recipient = ""
        for line in self.rfile:
            if line.upper().startswith(b"RCPT TO:<"):
                recipient = line.decode()[len("RCPT TO:<") :].partition(">")[0]
            if line == b".\r\n":
                accident = self.server.accidents.get(recipient)
                if accident is Accident.LOST_DOT:
                    return
                self._accident = accident
            far.sendall(line)

    def _carry_answers(self, far: socket.socket) -> None:
        with _broken_afterwards(self.connection, far), far.makefile("rb") as answers:
            is_held = False
            for line in answers:
                if b"queued as" in line and self._accident is not None:
                    if self._accident is Accident.LOST_ANSWER:
                        return
                    is_held = True
                # Those behind it answer what was sent together with the dot (RFC 2920).
                if not is_held:
                    self.connection.sendall(line)


@contextmanager
def _broken_afterwards(*connections: socket.socket) -> Iterator[None]:
    """Whoever comes to an end first takes both ends of the road with him."""
    with suppress(OSError):
        yield
    _break(*connections)


def _break(*connections: socket.socket) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

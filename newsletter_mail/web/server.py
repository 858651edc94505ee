"""Runs an application with uvicorn until somebody stops it."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from newsletter_mail.errors import InputError

#: How long requests that are under way may take after the signal to stop, seconds.
STOP_TIMEOUT_S = 20
_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on.

    Args:
        port: 0 takes any free one.

    Raises:
        InputError: the port is in use, or the host is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot listen on {host}, port {port}: {reason}. Choose another with --port"
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it: ``http://127.0.0.1:8000``."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        when_ready: Callable[[], None],
        when_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._when_ready = when_ready
        self._when_stopping = when_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._when_stopping()


def serve_until_stopped(
    app: ASGIApp,
    listener: socket.socket,
    *,
    when_ready: Callable[[], None],
    when_stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM; what is under way is answered before the end.

    Args:
        when_ready: called once, when requests are taken.
        when_stopping: called by the signal, to end answers that would never end by themselves.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="warning",
        lifespan="off",
        ws="none",
        # Nothing that a client claims about itself is used.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
    )
    server = _Server(config, when_ready, when_stopping)

    def stop(_signal: int, _frame: object) -> None:
        server.should_exit = True

    # uvicorn gives the signal that stopped it to whoever had it before; by default that is the
    # end of the process, with another exit code than 0.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

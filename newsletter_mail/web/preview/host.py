"""Refuses requests that were meant for another name than this machine's own.

A page from elsewhere can give its name the address 127.0.0.1 (DNS rebinding), and then read what
this server answers; the Host header gives it away.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HTTP_PORT = 80


class OwnNameOnly:
    """Middleware: 400 unless Host is a name of loopback with the very port."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not _is_for_us(scope):
            refusal = PlainTextResponse("This is not the name of the preview.\n", status_code=400)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_for_us(scope: Scope) -> bool:
    server = scope.get("server")
    port = server[1] if server else None
    allowed = {f"{name}:{port}" for name in _NAMES}
    if port == _HTTP_PORT:
        allowed.update(_NAMES)
    hosts = Headers(scope=scope).getlist("host")
    return len(hosts) == 1 and hosts[0].lower() in allowed

"""One short line for each request, without what a stranger could use: no token, no IP address."""

import logging
import re
from collections.abc import Callable
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger("newsletter_mail.web.access")
_SHOWN = 6
# After /u/ and /p/ stands a token; whatever else is this long may be one that strayed.
_TOKEN = re.compile(r"(?<=/u/)[^/]+|(?<=/p/)[^/]+|[^/]{48,}", re.IGNORECASE)


def shown_path(path: str) -> str:
    """A path for the log: tokens cut, on one line, in ASCII.

    >>> shown_path("/u/WyJhYmMiXQ.c2lnbmF0dXJl")
    '/u/WyJhYm…'
    """
    safe = quote(path, safe="/:@!$&'()*+,;=~-._")
    return _TOKEN.sub(lambda match: _cut(match[0]), safe)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class AccessLog:
    """Middleware: a line when the answer is out.

    Args:
        clock_s: a clock that only goes forward, seconds.
    """

    def __init__(self, app: ASGIApp, *, clock_s: Callable[[], float]) -> None:
        self._app = app
        self._clock_s = clock_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at = self._clock_s()
        # Stays so when the application raises before it answers.
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            _LOG.info(
                "%s %s %d %.0f ms",
                quote(scope["method"]),
                shown_path(scope["path"]),
                status,
                (self._clock_s() - started_at) * 1000,
            )

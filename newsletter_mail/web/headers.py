"""The headers of every answer: no scripts, no frames, no Referer, no cookies, nothing cached."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What a page may load: nothing but pictures of ours and the one style that ``style`` names.
_POLICY = (
    "default-src 'none'; style-src {style}; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def content_policy(style: str = "'none'") -> str:
    """A Content-Security-Policy that lets in the styles of that source and no script at all."""
    return _POLICY.format(style=style)


def secure(headers: MutableHeaders) -> None:
    """Give an answer the headers that it does not have already."""
    headers.setdefault("Content-Security-Policy", content_policy())
    # The token stands in the address: it must not travel to another site.
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cache-Control", "no-store")


class SecureHeaders:
    """Middleware: ``secure`` for every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_secured)

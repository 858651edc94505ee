"""Tells an open page that the files have changed: server-sent events (WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from newsletter_mail.web.preview.watching import Watch

#: After how long the browser connects again, milliseconds.
_RETRY_MS = 1000
#: So many quiet seconds, and a comment is sent: a browser that has gone away is noticed.
_QUIET_S = 15


def event_stream(watch: Watch, stopping: asyncio.Event) -> StreamingResponse:
    """An answer that lasts: one event with the digest at once, and one after each change.

    Args:
        stopping: ends it.
    """
    return StreamingResponse(
        _events(watch, stopping),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _events(watch: Watch, stopping: asyncio.Event) -> AsyncIterator[str]:
    yield f"retry: {_RETRY_MS}\n\n"
    quiet = 0
    async for digest in watch.digests(stopping):
        quiet = 0 if digest else quiet + 1
        if digest:
            yield f"data: {digest}\n\n"
        elif quiet % _QUIET_S == 0:
            yield ": still here\n\n"

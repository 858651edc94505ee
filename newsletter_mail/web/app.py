"""The public pages, put together; errors become pages here and nowhere else."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newsletter_mail.errors import StoreError, TokenError
from newsletter_mail.settings import Settings
from newsletter_mail.store.migrate import revisions
from newsletter_mail.tokens import Purpose, Tokens
from newsletter_mail.web.access_log import AccessLog
from newsletter_mail.web.headers import SecureHeaders
from newsletter_mail.web.leaving import METHODS, LeavingPages
from newsletter_mail.web.reading import ReadingPages
from newsletter_mail.web.rendering import Renderer

_LOG = logging.getLogger("newsletter_mail.web")
#: When to come back after a 503, seconds.
_RETRY_AFTER_S = 60


def create_app(settings: Settings, engine: Engine, *, clock: Callable[[], datetime]) -> Starlette:
    """The public pages of a newsletter (ASGI).

    Args:
        engine: on a database that is up to date.
        clock: the time, aware UTC.

    Raises:
        ConfigError: there is no secret key to check links with.
    """
    name = settings.newsletter.name
    renderer = Renderer(newsletter_name=name, language=settings.newsletter.language)
    tokens = Tokens(settings.secret_keys)

    def leaving(purpose: Purpose) -> LeavingPages:
        return LeavingPages(
            purpose=purpose,
            tokens=tokens,
            engine=engine,
            renderer=renderer,
            newsletter_name=name,
            now=clock,
        )

    errors = _ErrorPages(renderer)
    read = ReadingPages(engine=engine, base_url=settings.web.base_url)
    app = Starlette(
        routes=[
            Route("/u/{token}", leaving(Purpose.UNSUBSCRIBE).answer, methods=METHODS),
            Route("/p/{token}", leaving(Purpose.PREFERENCES).answer, methods=METHODS),
            Route("/i/{slug}", read.edition),
            Route("/i/{slug}/{language}", read.edition),
            Route("/media/{name}", read.picture),
            Route("/healthz", lambda request: health(engine)),
            Route("/", lambda request: renderer.page("home")),
        ],
        middleware=[
            Middleware(AccessLog, clock_s=time.monotonic),
            Middleware(SecureHeaders),
        ],
        exception_handlers={
            TokenError: errors.unknown,
            HTTPException: errors.refused,
            StoreError: errors.busy,
            SQLAlchemyError: errors.busy,
            Exception: errors.broken,
        },
    )
    # A redirect would name the host that the client claims, and lose the body of a POST.
    app.router.redirect_slashes = False
    return app


def health(engine: Engine) -> Response:
    """Whether the database answers and is at the revision of this program."""
    try:
        current, newest = revisions(engine)
    except (StoreError, SQLAlchemyError) as error:
        _LOG.error("healthz: %s", _sentence(error))
        return JSONResponse({"status": "database does not answer"}, status_code=503)
    if current != newest:
        return JSONResponse({"status": "database is not up to date"}, status_code=503)
    return JSONResponse({"status": "ok"})


class _ErrorPages:
    """What stands where a page should have been. Each method is a handler of Starlette's."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def unknown(self, request: Request, error: Exception) -> Response:
        """404, the same whatever was wrong with the link."""
        page = self._renderer.page("note", status=404, note="unknown")
        page.headers["X-Robots-Tag"] = "noindex, nofollow"
        return page

    def refused(self, request: Request, error: Exception) -> Response:
        """What the router refuses: no such page, no such method."""
        if not isinstance(error, HTTPException) or error.status_code == HTTPStatus.NOT_FOUND:
            return self.unknown(request, error)
        page = self._renderer.page("note", status=error.status_code, note="refused")
        page.headers.update(error.headers or {})
        return page

    def busy(self, request: Request, error: Exception) -> Response:
        """The database is away, locked or full: a mail provider tries its POST again."""
        _LOG.error("%s", _sentence(error))
        page = self._renderer.page("note", status=503, note="busy")
        page.headers["Retry-After"] = str(_RETRY_AFTER_S)
        return page

    def broken(self, request: Request, error: Exception) -> Response:
        """A mistake in this program; the server logs its traceback."""
        return self._renderer.page("note", status=500, note="broken")


def _sentence(error: Exception) -> str:
    """What happened, without the statement and its values, which name people."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]

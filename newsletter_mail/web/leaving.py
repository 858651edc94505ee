"""The pages behind a signed link: leave, take it back, see what one is on.

GET, HEAD and OPTIONS change nothing, whoever asks: link scanners follow every link, some of them
with a browser that runs scripts. Only a POST leaves, and only with a field that says so
(RFC 8058 section 3.2, or the button of our own page).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from newsletter_mail.audience.subscriptions import undo_unsubscribe, unsubscribe
from newsletter_mail.errors import BadToken
from newsletter_mail.tokens import Grant, Purpose, Tokens
from newsletter_mail.web.forms import read_form
from newsletter_mail.web.rendering import Renderer
from newsletter_mail.web.visits import Visit, find_visit, leave_sources

# Whatever else is in the address is not looked up, and not even checked.
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{16,512}")
#: The methods that the pages answer.
METHODS = ("GET", "HEAD", "OPTIONS", "POST")
# Pages for one person are for no search engine.
_PRIVATE = {"X-Robots-Tag": "noindex, nofollow"}


class LeavingPages:
    """``/u/TOKEN`` or ``/p/TOKEN``.

    Args:
        purpose: of the tokens that it takes.
        newsletter_name: what a person on the list ``main`` receives.
        now: the clock.
    """

    def __init__(
        self,
        *,
        purpose: Purpose,
        tokens: Tokens,
        engine: Engine,
        renderer: Renderer,
        newsletter_name: str,
        now: Callable[[], datetime],
    ) -> None:
        self._purpose = purpose
        self._tokens = tokens
        self._engine = engine
        self._renderer = renderer
        self._newsletter_name = newsletter_name
        self._now = now

    async def answer(self, request: Request) -> Response:
        """Any method.

        Raises:
            BadToken: the token grants nothing.
            StoreError: the wish could not be stored.
        """
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(METHODS), **_PRIVATE})
        if request.method == "POST":
            return await run_in_threadpool(self._act, request, await read_form(request))
        return await run_in_threadpool(self._show, request)

    def _show(self, request: Request) -> Response:
        """Who would leave what, and a button."""
        grant = self._grant(request)
        if grant.is_test:
            return self._test_page(is_posted=False)
        return self._visit_page(self._visit(grant))

    def _act(self, request: Request, form: Mapping[str, str]) -> Response:
        grant = self._grant(request)
        is_one_click = form.get("List-Unsubscribe", "").strip() == "One-Click"
        action = form.get("action")
        if not is_one_click and action not in ("unsubscribe", "undo"):
            return self._page("note", status=400, note="refused")
        if grant.is_test:
            return self._test_page(is_posted=True)
        visit = self._visit(grant)
        by_page, by_one_click = leave_sources(self._purpose, grant.issue)
        if is_one_click:
            self._leave(visit, source=by_one_click)
            return PlainTextResponse("You are unsubscribed.\n", headers=_PRIVATE)
        if action == "unsubscribe":
            self._leave(visit, source=by_page)
            return self._visit_page(self._visit(grant))
        self._take_back(visit, source=by_page)
        return self._visit_page(self._visit(grant), is_back=True)

    def _leave(self, visit: Visit, *, source: str) -> None:
        # A second click has nothing to store, and must not wait for the lock of a writer.
        if visit.leaves:
            unsubscribe(
                self._engine,
                visit.subscriber_id,
                list_slugs=visit.leaves,
                source=source,
                now=self._now(),
            )

    def _take_back(self, visit: Visit, *, source: str) -> None:
        if visit.takes_back:
            undo_unsubscribe(
                self._engine,
                visit.subscriber_id,
                list_slugs=visit.takes_back,
                source=source,
                now=self._now(),
            )

    def _grant(self, request: Request) -> Grant:
        token = str(request.path_params["token"])
        if not _TOKEN.fullmatch(token):
            raise BadToken("the token has another shape")
        return self._tokens.read(self._purpose, token)

    def _visit(self, grant: Grant) -> Visit:
        visit = find_visit(
            self._engine, self._purpose, grant, newsletter_name=self._newsletter_name
        )
        if visit is None:
            # The same answer as to a forged token: nobody learns who was here once.
            raise BadToken("the subscriber does not exist any more")
        return visit

    def _visit_page(self, visit: Visit, *, is_back: bool = False) -> Response:
        if not visit.leaves:
            return self._page("left", visit.language, visit=visit)
        if is_back:
            return self._page("back", visit.language, visit=visit)
        name = "preferences" if self._purpose is Purpose.PREFERENCES else "leave"
        return self._page(name, visit.language, visit=visit)

    def _test_page(self, *, is_posted: bool) -> Response:
        return self._page("test", is_posted=is_posted)

    def _page(
        self, name: str, language: str = "", *, status: int = 200, **values: object
    ) -> Response:
        page = self._renderer.page(name, language=language, status=status, **values)
        page.headers.update(_PRIVATE)
        return page

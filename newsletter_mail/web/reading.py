"""Issues on the web, and their pictures: the same for everybody, with nothing of anybody in it."""

import re
from collections.abc import Callable

from sqlalchemy import Engine, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from newsletter_mail.delivery.editions import load_edition
from newsletter_mail.errors import MergeValueMissing, MessageError
from newsletter_mail.merge import Scope
from newsletter_mail.message.patterns import fill_hole, picture_attribute
from newsletter_mail.message.scope import Links, merge_scope
from newsletter_mail.store.engine import reading as reading_from
from newsletter_mail.store.schema import pictures
from newsletter_mail.web.headers import content_policy
from newsletter_mail.words import Build, Hole, Recipient

_PICTURE_NAME = re.compile(r"[0-9a-f]{16,64}\.[a-z0-9]{2,5}")
# What an issue can have: its pictures, and the calendar files of its events.
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,40}|text/calendar")
# A mail is styled on its elements, which no hash can name; it has no script to be afraid of.
_EDITION_POLICY = content_policy(style="'unsafe-inline'")


class ReadingPages:
    """``/i/SLUG``, ``/i/SLUG/LANG`` and ``/media/NAME``.

    Args:
        base_url: where the public pages are, without a slash at its end.
    """

    def __init__(self, *, engine: Engine, base_url: str) -> None:
        self._engine = engine
        self._base_url = base_url

    def edition(self, request: Request) -> Response:
        """The frozen edition of an issue, filled for nobody in particular."""
        slug = str(request.path_params["slug"])
        language = request.path_params.get("language")
        with reading_from(self._engine) as connection:
            build = load_edition(connection, slug, language)
        if build is None:
            raise HTTPException(404)
        # The address as the reader's browser has it may differ from base_url; a relative one
        # holds under both.
        to_root = "../" if language is None else "../../"
        html = neutral_html(
            build,
            web_url=f"{self._base_url}/i/{slug}",
            picture_url=lambda name: f"{to_root}media/{name}",
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": _EDITION_POLICY})

    def picture(self, request: Request) -> Response:
        """A picture or a calendar file of a frozen edition; its name is the digest of its bytes."""
        name = str(request.path_params["name"])
        if not _PICTURE_NAME.fullmatch(name):
            raise HTTPException(404)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": f'"{name}"',
            # Webmail shows it on a page of another origin.
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        with reading_from(self._engine) as connection:
            row = connection.execute(select(pictures).where(pictures.c.name == name)).one_or_none()
        if row is None or not _MEDIA_TYPE.fullmatch(row.media_type):
            raise HTTPException(404)
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(row.content, media_type=row.media_type, headers=headers)


def neutral_html(build: Build, *, web_url: str, picture_url: Callable[[str], str]) -> str:
    """The HTML of a build for a reader who may be anybody.

    A merge tag has its default, or nothing; a link that would be one person's own leads to the
    page itself.

    Args:
        web_url: of the page.
        picture_url: makes the address of a picture from its name.
    """
    links = Links(unsubscribe_url=web_url, preferences_url=web_url, web_url=web_url)
    scope = merge_scope(build, Recipient(public_id="", email=""), links)
    return "".join(
        part
        if isinstance(part, str)
        else _fill_neutrally(part, scope)
        if isinstance(part, Hole)
        else picture_attribute(part, picture_url)
        for part in build.html
    )


def _fill_neutrally(hole: Hole, scope: Scope) -> str:
    try:
        return fill_hole(hole, scope)
    except (MergeValueMissing, MessageError):
        return ""

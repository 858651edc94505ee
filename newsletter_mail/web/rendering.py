"""Makes pages from the templates in ``pages/``: autoescaped, one inline style, no script."""

import hashlib
from base64 import b64encode
from functools import cached_property
from pathlib import Path

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from newsletter_mail.phrases import direction_of, spoken
from newsletter_mail.web.headers import content_policy, secure
from newsletter_mail.web.phrases import phrases_for

_FOLDER = Path(__file__).with_name("pages")


def source_hash(content: str) -> str:
    """The hash by which a Content-Security-Policy lets an inline style or script in."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"


def with_marks(phrase: str, **values: str) -> Markup:
    """Fill a phrase; the values are escaped, set off, and keep their own direction."""
    marked = {
        name: Markup('<bdi class="{}">{}</bdi>').format(name, value)
        for name, value in values.items()
    }
    return Markup(phrase).format(**marked)  # noqa: S704 - the phrases are ours


class Renderer:
    """Makes the pages of one newsletter.

    Args:
        newsletter_name: for the top of each page.
        language: of pages that are for nobody in particular.
    """

    def __init__(self, *, newsletter_name: str, language: str) -> None:
        self._language = language
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["fill"] = with_marks
        self._environment.globals["newsletter_name"] = newsletter_name
        # One style inside each page: a page of ours looks right under any address, however a
        # proxy has mapped it, and costs one request.
        self._environment.globals["stylesheet"] = Markup(self._stylesheet)  # noqa: S704 - ours

    @cached_property
    def _stylesheet(self) -> str:
        return (_FOLDER / "pages.css").read_text(encoding="utf-8")

    @cached_property
    def _policy(self) -> str:
        return content_policy(style=source_hash(self._stylesheet))

    def page(
        self, name: str, *, language: str = "", status: int = 200, **values: object
    ) -> HTMLResponse:
        """A page, with all its headers.

        Args:
            name: of the template, without its suffixes.
            language: the reader's; the newsletter's where we do not speak it.
        """
        tag = spoken(language, self._language)
        html = self._environment.get_template(f"{name}.html.j2").render(
            words=phrases_for(tag), language=tag, direction=direction_of(tag), **values
        )
        response = HTMLResponse(html, status_code=status)
        response.headers["Content-Security-Policy"] = self._policy
        secure(response.headers)
        return response

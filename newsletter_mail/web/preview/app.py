"""The pages of the preview; bind it to loopback."""

import asyncio
import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from newsletter_mail.audience.searching import search_addresses
from newsletter_mail.checks.findings import Finding, Level, count_level
from newsletter_mail.checks.source import SourceText
from newsletter_mail.errors import StoreError
from newsletter_mail.web.headers import SecureHeaders, content_policy
from newsletter_mail.web.inbox import snippet
from newsletter_mail.web.preview.choices import WIDTHS, Choice, Show
from newsletter_mail.web.preview.events import event_stream
from newsletter_mail.web.preview.frames import framed_copy, guessed_height
from newsletter_mail.web.preview.host import OwnNameOnly
from newsletter_mail.web.preview.opening import PreviewSettings
from newsletter_mail.web.preview.readers import Filling, Reader, find_reader
from newsletter_mail.web.preview.sources import read_lines
from newsletter_mail.web.preview.views import View, Views
from newsletter_mail.web.rendering import source_hash
from newsletter_mail.words import Build

_FOLDER = Path(__file__).parent.with_name("pages")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The preview (ASGI), and how to end the answers that last.

    Attributes:
        stopping: set it, and every open page is let go.
    """

    app: Starlette
    stopping: asyncio.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    """One language, filled in."""

    build: Build
    subject: str
    html: str
    text: str


def create_preview(settings: PreviewSettings) -> Preview:
    """The preview of the issues of a workspace."""
    stopping = asyncio.Event()
    pages = _Pages(settings, stopping)
    app = Starlette(
        routes=[
            Route("/", pages.index),
            Route("/issue/{slug}", pages.issue),
            Route("/html/{slug}", pages.html),
            Route("/events/{slug}", pages.events),
            Route("/subscribers/{slug}", pages.subscribers),
            Route("/media/{name}", pages.picture),
            # Browsers ask for one, and complain where there is none.
            Route("/favicon.ico", lambda _request: Response(status_code=204)),
        ],
        middleware=[Middleware(SecureHeaders), Middleware(OwnNameOnly)],
    )
    app.router.redirect_slashes = False
    return Preview(app=app, stopping=stopping)


class _Pages:
    def __init__(self, settings: PreviewSettings, stopping: asyncio.Event) -> None:
        self._settings = settings
        self._stopping = stopping
        self._views = Views(settings)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._script = (_FOLDER / "preview.js").read_text(encoding="utf-8")
        self._style = (_FOLDER / "preview.css").read_text(encoding="utf-8")
        self._policy = (
            f"{content_policy(source_hash(self._style))}; "
            f"script-src {source_hash(self._script)}; connect-src 'self'; frame-src 'self'"
        )

    def index(self, request: Request) -> Response:
        """Which issues there are."""
        return self._page("preview_index", slugs=sorted(self._settings.folders(), reverse=True))

    def issue(self, request: Request) -> Response:
        """An issue as the author has chosen to see it; what is wrong with it, and where.

        The mail comes first; asked again with ``complete``, the page has what the check found.
        """
        view = (
            self._views.checked_view(_slug(request))
            if "complete" in request.query_params
            else self._view(request)
        )
        choice = Choice.of(request.query_params)
        reader = find_reader(view.mailer, choice.reader)
        language = view.language_for(choice.language, reader.recipient.language)
        mail = self._mail(view, language, reader)
        findings = (*self._reader_findings(view, language, reader), *view.findings)
        source = self._views.source_file(view, language, choice.file)
        name, file = source or ("", Path())
        return self._page(
            "preview_issue",
            # One that was deleted while it was looked at may come back.
            status=200 if view.exists or view.files else 404,
            slug=view.slug,
            view=view,
            choice=choice,
            language=language,
            reader=reader,
            mail=mail,
            sender=_sender(view),
            snippet=snippet(mail.html) if mail else "",
            frames=[self._frame(view, choice, show, mail) for show in choice.frames if mail],
            findings=findings,
            numbers={level: count_level(findings, level) for level in Level},
            opens=self._files_to_open(view, language, findings),
            source_name=name,
            lines=read_lines(file, name, findings) if source and choice.show is Show.SOURCE else [],
        )

    def html(self, request: Request) -> Response:
        """The mail itself, for a frame."""
        view = self._view(request)
        choice = Choice.of(request.query_params)
        reader = find_reader(view.mailer, choice.reader)
        mail = self._mail(view, view.language_for(choice.language, ""), reader)
        if mail is None:
            raise HTTPException(404, "There is no mail to show yet.")
        policy = content_policy("'unsafe-inline'").replace(
            "frame-ancestors 'none'", "frame-ancestors 'self'"
        )
        if choice.pictures == "off":
            policy = policy.replace("img-src 'self'", "img-src 'none'")
        return HTMLResponse(
            self._copy(choice, mail),
            headers={
                # The attribute says it to the frame; this says it to whoever opens the address.
                "Content-Security-Policy": f"{policy}; sandbox",
                "X-Frame-Options": "SAMEORIGIN",
            },
        )

    async def events(self, request: Request) -> Response:
        """Server-sent events: the digest of the files, at once and after each change."""
        slug = _slug(request)
        return event_stream(self._views.watch(slug), self._stopping)

    def subscribers(self, request: Request) -> Response:
        """Addresses with the letters that somebody types."""
        mailer = self._view(request).mailer
        if mailer is None:
            return JSONResponse([])
        try:
            part = request.query_params.get("part", "")[:320]
            return JSONResponse(list(search_addresses(mailer.engine, part)))
        except StoreError:
            return JSONResponse([])

    def picture(self, request: Request) -> Response:
        """A picture of a mail that was shown."""
        picture = self._views.picture(str(request.path_params["name"]))
        if picture is None:
            raise HTTPException(404)
        return Response(
            picture.content,
            media_type=picture.media_type,
            # The name is the digest of the bytes: a mail that is loaded again has it at hand.
            headers={"Cache-Control": "private, max-age=3600, immutable"},
        )

    def _view(self, request: Request) -> View:
        return self._views.view(_slug(request))

    def _mail(self, view: View, language: str, reader: Reader) -> _Mail | None:
        build = view.builds.get(language)
        if build is None:
            return None
        filling = self._filling(view, build, reader)
        return _Mail(
            build=build,
            subject=filling.fill(build.subject),
            html=filling.fill(build.html),
            text=filling.fill(build.text),
        )

    def _filling(self, view: View, build: Build, reader: Reader) -> Filling:
        base = "https://example.org" if view.opened is None else view.opened.settings.web.base_url
        return Filling(build=build, reader=reader, base_url=base)

    def _copy(self, choice: Choice, mail: _Mail) -> str:
        return framed_copy(mail.html, scheme=choice.scheme, has_pictures=choice.pictures == "on")

    def _frame(
        self, view: View, choice: Choice, show: Show, mail: _Mail | None
    ) -> dict[str, object]:
        assert mail is not None  # noqa: S101 - asked for only where there is one
        copy = self._copy(choice, mail)
        address = replace(choice, language=mail.build.language, show=Show.DESKTOP)
        return {
            "show": show,
            "src": address.link(view.slug, "html"),
            "digest": hashlib.sha256(copy.encode()).hexdigest()[:16],
            "height": guessed_height(mail.html, WIDTHS[show]),
        }

    def _reader_findings(self, view: View, language: str, reader: Reader) -> list[Finding]:
        """What a chosen subscriber's mail lacks."""
        build = view.builds.get(language)
        if build is None or not reader.is_somebody:
            return []
        filling = self._filling(view, build, reader)
        for pattern in (build.subject, build.html, build.text):
            filling.fill(pattern)
        file = view.files[language]
        name = self._views.path_to_show(file)
        text = SourceText(name, tuple(line.text for line in read_lines(file, name, ())))
        return [
            Finding(
                rule="merge.value",
                level=Level.ERROR,
                message=f"{{{{ {one} }}}} has no value for {reader.recipient.email}, and no "
                'default: write {{ … | default("…") }}',
                file=name,
                line=text.line_with(one),
            )
            for one in filling.missing
        ]

    def _files_to_open(
        self, view: View, language: str, findings: tuple[Finding, ...]
    ) -> dict[str, str]:
        """The files of findings whose text can be shown, and in which language that is."""
        languages = {self._views.path_to_show(file): tag for tag, file in view.files.items()}
        return {
            finding.file: languages.get(finding.file, language)
            for finding in findings
            if self._views.source_file(view, language, finding.file)
        }

    def _page(self, name: str, *, status: int = 200, **values: object) -> Response:
        html = self._environment.get_template(f"{name}.html.j2").render(
            style=Markup(self._style),  # noqa: S704 - ours
            script=Markup(self._script),  # noqa: S704 - ours
            **values,
        )
        headers = {"Content-Security-Policy": self._policy}
        return HTMLResponse(html, status_code=status, headers=headers)


def _slug(request: Request) -> str:
    slug = str(request.path_params["slug"])
    if not _SLUG.fullmatch(slug):
        raise HTTPException(404)
    return slug


def _sender(view: View) -> str:
    if view.opened is None:
        return ""
    settings = view.opened.settings
    return settings.sender.name or settings.newsletter.name

"""The live preview: compiles an issue whenever it is asked for, and shows what comes out.

For the author's own machine: it answers to the names of loopback only, so that no page from
elsewhere can read a draft through a name that it controls (DNS rebinding).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter_mail.compose.build import ComposeSettings, compile_issue, issue_languages
from newsletter_mail.errors import MergeValueMissing, MessageError, NewsletterError
from newsletter_mail.merge import Scope
from newsletter_mail.message.patterns import escape, fill_hole, picture_attribute
from newsletter_mail.message.scope import Links, merge_scope
from newsletter_mail.web.headers import SecureHeaders, content_policy
from newsletter_mail.web.inbox import snippet
from newsletter_mail.web.rendering import source_hash
from newsletter_mail.words import Build, Hole, HoleContext, Pattern, Picture, Recipient

_FOLDER = Path(__file__).with_name("pages")
_LOOPBACK_NAMES = ("127.0.0.1", "localhost")
# A folder with more files than this is no issue; whoever points the preview at one must not wait.
_MAX_WATCHED_FILES = 2000
_READER = Recipient(
    public_id="preview",
    email="ada.reader@example.org",
    name="Ada Reader",
    first_name="Ada",
    last_name="Reader",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettings:
    """What the preview takes from the workspace.

    Attributes:
        workspace: absolute.
        folders: finds the issues that there are, by slug; asked again for each page.
        compose: for the compilation.
        sender: as the inbox shows it.
    """

    workspace: Path
    folders: Callable[[], Mapping[str, Path]]
    compose: ComposeSettings
    sender: str


def create_preview(settings: PreviewSettings) -> Starlette:
    """The preview (ASGI); bind it to loopback."""
    preview = _Preview(settings)
    app = Starlette(
        routes=[
            Route("/", preview.index),
            Route("/issue/{slug}", preview.issue),
            Route("/html/{slug}", preview.html),
            Route("/digest/{slug}", preview.digest),
            Route("/media/{name}", preview.picture),
        ],
        middleware=[
            Middleware(SecureHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK_NAMES, www_redirect=False),
        ],
    )
    app.router.redirect_slashes = False
    return app


class _Preview:
    def __init__(self, settings: PreviewSettings) -> None:
        self._settings = settings
        self._pictures: dict[str, dict[str, Picture]] = {}
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
        """Inbox line, wide, narrow and plain; or what is wrong, and where."""
        slug = str(request.path_params["slug"])
        language = request.query_params.get("language")
        # Taken before the files are read: what is saved in between makes the page load again.
        digest = self._files_digest(slug)
        try:
            build = self._build(slug, language)
            languages = self._languages(slug)
        except NewsletterError as error:
            return self._page(
                "preview_errors", slug=slug, digest=digest, errors=str(error).splitlines()
            )
        return self._page(
            "preview_issue",
            slug=slug,
            digest=digest,
            build=build,
            languages=languages,
            sender=self._settings.sender,
            subject=_filled(build, build.subject),
            snippet=snippet(_filled(build, build.html)),
            text=_filled(build, build.text),
        )

    def html(self, request: Request) -> Response:
        """The mail itself, for a frame."""
        slug = str(request.path_params["slug"])
        headers = {
            "Content-Security-Policy": content_policy("'unsafe-inline'").replace(
                "frame-ancestors 'none'", "frame-ancestors 'self'"
            ),
            "X-Frame-Options": "SAMEORIGIN",
        }
        try:
            build = self._build(slug, request.query_params.get("language"))
        except NewsletterError as error:
            return PlainTextResponse(str(error), status_code=409, headers=headers)
        return HTMLResponse(_filled(build, build.html), headers=headers)

    def digest(self, request: Request) -> Response:
        """Says by another text that a file has changed; the page asks once a second."""
        return PlainTextResponse(self._files_digest(str(request.path_params["slug"])))

    def picture(self, request: Request) -> Response:
        """A picture of a build that was shown."""
        name = str(request.path_params["name"])
        for pictures in list(self._pictures.values()):
            if name in pictures:
                picture = pictures[name]
                return Response(picture.content, media_type=picture.media_type)
        raise HTTPException(404)

    def _folder(self, slug: str) -> Path:
        folder = self._settings.folders().get(slug)
        if folder is None:
            raise HTTPException(404, f"There is no issue {slug} here.")
        return folder

    def _build(self, slug: str, language: str | None) -> Build:
        build = compile_issue(
            self._folder(slug),
            workspace=self._settings.workspace,
            settings=self._settings.compose,
            language=language or None,
        )
        self._pictures[f"{slug} {language}"] = {one.name: one for one in build.pictures}
        return build

    def _languages(self, slug: str) -> list[str]:
        return issue_languages(
            self._folder(slug),
            workspace=self._settings.workspace,
            settings=self._settings.compose,
        )

    def _files_digest(self, slug: str) -> str:
        digest = hashlib.sha256()
        for folder in (self._folder(slug), self._settings.workspace / "templates"):
            for path in sorted(islice(folder.rglob("*"), _MAX_WATCHED_FILES)):
                try:
                    status = path.lstat()
                except OSError:
                    # Editors save by replacing a file: it may be away for a moment.
                    continue
                digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
        return digest.hexdigest()

    def _page(self, name: str, **values: object) -> Response:
        html = self._environment.get_template(f"{name}.html.j2").render(
            style=Markup(self._style),  # noqa: S704 - ours
            script=Markup(self._script),  # noqa: S704 - ours
            **values,
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": self._policy})


def _filled(build: Build, pattern: Pattern) -> str:
    """A text for a made-up reader; a merge tag that has no value for them shows its name."""
    page = f"/issue/{build.slug}"
    links = Links(
        unsubscribe_url=f"https://example.org{page}",
        preferences_url=f"https://example.org{page}",
        web_url=f"https://example.org{page}",
    )
    scope = merge_scope(build, _READER, links)
    return "".join(
        part
        if isinstance(part, str)
        else _fill_visibly(part, scope)
        if isinstance(part, Hole)
        else picture_attribute(part, lambda name: f"/media/{name}")
        for part in pattern
    )


def _fill_visibly(hole: Hole, scope: Scope) -> str:
    try:
        return fill_hole(hole, scope)
    except MergeValueMissing:
        if hole.context is HoleContext.URL:
            return ""
        return escape(f"[{hole.expression}]", hole.context)
    except MessageError:
        return ""

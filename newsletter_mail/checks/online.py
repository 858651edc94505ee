"""Asks the servers that an issue links to; only with ``--online``.

Addresses of this machine and this network are not asked, also not after a redirect, but those of
the workspace's own pages.
"""

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from newsletter_mail import __version__
from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.links import host_of, is_local
from newsletter_mail.checks.registry import Scope, rule

#: Asked at the same time.
CONCURRENCY = 8
#: No server is waited for longer, in seconds.
TIMEOUT_S = 10.0
_AGENT = f"newsletter-mail/{__version__} (link check)"
# They answer a program like this, whatever they answer a browser.
_SHY = frozenset({401, 403, 405, 406, 429, 451, 503, 999})
_GONE = frozenset({404, 410})


class NotAsked(Exception):
    """An address that only this machine or network can reach."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to one link.

    Attributes:
        status: of HTTP, or 0 where there was no answer.
        reason: why there was none.
    """

    href: str
    line: int | None
    file: str
    status: int
    reason: str = ""


#: Status for an address; raises OSError, HTTPException, ValueError or NotAsked.
Ask = Callable[[str], int]


@rule(
    "links.dead",
    Level.ERROR,
    scope=Scope.ONLINE,
    says="Behind every link there is a page.",
    advice="link another page, or take the link out",
)
def _dead(answers: Iterable[Answer]) -> Iterator[Hit]:
    for answer in answers:
        if answer.status in _GONE:
            yield Hit(f"{answer.href} is gone ({answer.status})", answer.line, answer.file)


@rule(
    "links.unreachable",
    Level.WARNING,
    scope=Scope.ONLINE,
    says="The server of every link answers.",
    advice="open it in a browser before you send",
)
def _unreachable(answers: Iterable[Answer]) -> Iterator[Hit]:
    for answer in answers:
        is_bad = answer.status >= 400 and answer.status not in _SHY | _GONE
        if is_bad or answer.reason:
            said = answer.reason or f"status {answer.status}"
            yield Hit(
                f"{answer.href} did not answer as it should ({said})", answer.line, answer.file
            )


def ask_links(cases: Iterable[Case], *, ask: Ask | None = None) -> list[Answer]:
    """Ask for each http(s) link of the issue, once, and some at the same time."""
    places: dict[str, tuple[int | None, str]] = {}
    own = ""
    for case in cases:
        own = case.settings.web.base_url
        for href, _ in case.author_links():
            if href.lower().startswith(("http://", "https://")):
                address = href.partition("#")[0]
                places.setdefault(address, (case.line_of_link(href), case.source.file))
    chosen = ask or _Asker(host_of(own)).status
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        found = pool.map(lambda href: _answer(href, chosen), places)
        return [
            Answer(href, *places[href], status=status, reason=reason)
            for href, (status, reason) in zip(places, found, strict=True)
        ]


def _answer(href: str, ask: Ask) -> tuple[int, str]:
    try:
        return ask(href), ""
    except NotAsked:
        return 0, "it can only be reached from here, and was not asked"
    except (OSError, HTTPException, ValueError) as error:
        return 0, _reason(error)


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, TimeoutError):
        return f"no answer in {TIMEOUT_S:g} seconds"
    if isinstance(inner, socket.gaierror):
        return "there is no such host"
    if isinstance(inner, ssl.SSLError):
        return "its certificate is not good"
    return str(inner)[:120] or type(inner).__name__


class _Asker:
    """Asks with HEAD, and with GET where a server does not know HEAD.

    Args:
        own_host: may be local.
    """

    def __init__(self, own_host: str) -> None:
        self._own_host = own_host
        self._opener = build_opener(_Redirects(self._refuse_local))

    def status(self, href: str) -> int:
        """The status at the end of the redirects."""
        status = self._ask(href, "HEAD")
        return status if status < 400 else self._ask(href, "GET")

    def _ask(self, href: str, method: str) -> int:
        self._refuse_local(href)
        headers = {"User-Agent": _AGENT, "Accept": "*/*"}
        address = quote(href, safe="%/:=&?~#+!$,;'@()*[]")
        request = Request(address, headers=headers, method=method)  # noqa: S310  http and https only
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                return int(response.status)
        except HTTPError as error:
            error.close()
            return error.code

    def _refuse_local(self, href: str) -> None:
        if urlsplit(href).scheme not in {"http", "https"}:
            raise NotAsked
        host = host_of(href)
        if host == self._own_host:
            return
        if not host or is_local(host) or any(is_local(one) for one in _addresses(host)):
            raise NotAsked


def _addresses(host: str) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class _Redirects(HTTPRedirectHandler):
    max_redirections = 5

    def __init__(self, refuse_local: Callable[[str], None]) -> None:
        self._refuse_local = refuse_local

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        self._refuse_local(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

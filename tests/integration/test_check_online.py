import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from newsletter_mail.checks.catalogue import rules_for
from newsletter_mail.checks.registry import Scope
from tests.integration.people import Desk


class _Pages(BaseHTTPRequestHandler):
    """Answers with the number in the path; ``/shy`` knows no HEAD, ``/to/PORT`` leads elsewhere."""

    asked: list[str]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        type(self).asked.append(f"{self.command} {self.path}")
        where = self.path.strip("/")
        status = int(where) if where.isdigit() else 200
        if where == "shy" and self.command == "HEAD":
            status = 405
        if where.startswith("to/"):
            status = 302
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://localhost:{where[3:]}/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[ThreadingHTTPServer]:
    _Pages.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def desk(tmp_path: Path, pages: ThreadingHTTPServer) -> Desk:
    desk = Desk.make(tmp_path / "workspace")
    base_url = f"http://127.0.0.1:{pages.server_port}"
    desk.file(
        "newsletter.toml", f"[sender]\npostal_address = 'x'\n[web]\nbase_url = '{base_url}'\n"
    )
    (desk.path / "issues" / "spring").mkdir(parents=True)
    return desk


def _found(desk: Desk, path: str, *options: str) -> list[tuple[str, str, int]]:
    base_url = desk.path.joinpath("newsletter.toml").read_text("utf-8").split("'")[-2]
    desk.file(
        "issues/spring/issue.md",
        f"---\nsubject: s\npreheader: p\n---\nText.\n\n[The page]({base_url}{path})\n",
    )
    document = desk.run("check", "spring", "--format", "json", *options).json
    return [(one["rule"], one["level"], one["line"]) for one in document["findings"]]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/200", []),
        ("/shy", []),
        ("/403", []),
        ("/200#place", []),
        ("/404", [("links.dead", "error", 7)]),
        ("/410", [("links.dead", "error", 7)]),
        ("/500", [("links.unreachable", "warning", 7)]),
    ],
)
def test_the_answer_of_a_server_decides(
    path: str, found: list[tuple[str, str, int]], desk: Desk
) -> None:
    assert _found(desk, path, "--online") == found
    assert _Pages.asked[0] == f"HEAD {path.partition('#')[0]}"


def test_nobody_is_asked_unless_somebody_says_so(desk: Desk) -> None:
    assert _found(desk, "/404") == []
    assert _Pages.asked == []


def test_a_redirect_to_this_machine_is_not_followed(desk: Desk, pages: ThreadingHTTPServer) -> None:
    path = f"/to/{pages.server_port}"
    assert _found(desk, path, "--online") == [("links.unreachable", "warning", 7)]
    assert set(_Pages.asked) == {f"HEAD {path}"}


def test_a_server_that_is_not_there_is_a_warning(desk: Desk, pages: ThreadingHTTPServer) -> None:
    pages.server_close()
    pages.shutdown()
    assert _found(desk, "/200", "--online") == [("links.unreachable", "warning", 7)]


def test_each_link_is_asked_once(desk: Desk) -> None:
    _found(desk, "/200", "--online")
    assert _Pages.asked == ["HEAD /200"]


def test_there_are_no_other_rules_online() -> None:
    assert {rule.id for rule in rules_for(Scope.ONLINE)} == {"links.dead", "links.unreachable"}

"""The calendar file of an event is where the mail and the page of the issue say."""

import email
import email.policy
import re
from pathlib import Path

from newsletter_mail.compose.build import compile_issue
from tests.integration.people import Desk
from tests.unit.compose.desk import SETTINGS
from tests.unit.web.world import open_world

_ISSUE = """---
subject: Spring
---
::: event {title="Open day" date="2026-04-02 10:00"}
Come.
:::
"""


def _write(workspace: Path) -> Path:
    folder = workspace / "issues" / "spring"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(_ISSUE)
    return folder


def test_a_reader_of_the_page_gets_the_file(tmp_path: Path) -> None:
    build = compile_issue(_write(tmp_path), workspace=tmp_path, settings=SETTINGS)
    with open_world(tmp_path) as world:
        world.freeze(build)
        page = world.request("GET", "/i/spring")
        (path,) = re.findall(r'href="\.\./(media/[0-9a-f]{32}\.ics)"', page.text)
        answer = world.request("GET", f"/{path}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert b"\r\nDTSTART:20260402T100000\r\n" in answer.content


def test_both_parts_of_a_message_lead_to_the_file(tmp_path: Path) -> None:
    desk = Desk.make(tmp_path)
    settings = '[sender]\nfrom = "a@example.org"\nbounces = "b@example.org"\n'
    (desk.path / "newsletter.toml").write_text(settings)
    _write(desk.path)
    desk.do("build", "spring", "--out", desk.path / "out")
    folder = desk.path / "out" / "spring" / "en"
    message = email.message_from_bytes(
        (folder / "message.eml").read_bytes(), policy=email.policy.default
    )
    (file,) = (folder / "media").iterdir()

    assert file.suffix == ".ics"
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert all(f"http://127.0.0.1:8000/media/{file.name}" in p.get_content() for p in parts)

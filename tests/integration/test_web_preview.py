"""The live preview of an issue that is being written."""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

import newsletter_mail
from newsletter_mail.cli.finding import issue_folders
from newsletter_mail.compose.build import ComposeSettings
from newsletter_mail.web.preview import PreviewSettings, create_preview

ISSUE = """---
subject: For {{ subscriber.first_name | default("you") }}
preheader: Before 1 October
---
# Summer & updates

Dear {{ subscriber.first_name }} of {{ subscriber.attributes.city }},

![A river](river.png)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "newsletter.toml").write_text('[newsletter]\nname = "Mayors"\n')
    made = tmp_path / "issues" / "summer"
    made.mkdir(parents=True)
    (made / "issue.md").write_text(ISSUE)
    Image.new("RGB", (40, 20)).save(made / "river.png")
    return made


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Starlette:
    return create_preview(
        PreviewSettings(
            workspace=tmp_path,
            folders=lambda: issue_folders(tmp_path),
            sender="The <Mayors>",
            compose=ComposeSettings(
                newsletter_name="Mayors",
                default_language="en",
                default_template="default",
                postal_address="1 Main Street",
            ),
        )
    )


def get(app: Starlette, path: str, host: str = "127.0.0.1:8025") -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path)

    return asyncio.run(send())


def test_the_page_shows_the_issue(app: Starlette) -> None:
    page = get(app, "/issue/summer")
    assert page.status_code == 200
    assert "The &lt;Mayors&gt;" in page.text
    assert "<b>For Ada</b>" in page.text
    assert "– Before 1 October<" in page.text
    assert page.text.count('sandbox src="/html/summer?language=en"') == 2
    assert "Dear Ada of [subscriber.attributes.city]," in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]


def test_the_mail_itself_is_framed_by_us_alone_and_has_its_pictures(app: Starlette) -> None:
    mail = get(app, "/html/summer")
    policy = mail.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert mail.headers["x-frame-options"] == "SAMEORIGIN"
    assert "Summer &amp; updates" in mail.text
    names = re.findall(r'src="(/media/[^"]+)"', mail.text)
    assert names
    for name in names:
        picture = get(app, name)
        assert picture.status_code == 200
        assert picture.headers["content-type"] == "image/png"
    assert get(app, "/media/nothing.png").status_code == 404


def test_errors_are_shown_with_their_lines_and_go_when_mended(app: Starlette, folder: Path) -> None:
    file = folder / "issue.md"
    digests = [get(app, "/digest/summer").text]
    file.write_text(ISSUE.replace("subject:", "subjct:").replace("river.png", "sea.png"))
    digests.append(get(app, "/digest/summer").text)
    page = get(app, "/issue/summer")
    assert page.status_code == 200
    assert "issues/summer/issue.md:2: unknown key subjct" in page.text
    assert "issues/summer/issue.md:9:" in page.text
    assert f'data-digest="{digests[-1]}"' in page.text
    assert get(app, "/html/summer").status_code == 409
    file.write_text(ISSUE + "\nMore.\n")
    digests.append(get(app, "/digest/summer").text)
    assert "More." in get(app, "/issue/summer").text
    assert len(set(digests)) == 3
    assert get(app, "/digest/summer").text == digests[-1]


def test_languages(app: Starlette, folder: Path) -> None:
    (folder / "issue.fr.md").write_text(ISSUE.replace("Dear", "Chère"))
    page = get(app, "/issue/summer?language=fr").text
    assert "Chère Ada" in page
    assert '<a href="?language=fr" lang="fr" aria-current="page">' in page
    assert "there is no issue.xx.md" in get(app, "/issue/summer?language=xx").text


def test_the_list_of_issues(app: Starlette) -> None:
    assert '<a href="/issue/summer">summer</a>' in get(app, "/").text


@pytest.mark.parametrize(
    "path", ["/issue/winter", "/html/..%2Fsummer", "/digest/..%2F..", "/issue/summer/"]
)
def test_what_is_not_there(app: Starlette, path: str) -> None:
    assert get(app, path).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.1:80"])
def test_another_name_is_refused(app: Starlette, host: str) -> None:
    answer = get(app, "/issue/summer", host)
    assert answer.status_code == 400
    assert "Summer" not in answer.text


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "newsletter_mail", "-w", str(workspace), "preview", *arguments],
        cwd=Path(newsletter_mail.__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("by_path", ["slug", "path"])
def test_the_command(folder: Path, by_path: str) -> None:
    issue = str(folder) if by_path == "path" else "summer"
    with start(folder.parent.parent, issue, "--no-open") as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Listening on ").strip()
        try:
            assert url.endswith("/issue/summer")
            assert "Dear Ada" in httpx.get(url).text
        finally:
            process.send_signal(signal.SIGINT)
            _, log = process.communicate(timeout=30)
    assert (process.returncode, log) == (0, "")


def test_an_issue_that_is_not_there_is_one_sentence(folder: Path) -> None:
    with start(folder.parent.parent, "winter", "--no-open") as process:
        _, log = process.communicate(timeout=30)
    assert process.returncode == 2
    issues = folder.parent
    assert log == f"Error: there is no issue winter; in {issues} there are: summer\n"

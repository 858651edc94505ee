"""The live preview of an issue that is being written."""

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

import newsletter_mail
from newsletter_mail.cli.finding import issue_folders
from newsletter_mail.cli.preview import Workbench
from newsletter_mail.cli.session import Session
from newsletter_mail.web.preview import PreviewSettings, create_preview
from tests.integration.people import SECRET_KEY, Desk

SETTINGS = """[newsletter]
name = "The <Mayors>"

[sender]
from = "news@mayors.example"
postal_address = "1 Main Street"

[web]
base_url = "https://news.mayors.example"
"""
ISSUE = """---
subject: For {{ subscriber.first_name | default("you") }}
preheader: Before 1 October
---
# Summer & updates

Dear {{ subscriber.first_name | default("friends") }} of {{ subscriber.attributes.city }},

![A river](river.png)

[Join](https://example.org/join){.button}
"""
PAGE = "/issue/summer?complete=1"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "newsletter.toml").write_text(SETTINGS)
    folder = tmp_path / "issues" / "summer"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text(ISSUE)
    Image.new("RGB", (40, 20)).save(folder / "river.png")
    dotenv = tmp_path / ".env"
    dotenv.touch(mode=0o600)
    dotenv.write_text(f"NEWSLETTER_SECRET_KEY={SECRET_KEY}\n")
    return tmp_path


@pytest.fixture
def file(workspace: Path) -> Path:
    return workspace / "issues" / "summer" / "issue.md"


@pytest.fixture
def app(workspace: Path) -> Iterator[Starlette]:
    bench = Workbench(Session(workspace))
    settings = PreviewSettings(
        workspace=workspace,
        folders=lambda: issue_folders(workspace),
        open_workspace=bench.open,
    )
    yield create_preview(settings).app
    bench.close()


def ask(
    app: Starlette, path: str, *, method: str = "GET", host: str | None = None
) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        base_url = "http://127.0.0.1:8025"
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            return await client.request(method, path, headers={"Host": host} if host else {})

    return asyncio.run(send())


def add(workspace: Path, email: str, *options: str) -> None:
    Desk(workspace).do("subscribers", "add", email, *options)


def findings_on(page: str) -> list[str]:
    """What the page says is wrong, each with its place."""
    items = re.findall(r'<li class="(?:error|warning)">(.*?)</li>', page, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", item)).split()) for item in items]


def digest_of(page: str) -> str:
    found = re.search(r'<body data-digest="(\w+)"', page)
    assert found is not None
    return found[1]


def test_the_page_shows_the_issue(app: Starlette) -> None:
    page = ask(app, PAGE)
    assert page.status_code == 200
    assert "The &lt;Mayors&gt;" in page.text
    assert '<b dir="auto">For you</b>' in page.text
    assert "– Before 1 October<" in page.text
    [frame] = re.findall(r"<iframe [^>]*>", page.text)
    assert " sandbox " in frame
    assert 'src="/html/summer?language=en"' in frame
    policy = page.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy
    assert "'unsafe-inline'" not in policy


def test_side_by_side_has_a_frame_of_each_width(app: Starlette) -> None:
    page = ask(app, f"{PAGE}&show=both&scheme=dark").text
    assert re.findall(r'<iframe id="frame-(\w+)"', page) == ["desktop", "phone"]
    assert page.count('src="/html/summer?language=en&amp;scheme=dark"') == 2


def test_the_mail_itself_is_framed_by_us_alone_and_has_its_pictures(app: Starlette) -> None:
    mail = ask(app, "/html/summer")
    policy = mail.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert policy.endswith("; sandbox")
    assert "script-src" not in policy
    assert mail.headers["x-frame-options"] == "SAMEORIGIN"
    assert "Summer &amp; updates" in mail.text
    assert "Dear friends of [subscriber.attributes.city]," in mail.text
    assert "https://news.mayors.example/u/preview" in mail.text
    names = re.findall(r'src="(/media/[^"]+)"', mail.text)
    assert names
    for name in names:
        picture = ask(app, name)
        assert picture.status_code == 200
        assert picture.headers["content-type"] == "image/png"
    assert ask(app, "/media/nothing.png").status_code == 404


def test_the_colours_are_the_chosen_device_s_and_not_the_author_s(app: Starlette) -> None:
    light, dark, inverted = (
        ask(app, f"/html/summer?scheme={scheme}").text for scheme in ("light", "dark", "inverted")
    )
    assert "@media (max-width:0)" in light
    assert "@media (min-width:0)" in dark
    for copy in (light, dark, inverted):
        assert "prefers-color-scheme" not in copy
    assert 'name="color-scheme" content="dark"' in dark
    assert 'name="color-scheme" content="light"' in inverted
    assert "filter:invert(1)" in inverted
    assert "filter:invert(1)" not in dark


def test_without_pictures_stands_what_stands_for_them(app: Starlette) -> None:
    copy = ask(app, "/html/summer?pictures=off")
    assert 'alt="A river"' in copy.text
    assert "/media/" not in copy.text
    assert "img-src 'none'" in copy.headers["content-security-policy"]


def test_the_plain_text(app: Starlette) -> None:
    page = ask(app, f"{PAGE}&show=text").text
    plain = re.search(r'<pre class="plain".*?>(.*?)</pre>', page, re.DOTALL)
    assert plain is not None
    assert "Dear friends of [subscriber.attributes.city]," in plain[1]
    assert "<iframe" not in page


def test_the_source_has_its_lines_and_what_was_found_in_them(app: Starlette, file: Path) -> None:
    file.write_text(ISSUE.replace("October", "<October>").replace("Join]", "here]"))
    page = ask(app, f"{PAGE}&show=source&line=11").text
    rows = re.findall(r'<span class="row([\w ]*)" id="L(\d+)".*?>(.*?)\n', page)
    assert [int(number) for _, number, _ in rows] == list(range(1, 12))
    assert rows[2][2] == "preheader: Before 1 &lt;October&gt;"
    assert rows[10][0] == " warning here"
    assert rows[3][0] == ""
    link = "/issue/summer?language=en&amp;show=source&amp;file=issues%2Fsummer%2Fissue.md&amp;line="
    assert f'{link}11#L11" data-stay>issues/summer/issue.md:11</a>' in page
    assert 'data-copy="issues/summer/issue.md:11"' in page


@pytest.mark.parametrize(
    "named",
    [".env", "../outside.md", "/etc/passwd", "newsletter.toml", "newsletter.db", "issues/summer"],
)
def test_a_file_that_no_finding_is_about_is_not_shown(
    app: Starlette, workspace: Path, named: str
) -> None:
    (workspace.parent / "outside.md").write_text("outside\n")
    page = ask(app, f"{PAGE}&show=source&file={named}").text
    assert "There is no file" in page
    assert 'id="L1"' not in page


Break = Callable[[Path], object]


def edit(name: str, old: str, new: str) -> Break:
    def change(workspace: Path) -> None:
        path = workspace / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def write(name: str, text: str) -> Break:
    def change(workspace: Path) -> None:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


MAIN = "issues/summer/issue.md"
BROKEN_BLOCK = "templates/default/blocks/button.mjml.j2"


@pytest.mark.parametrize(
    ("spoil", "place", "said"),
    [
        pytest.param(
            edit(MAIN, "preheader: Before", "preheader: Before: {"),
            f"{MAIN}:3",
            "the front matter is not YAML",
            id="yaml",
        ),
        pytest.param(edit(MAIN, "---\nsub", "sub"), f"{MAIN}:1", "front matter", id="no start"),
        pytest.param(
            edit(MAIN, "subject", "subjct"), f"{MAIN}:2", "did you mean subject?", id="key"
        ),
        pytest.param(
            edit(MAIN, "![A", "::: callout\n\n![A"), f"{MAIN}:9", "is not closed", id="fence"
        ),
        pytest.param(edit(MAIN, "river.png", "sea.png"), f"{MAIN}:9", "sea.png", id="picture"),
        pytest.param(
            lambda workspace: (workspace / "issues/summer/river.png").unlink(),
            f"{MAIN}:9",
            "river.png",
            id="picture deleted",
        ),
        pytest.param(
            lambda workspace: (workspace / "issues/summer/river.png").write_bytes(b"no picture"),
            f"{MAIN}:9",
            "river.png",
            id="no picture",
        ),
        pytest.param(
            edit(MAIN, "{{ sub", "{{ "), f"{MAIN}:2", "did you mean subscriber", id="merge tag"
        ),
        pytest.param(
            edit(MAIN, "preheader", "template: nowhere\npreheader"),
            f"{MAIN}:3",
            "there is no template nowhere",
            id="template",
        ),
        pytest.param(
            write(BROKEN_BLOCK, "<mj-button>\n{% if %}\n</mj-button>\n"),
            f"{BROKEN_BLOCK}:2",
            "Expected an expression",
            id="template syntax",
        ),
        pytest.param(
            write("templates/default/theme.toml", "[colors\n"),
            "templates/default/theme.toml",
            "",
            id="theme",
        ),
        pytest.param(
            edit("newsletter.toml", "[web]", "[web"), "newsletter.toml:8", "not TOML", id="toml"
        ),
        pytest.param(
            edit("newsletter.toml", "base_url", "base_ulr"),
            "newsletter.toml:9",
            "did you mean base_url?",
            id="setting",
        ),
        pytest.param(
            lambda workspace: (workspace / "newsletter.toml").unlink(),
            "newsletter.toml",
            "there is no such file",
            id="toml deleted",
        ),
        pytest.param(
            lambda workspace: (workspace / MAIN).write_bytes(b"---\nsubject: x\n---\n\xff\n"),
            f"{MAIN}:4",
            "not UTF-8",
            id="not text",
        ),
        pytest.param(
            lambda workspace: shutil.rmtree(workspace / "issues"),
            MAIN,
            "there is no such file",
            id="issue deleted",
        ),
    ],
)
def test_whatever_breaks_is_said_with_its_line_and_comes_back(
    app: Starlette, workspace: Path, tmp_path_factory: pytest.TempPathFactory, spoil: Break,
    place: str, said: str,
) -> None:  # fmt: skip
    kept = tmp_path_factory.mktemp("kept") / "workspace"
    shutil.copytree(workspace, kept)
    good = ask(app, PAGE).text
    spoil(workspace)
    page = ask(app, PAGE)
    assert page.status_code == 200
    assert any(
        line.startswith("Error") and f" {place} Copy" in line and said in line
        for line in findings_on(page.text)
    ), findings_on(page.text)
    assert digest_of(page.text) != digest_of(good)
    # The mail as it was stays in sight.
    assert "Below is the last version that could" in page.text or "newsletter.toml" in place
    assert "Dear friends of" in ask(app, "/html/summer").text
    for name in ("issues", "templates"):
        shutil.rmtree(workspace / name, ignore_errors=True)
    shutil.copytree(kept, workspace, dirs_exist_ok=True)
    (workspace / MAIN).write_text(f"{ISSUE}\nMore to read.\n")
    mended = ask(app, PAGE).text
    assert not [line for line in findings_on(mended) if line.startswith("Error")]
    assert "Below is the last version" not in mended
    assert "More to read." in ask(app, "/html/summer").text


def test_an_issue_that_never_compiled_shows_what_is_wrong(app: Starlette, file: Path) -> None:
    file.write_text("nothing\n")
    page = ask(app, PAGE)
    assert page.status_code == 200
    assert "It appears here when the file is put right" in page.text
    assert len(findings_on(page.text)) == 1
    assert "<iframe" not in page.text
    assert ask(app, "/html/summer").status_code == 404
    for show in ("text", "both"):
        assert ask(app, f"{PAGE}&show={show}").status_code == 200
    assert 'id="L1"' in ask(app, f"{PAGE}&show=source").text


def test_settings_are_read_again(app: Starlette, workspace: Path) -> None:
    ask(app, PAGE)
    edit("newsletter.toml", "The <Mayors>", "Towns")(workspace)
    assert '<b class="sender" dir="auto">Towns</b>' in ask(app, PAGE).text


def test_a_database_that_cannot_be_read_is_a_finding(app: Starlette, workspace: Path) -> None:
    edit("newsletter.toml", "[sender]", '[database]\nurl = "mysql://x"\n\n[sender]')(workspace)
    page = ask(app, f"{PAGE}&reader=ada@example.org").text
    assert any("[database] url cannot be used" in line for line in findings_on(page))
    assert "the database cannot be read" in page
    assert "<iframe" in page
    assert ask(app, "/subscribers/summer?part=ada").json() == []


def test_languages(app: Starlette, file: Path) -> None:
    file.with_name("issue.fr.md").write_text(ISSUE.replace("Dear", "Chère"))
    page = ask(app, f"{PAGE}&language=fr&show=text").text
    assert "Chère friends" in page
    assert 'id="language-fr" href="/issue/summer?language=fr&amp;show=text"' in page
    assert 'lang="fr"' in page
    # One that is not there is not asked for in vain.
    assert "Dear friends" in ask(app, f"{PAGE}&language=xx&show=text").text


def test_one_broken_language_leaves_the_others(app: Starlette, file: Path) -> None:
    file.with_name("issue.fr.md").write_text("---\nsubject: x\n---\n[a]()\n")
    page = ask(app, PAGE).text
    assert "Below is the last version" not in page
    assert any("issues/summer/issue.fr.md:4 Copy" in line for line in findings_on(page))
    assert "language=fr&amp;show=source&amp;file=issues%2Fsummer%2Fissue.fr.md&amp;line=4" in page
    assert "It appears here when" in ask(app, f"{PAGE}&language=fr").text
    assert "Dear friends of" in ask(app, "/html/summer?language=en").text


def test_a_subscriber_sees_their_own_mail_in_their_own_language(
    app: Starlette, workspace: Path, file: Path
) -> None:
    file.with_name("issue.fr.md").write_text(ISSUE.replace("Dear", "Chère"))
    add(workspace, "ada@example.org", "--name", "Ada <L>", "--language", "fr", "--set", "city=Oslo")
    page = ask(app, f"{PAGE}&reader=ADA@example.org&show=text").text
    assert "Chère Ada of Oslo," in page
    assert '<b dir="auto">For Ada</b>' in page
    assert "Ada &lt;L&gt; · fr" in page
    assert "has no value" not in page
    framed = ask(app, f"{PAGE}&reader=ada@example.org").text
    assert 'src="/html/summer?language=fr&amp;reader=ada%40example.org"' in framed
    assert "of Oslo," in ask(app, "/html/summer?language=fr&reader=ada%40example.org").text
    assert "Dear Ada" in ask(app, f"{PAGE}&reader=ada@example.org&show=text&language=en").text


def test_what_a_subscriber_s_mail_lacks_is_a_finding_at_its_line(
    app: Starlette, workspace: Path
) -> None:
    add(workspace, "bo@example.org", "--name", "Bo")
    lines = findings_on(ask(app, f"{PAGE}&reader=bo@example.org").text)
    assert any(
        "has no value for bo@example.org" in line and f"{MAIN}:7 C" in line for line in lines
    )


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        ("nobody@example.org", "no subscriber has the address nobody@example.org"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_a_subscriber_who_is_not_there(app: Starlette, reader: str, said: str) -> None:
    page = ask(app, f"{PAGE}&reader={reader}").text
    assert re.search(rf'id="trouble">.*{re.escape(said)}', page)
    assert "For you" in page


def test_addresses_are_found_by_their_letters(app: Starlette, workspace: Path) -> None:
    for address in ("ada@example.org", "bo_b@example.org", "cyada@example.org"):
        add(workspace, address)

    def found(part: str) -> object:
        return ask(app, f"/subscribers/summer?part={part}").json()

    assert found("ADA") == ["ada@example.org", "cyada@example.org"]
    assert found("_") == ["bo_b@example.org"]
    assert found("%25") == []
    assert found("%20") == []


def test_the_list_of_issues(app: Starlette) -> None:
    assert '<a href="/issue/summer">summer</a>' in ask(app, "/").text


@pytest.mark.parametrize(
    "path",
    ["/issue/winter", "/html/..%2Fsummer", "/html/winter", "/events/..%2F..", "/issue/summer/"],
)
def test_what_is_not_there(app: Starlette, path: str) -> None:
    assert ask(app, path).status_code == 404


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8025",
        "127.0.0.1.evil.example:8025",
        "192.168.1.1:8025",
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost:8026",
        "[::1]",
    ],
)
@pytest.mark.parametrize("path", [PAGE, "/subscribers/summer?part=a", "/events/summer"])
def test_another_name_or_port_is_refused(app: Starlette, host: str, path: str) -> None:
    answer = ask(app, path, host=host)
    assert answer.status_code == 400
    assert "Summer" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8025", "LOCALHOST:8025", "[::1]:8025"])
def test_our_own_names(app: Starlette, host: str) -> None:
    assert ask(app, PAGE, host=host).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [PAGE, "/html/summer", "/subscribers/summer", "/"])
def test_nothing_can_be_changed(app: Starlette, method: str, path: str) -> None:
    assert ask(app, path, method=method).status_code == 405


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "newsletter_mail", "-w", str(workspace), "preview", *arguments],
        cwd=Path(newsletter_mail.__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("by_path", ["slug", "path"])
def test_the_command(workspace: Path, file: Path, by_path: str) -> None:
    issue = str(file.parent) if by_path == "path" else "summer"
    with start(workspace, issue, "--no-open") as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Listening on ").strip()
        try:
            assert url.endswith("/issue/summer")
            assert "For you" in httpx.get(url).text
        finally:
            process.send_signal(signal.SIGINT)
            _, log = process.communicate(timeout=30)
    assert (process.returncode, log) == (0, "")


def test_a_save_is_an_event_and_an_open_page_does_not_keep_the_command(
    workspace: Path, file: Path
) -> None:
    with start(workspace, "summer", "--no-open") as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Listening on ").strip()
        events = url.replace("/issue/", "/events/")
        try:
            with httpx.stream("GET", events, timeout=60) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = (line for line in answer.iter_lines() if line)
                assert next(lines) == "retry: 1000"
                seen = [next(lines)]
                assert seen[0] == f"data: {digest_of(httpx.get(url).text)}"
                # Each is seen: a save, a save by renaming, a deleted folder and its return, and
                # the settings.
                edit(MAIN, "Dear", "Chère")(workspace)
                seen.append(next(lines))
                beside = file.with_name("issue.md~")
                beside.write_text(f"{ISSUE}\nMore.\n")
                beside.rename(file)
                seen.append(next(lines))
                shutil.move(file.parent, workspace / "away")
                seen.append(next(lines))
                shutil.move(workspace / "away", file.parent)
                seen.append(next(lines))
                edit("newsletter.toml", "Mayors", "Towns")(workspace)
                seen.append(next(lines))
                assert seen[-1] == f"data: {digest_of(httpx.get(url).text)}"
                assert len(set(seen)) >= 5
                process.send_signal(signal.SIGINT)
                # It ends although the page is open.
                assert list(lines) == []
        finally:
            process.send_signal(signal.SIGINT)
            _, log = process.communicate(timeout=15)
    assert (process.returncode, log) == (0, "")


def test_an_issue_that_is_not_there_is_one_sentence(workspace: Path) -> None:
    with start(workspace, "winter", "--no-open") as process:
        _, log = process.communicate(timeout=30)
    assert process.returncode == 2
    issues = workspace / "issues"
    assert log == f"Error: there is no issue winter; in {issues} there are: summer\n"


def test_settings_that_are_wrong_from_the_start_are_one_sentence(workspace: Path) -> None:
    edit("newsletter.toml", "base_url", "base_ulr")(workspace)
    with start(workspace, "summer", "--no-open") as process:
        out, log = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert "newsletter.toml:9: there is no setting base_ulr; did you mean base_url?" in log

"""The preview follows what the author saves, can be worked by keyboard, and passes axe."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FrameLocator, Page, expect

from newsletter_mail.cli.finding import issue_folders
from newsletter_mail.cli.preview import Workbench
from newsletter_mail.cli.session import Session
from newsletter_mail.web.preview import PreviewSettings, create_preview
from tests.browser.conftest import Serving
from tests.integration.people import Desk

pytestmark = pytest.mark.browser

SETTINGS = """[newsletter]
name = "Mayors"

[sender]
from = "news@mayors.example"
postal_address = "1 Main Street"
"""
PARAGRAPHS = "\n\n".join(f"Paragraph {number}, which says little." for number in range(60))
ISSUE = f"""---
subject: Summer
preheader: Before the holidays
---
# Summer

Dear {{{{ subscriber.first_name | default("all") }}}}, welcome.

{PARAGRAPHS}

The end.
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    desk = Desk.make(tmp_path)
    (tmp_path / "newsletter.toml").write_text(SETTINGS)
    desk.do("subscribers", "add", "ada@example.org", "--name", "Ada", "--language", "fr")
    desk.do("subscribers", "add", "bo@example.org", "--name", "Bo")
    made = tmp_path / "issues" / "summer" / "issue.md"
    made.parent.mkdir(parents=True)
    made.write_text(ISSUE)
    return made


@pytest.fixture
def url(tmp_path: Path, file: Path) -> Iterator[str]:
    bench = Workbench(Session(tmp_path))
    preview = create_preview(
        PreviewSettings(
            workspace=tmp_path,
            folders=lambda: issue_folders(tmp_path),
            open_workspace=bench.open,
        )
    )
    with Serving(preview.app) as address:
        yield f"{address}/issue/summer"
        preview.stopping.set()
    bench.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    said: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        made = context.new_page()
        made.on("console", lambda message: said.append(message.text))
        made.on("pageerror", lambda error: said.append(str(error)))
        yield made
    assert said == []


def mail(page: Page, frame: str = "desktop") -> FrameLocator:
    return page.frame_locator(f"#frame-{frame}")


def test_a_save_changes_the_mail_and_nothing_else(page: Page, url: str, file: Path) -> None:
    page.goto(url)
    expect(mail(page).get_by_text("The end.", exact=True)).to_be_attached()
    page.evaluate("document.body.dataset.same = 'yes'")
    page.locator("iframe").evaluate("frame => { frame.dataset.same = 'yes' }")
    steps = page.evaluate("history.length")
    page.evaluate("scrollTo(0, 900)")
    file.write_text(ISSUE.replace("Paragraph 20,", "Section 20,"))
    expect(mail(page).get_by_text("Section 20, which")).to_be_in_viewport()
    assert page.evaluate("scrollY") == 900
    assert page.locator("body").get_attribute("data-same") == "yes"
    assert page.locator("iframe").get_attribute("data-same") == "yes"
    assert page.evaluate("history.length") == steps
    expect(page.locator("#live")).to_have_text("Up to date")


def test_a_broken_issue_is_said_and_comes_back(page: Page, url: str, file: Path) -> None:
    page.goto(url)
    expect(mail(page).get_by_text("Dear all, welcome.", exact=True)).to_be_visible()
    file.write_text(ISSUE.replace("subject", "subjct"))
    expect(page.locator("#findings")).to_contain_text("did you mean subject?")
    expect(page.locator("#notes")).to_contain_text("Below is the last version that could")
    expect(mail(page).get_by_text("Dear all, welcome.", exact=True)).to_be_visible()
    file.write_text(ISSUE.replace("welcome", "good bye"))
    expect(mail(page).get_by_text("Dear all, good bye.", exact=True)).to_be_visible()
    expect(page.locator("#notes")).to_have_text("")
    expect(page.locator("#findings .error")).to_have_count(0)


def test_a_deleted_issue_and_broken_settings_come_back(
    page: Page, url: str, file: Path, tmp_path: Path
) -> None:
    page.goto(f"{url}?show=phone")
    phone = mail(page, "phone")
    expect(phone.get_by_text("Dear all, welcome.", exact=True)).to_be_visible()
    shutil.move(file.parent, tmp_path / "away")
    expect(page.locator("#findings")).to_contain_text("there is no such file")
    shutil.move(tmp_path / "away", file.parent)
    expect(page.locator("#notes")).to_have_text("")
    settings = tmp_path / "newsletter.toml"
    settings.write_text(SETTINGS.replace("postal_address", "postal_adress"))
    expect(page.locator("#findings")).to_contain_text("newsletter.toml:6")
    settings.write_text(SETTINGS.replace("1 Main Street", "2 High Street"))
    expect(phone.get_by_text("2 High Street")).to_be_attached()
    expect(page.locator("#findings .error")).to_have_count(0)


def test_a_finding_leads_to_its_line_by_keyboard(page: Page, url: str, file: Path) -> None:
    file.write_text(ISSUE.replace("The end.", "The ![](sea.png) end."))
    page.goto(url)
    place = page.locator("#findings a").first
    place.focus()
    page.keyboard.press("Enter")
    line = page.locator(".row.here")
    expect(line).to_be_in_viewport()
    expect(line).to_be_focused()
    expect(line).to_contain_text("The ![](sea.png) end.")
    number = line.get_attribute("data-number")
    assert file.read_text().splitlines()[int(number or 0) - 1] == "The ![](sea.png) end."
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-copy]").first.press("Enter")
    expect(page.locator("#live")).to_have_text(f"Copied issues/summer/issue.md:{number}")
    assert page.evaluate("navigator.clipboard.readText()") == f"issues/summer/issue.md:{number}"
    # The line that was found by it is gone, and with it the finding; the source stays open.
    file.write_text(ISSUE)
    expect(page.locator("#findings .error")).to_have_count(0)
    expect(page.locator("pre.source")).to_contain_text("The end.")


def background(page: Page, frame: str = "desktop") -> str:
    return str(
        mail(page, frame).locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    )


@pytest.mark.parametrize("own", ["light", "dark"])
def test_dark_is_the_mail_s_own_dark_whatever_the_author_s_screen_is(
    browser: Browser, url: str, own: str
) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(url.replace("/issue/", "/html/"))
        # The sandbox of the answer itself keeps nothing from being looked at.
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    with browser.new_context(color_scheme="dark" if own == "dark" else "light") as context:
        page = context.new_page()
        page.goto(url)
        assert background(page) == light
        page.get_by_role("link", name="Dark", exact=True).click()
        expect(page.locator("#scheme-dark")).to_have_attribute("aria-current", "true")
        expect(mail(page).locator("body")).not_to_have_css("background-color", light)
        red, green, blue = map(int, re.findall(r"\d+", background(page))[:3])
        assert max(red, green, blue) < 64
        assert "scheme=dark" in page.url
        page.get_by_role("link", name="Light", exact=True).click()
        expect(mail(page).locator("body")).to_have_css("background-color", light)


@pytest.mark.parametrize(("name", "width"), [("phone", 375), ("small", 320), ("desktop", 640)])
def test_a_frame_is_as_wide_as_the_screen_that_it_stands_for(
    page: Page, url: str, name: str, width: int
) -> None:
    page.goto(f"{url}?show={name}")
    inner = mail(page, name).locator("html")
    assert inner.evaluate("e => innerWidth") == width
    # All of it fits: the page scrolls, and not the frame.
    assert inner.evaluate("e => e.scrollHeight <= innerHeight")


def test_the_page_waits_for_a_preview_that_was_stopped(
    browser: Browser, file: Path, tmp_path: Path
) -> None:
    page = browser.new_page()
    try:
        with command(tmp_path, "0") as url:
            page.goto(f"{url}issue/summer")
            expect(page.locator("#live")).to_have_text("Up to date")
        expect(page.locator("#live")).to_contain_text("The preview has stopped")
        file.write_text(ISSUE.replace("welcome", "here again"))
        with command(tmp_path, url.rstrip("/").rpartition(":")[2]):
            expect(mail(page).get_by_text("Dear all, here again.", exact=True)).to_be_visible()
            expect(page.locator("#live")).to_have_text("Up to date")
    finally:
        page.close()


@contextmanager
def command(workspace: Path, port: str) -> Iterator[str]:
    """The command itself; gives its address."""
    arguments = ["-w", str(workspace), "preview", "--no-open", "--port", port]
    with subprocess.Popen(
        [sys.executable, "-m", "newsletter_mail", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("Listening on ").strip()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=15) == 0


def test_the_frame_has_no_rights(page: Page, url: str) -> None:
    page.goto(url)
    assert page.locator("iframe").get_attribute("sandbox") == ""
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None


def test_a_subscriber_is_chosen_by_typing(page: Page, url: str, file: Path) -> None:
    file.with_name("issue.fr.md").write_text(ISSUE.replace("Dear", "Chère"))
    page.goto(url)
    page.get_by_label("As seen by").press_sequentially("ada")
    expect(page.locator("#addresses option")).to_have_count(1)
    page.get_by_label("As seen by").fill("ada@example.org")
    expect(mail(page).get_by_text("Chère Ada, welcome.", exact=True)).to_be_visible()
    expect(page.locator("#language-fr")).to_have_attribute("aria-current", "true")
    page.get_by_label("As seen by").fill("bo@example.org")
    page.keyboard.press("Enter")
    expect(mail(page).get_by_text("Dear Bo, welcome.", exact=True)).to_be_visible()
    page.get_by_label("As seen by").fill("")
    expect(mail(page).get_by_text("Dear all, welcome.", exact=True)).to_be_visible()


LOOKS: list[tuple[str, str, int]] = [
    ("", "light", 1280),
    ("?scheme=dark", "dark", 1280),
    ("?show=both", "light", 900),
    ("?show=source&language=en&line=8", "dark", 900),
    ("?show=text", "light", 400),
    ("?show=phone&pictures=off&reader=none@example.org", "dark", 400),
]


@pytest.mark.parametrize(("query", "scheme", "width"), LOOKS)
def test_every_look_passes_axe_and_fits(
    browser: Browser,
    url: str,
    file: Path,
    keep: Callable[[str], Path | None],
    query: str,
    scheme: str,
    width: int,
) -> None:
    # With an error, a warning and a second language, all of the page is there.
    file.write_text(f"{ISSUE}\n![](sea.png) Since 1 May 2019.\n")
    file.with_name("issue.fr.md").write_text(ISSUE)
    viewport = {"width": width, "height": 800}
    with browser.new_context(
        viewport=viewport,  # type: ignore[arg-type] # Playwright's own type is not exported
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    ) as context:
        page = context.new_page()
        page.goto(f"{url}{query}{'&' if query else '?'}language=fr")
        expect(page.locator("#live")).to_have_text("Up to date")
        result = Axe().run(page, context={"exclude": [["iframe"]]}, options={"iframes": False})
        assert result.response["violations"] == [], result.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if shot := keep(f"preview-{LOOKS.index((query, scheme, width))}"):
            page.screenshot(path=shot)

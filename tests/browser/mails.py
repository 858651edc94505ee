"""Issues as a reader's program shows them: compiled, and opened in the browser."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from newsletter_mail.compose.build import ComposeSettings, compile_issue
from newsletter_mail.web.reading import neutral_html

ROOT = Path(__file__).parents[2]
ISSUES = {
    "sample": ROOT / "issues" / "2023-summer-updates",
    "all-blocks": ROOT / "tests" / "data" / "all-blocks",
}
TEMPLATES = ("default", "plain", "digest")

_SETTINGS = ComposeSettings(
    newsletter_name="City Letters",
    default_language="en",
    default_template="default",
    postal_address="1 Example Street, 08002 Barcelona, Spain",
)


Mode = Literal["light", "dark", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How somebody reads: the width of the screen, its colours, with or without pictures."""

    width: int
    mode: Mode

    def __str__(self) -> str:
        return f"{self.width}-{self.mode}"


def write_mail(workspace: Path, issue: str, template: str, language: str | None = None) -> Path:
    """Compile an issue with a template; the page, with its pictures beside it."""
    folder = workspace / "issues" / issue
    if not folder.exists():
        shutil.copytree(ISSUES[issue], folder)
        file = folder / "issue.md"
        file.write_text(file.read_text("utf-8").replace("template: default\n", ""), "utf-8")
    build = compile_issue(
        folder,
        workspace=workspace,
        settings=replace(_SETTINGS, default_template=template),
        language=language,
    )
    out = workspace / "out" / f"{issue}-{template}-{build.language}"
    (out / "media").mkdir(parents=True, exist_ok=True)
    for picture in build.pictures:
        (out / "media" / picture.name).write_bytes(picture.content)
    html = neutral_html(build, web_url="https://example.org/i/1", picture_url="media/{}".format)
    page = out / "index.html"
    page.write_text(html, "utf-8")
    return page


@contextmanager
def opened(browser: Browser, file: Path, *, scale: float = 1) -> Iterator[Page]:
    """The page of a mail; photographs of it are smaller or larger by the scale."""
    context = browser.new_context(device_scale_factor=scale)
    with context, context.new_page() as page:
        page.goto(file.as_uri())
        yield page


def read_as(page: Page, look: Look) -> None:
    """Show the page as somebody sees it; once without pictures, it stays so."""
    page.set_viewport_size({"width": look.width, "height": 800})
    page.emulate_media(color_scheme="dark" if look.mode == "dark" else "light")
    if look.mode == "off":
        page.route("**/media/**", lambda route: route.abort())
        page.reload()


def photograph(page: Page) -> Image.Image:
    """The whole page, from top to bottom."""
    return Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")

"""Take the pictures of docs/blocks.md: each example, and the sample issue in each template.

    python docs/make_gallery.py

An example is the block of Markdown above a picture in ``images/blocks/``. Needs Playwright, Pillow
and a Chromium on the PATH. The pictures are of the HTML that ``newsletter build`` writes, and of
nothing else.
"""

import io
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter_mail.compose.build import ComposeSettings, compile_issue
from newsletter_mail.web.reading import neutral_html

DOCS = Path(__file__).parent
PAGE = DOCS / "blocks.md"
TARGET = DOCS / "images" / "blocks"
SAMPLE = DOCS.parent / "issues" / "2023-summer-updates"
PHOTO = SAMPLE / "thematic-workshops.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TEMPLATES = ("default", "plain", "digest")
COLOURS = 64
SIZE_LIMIT_BYTES = 400_000
GROUND = "#dfe4e3"
MARGIN = 20

EXAMPLE = re.compile(
    r"```markdown\n(?P<text>.*?)```\s+!\[[^\]]*\]\(images/blocks/(?P<name>\w+)\.png\)", re.DOTALL
)
#: What an example makes: the cards and bands, and for the title the masthead.
PARTS = ".card, .tint, .mast"

SETTINGS = ComposeSettings(
    newsletter_name="City News",
    default_language="en",
    default_template="default",
    postal_address="1 Example Street, Barcelona",
)


def page_of(workspace: Path, name: str, text: str) -> Path:
    """The finished HTML of an example."""
    folder = workspace / "issues" / name
    folder.mkdir(parents=True)
    if not text.startswith("---"):
        text = f"---\nsubject: An example\ntitle: {name}\n---\n{text}"
    (folder / "issue.md").write_text(text, encoding="utf-8")
    shutil.copyfile(PHOTO, folder / "photo.png")
    return write_page(workspace, folder)


def write_page(workspace: Path, folder: Path, template: str = "default") -> Path:
    """Compile an issue, and write its HTML with its pictures beside it."""
    settings = ComposeSettings(
        newsletter_name=SETTINGS.newsletter_name,
        default_language=SETTINGS.default_language,
        default_template=template,
        postal_address=SETTINGS.postal_address,
    )
    build = compile_issue(folder, workspace=workspace, settings=settings)
    out = workspace / "out" / f"{folder.name}-{template}"
    (out / "media").mkdir(parents=True)
    for picture in build.pictures:
        (out / "media" / picture.name).write_bytes(picture.content)
    page = out / "index.html"
    html = neutral_html(build, web_url="https://example.org", picture_url=lambda n: f"media/{n}")
    page.write_text(html, encoding="utf-8")
    return page


def photograph(browser: Browser, page: Path, width: int, *, dark: bool, parts: str) -> Image.Image:
    """The parts of a page that an example makes, or the whole page."""
    opened = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    opened.goto(page.as_uri())
    png = opened.screenshot(full_page=True)
    boxes = [box for part in opened.locator(parts).all() if (box := part.bounding_box())]
    opened.close()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    top = min(box["y"] for box in boxes)
    bottom = max(box["y"] + box["height"] for box in boxes)
    left = min(box["x"] for box in boxes)
    right = max(box["x"] + box["width"] for box in boxes)
    return picture.crop((int(left), int(top), int(right), int(bottom)))


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures side by side, with room around them."""
    width = sum(picture.width + MARGIN for picture in pictures) + MARGIN
    height = max(picture.height for picture in pictures) + 2 * MARGIN
    whole = Image.new("RGB", (width, height), GROUND)
    left = MARGIN
    for picture in pictures:
        whole.paste(picture, (left, MARGIN))
        left += picture.width + MARGIN
    return whole


def save(picture: Image.Image, name: str, colours: int = COLOURS) -> int:
    """Write a PNG with a palette; its size in bytes."""
    target = TARGET / f"{name}.png"
    small = picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    return target.stat().st_size


def example(browser: Browser, workspace: Path, name: str, text: str) -> Image.Image:
    """One example, wide and light, and on a phone and dark."""
    page = page_of(workspace, name, text)
    parts = PARTS if text.startswith("# ") else PARTS.removesuffix(", .mast")
    return beside(
        [
            photograph(browser, page, 640, dark=False, parts=parts),
            photograph(browser, page, 340, dark=True, parts=parts),
        ]
    )


def templates(browser: Browser, workspace: Path) -> Image.Image:
    """The top of the sample issue in each template, at half its size."""
    folder = workspace / "issues" / SAMPLE.name
    shutil.copytree(SAMPLE, folder)
    file = folder / "issue.md"
    file.write_text(
        file.read_text(encoding="utf-8").replace("template: default\n", ""), encoding="utf-8"
    )
    tops = []
    for name in TEMPLATES:
        page = write_page(workspace, folder, name)
        whole = photograph(browser, page, 640, dark=False, parts="body")
        tops.append(whole.crop((0, 0, 640, 1400)).resize((360, 788), Image.Resampling.LANCZOS))
    return beside(tops)


def main() -> None:
    """Make the pictures.

    Raises:
        SystemExit: there is no Chromium, or the pictures came out too large.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("No Chromium on the PATH.")
    TARGET.mkdir(parents=True, exist_ok=True)
    size = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        workspace = Path(folder)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for found in EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")):
            size += save(example(browser, workspace, found["name"], found["text"]), found["name"])
        size += save(templates(browser, workspace), "templates", 2 * COLOURS)
        browser.close()
    print(f"{size:,} bytes")
    if size > SIZE_LIMIT_BYTES:
        raise SystemExit(f"the pictures are larger than {SIZE_LIMIT_BYTES:,} bytes")


if __name__ == "__main__":
    main()

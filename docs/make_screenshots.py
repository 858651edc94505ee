"""Take the picture of the README: the built sample, wide, on a phone, and in dark mode.

    python docs/make_screenshots.py

Needs Playwright, Pillow and a Chromium on the PATH. The picture is of the files that
``newsletter build`` writes, and of nothing else.
"""

import base64
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

TARGET = Path(__file__).parent / "images" / "sample.png"
ISSUE = "2023-summer-updates"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HEIGHT = 940
COLOURS = 192
SIZE_LIMIT_BYTES = 400_000

#: Width in pixels, the reader's colour scheme, and what stands below.
PANELS = (
    (640, "light", "640 pixels wide"),
    (375, "light", "a phone"),
    (375, "dark", "a phone in dark mode"),
)

PAGE = """
<style>
  body {{ margin: 0; background: #dfe4e3; font: 20px/1 "Liberation Sans", Arial, sans-serif }}
  main {{ display: flex; gap: 36px; padding: 40px 40px 30px; width: max-content }}
  figure {{ margin: 0 }}
  img {{ display: block; border-radius: 14px; outline: 1px solid #c3cccb }}
  figcaption {{ color: #3b4a50; padding-top: 20px; text-align: center }}
</style>
<main>{figures}</main>
"""
FIGURE = '<figure><img src="data:image/png;base64,{png}"><figcaption>{text}</figcaption></figure>'


def build_sample(folder: Path) -> Path:
    """The page of the sample issue, made by the program itself."""
    command = [sys.executable, "-m", "newsletter_mail"]
    subprocess.run([*command, "init", str(folder)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [*command, "-w", str(folder), "build", ISSUE, "--out", str(folder / "build")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / "build" / ISSUE / "en" / "index.html"


def photograph(browser: Browser, page: Path, width: int, scheme: str) -> bytes:
    """The top of the page as a reader with that screen sees it."""
    opened = browser.new_page(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    opened.goto(page.as_uri())
    png = opened.screenshot()
    opened.close()
    return png


def compose(browser: Browser, pictures: list[bytes]) -> bytes:
    """The panels side by side."""
    figures = "".join(
        FIGURE.format(png=base64.b64encode(png).decode(), text=text)
        for png, (_, _, text) in zip(pictures, PANELS, strict=True)
    )
    opened = browser.new_page(viewport={"width": 1600, "height": 1000})
    opened.set_content(PAGE.format(figures=figures))
    return opened.locator("main").screenshot()


def save(png: bytes, target: Path) -> int:
    """Write a PNG with a palette; its size in bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    small = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    target.parent.mkdir(exist_ok=True)
    small.save(target, optimize=True)
    return target.stat().st_size


def main() -> None:
    """Make the picture.

    Raises:
        SystemExit: there is no Chromium, or the picture came out too large.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("No Chromium on the PATH.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = build_sample(Path(folder) / "workspace")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        pictures = [photograph(browser, page, width, scheme) for width, scheme, _ in PANELS]
        size = save(compose(browser, pictures), TARGET)
        browser.close()
    print(f"{TARGET.name}: {size:,} bytes")
    if size > SIZE_LIMIT_BYTES:
        raise SystemExit(f"{TARGET.name} is larger than {SIZE_LIMIT_BYTES:,} bytes")


if __name__ == "__main__":
    main()

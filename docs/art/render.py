"""Render the drawings beside this script into the sample issue, as small PNG files.

    python docs/art/render.py [NAME]...

Needs Pillow, Playwright and a Chromium: the one that the environment variable CHROMIUM names, else
the first on the PATH. Pictures are 1200 pixels wide, twice the width at which a mail shows them.
"""

import io
import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
ISSUE = HERE.parents[1] / "issues" / "2023-summer-updates"
COLOURS = 128
SIZE_LIMIT_BYTES = 120_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str:
    """The path of a Chromium.

    Raises:
        SystemExit: there is none.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise SystemExit("No Chromium on the PATH: set CHROMIUM to the path of one.")
    return found


def render(page: Page, drawing: Path) -> Image.Image:
    """The drawing as a browser shows it."""
    svg = drawing.read_text(encoding="utf-8")
    page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg}")
    png = page.locator("svg").screenshot()
    return Image.open(io.BytesIO(png)).convert("RGB")


def save(picture: Image.Image, target: Path) -> int:
    """Write a PNG whose palette is the picture's own most frequent colours; its size in bytes."""
    counted = picture.getcolors(picture.width * picture.height) or []
    by_count = sorted(counted, key=lambda pair: pair[0], reverse=True)
    frequent = [colour for _, colour in by_count[:COLOURS] if isinstance(colour, tuple)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in frequent for channel in colour])
    small = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    small.save(target, optimize=True)
    return target.stat().st_size


def main(names: list[str]) -> None:
    drawings = [d for d in sorted(HERE.glob("*.svg")) if not names or d.stem in names]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        for drawing in drawings:
            size = save(render(page, drawing), ISSUE / f"{drawing.stem}.png")
            print(f"{drawing.stem}.png {size:,} bytes")
            if size > SIZE_LIMIT_BYTES:
                raise SystemExit(f"{drawing.stem}.png is over {SIZE_LIMIT_BYTES:,} bytes.")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])

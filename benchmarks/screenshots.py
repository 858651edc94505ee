"""Pictures of pages as Chromium shows them, and how much of two of them differs."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops

from benchmarks.errors import Missing
from benchmarks.tools import library, program

#: Of 255 in any colour; smoothing of letters differs by less where they are moved by a fraction.
_SEEN = 16
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def take(page: Path, widths: Sequence[int], into: Path) -> dict[int, Path]:
    """One picture of a whole page for each width, CSS pixels; nothing is loaded from elsewhere.

    Raises:
        Missing: there is no Chromium or no Playwright.
    """
    browser_path = _browser()
    library("playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  it may be missing

    taken: dict[int, Path] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        for width in widths:
            taken[width] = into / f"{page.parent.name}-{width}.png"
            opened = browser.new_page(viewport={"width": width, "height": 800})
            opened.route("http**/*", lambda route: route.abort())
            opened.goto(page.as_uri())
            opened.screenshot(path=taken[width], full_page=True)
            opened.close()
        browser.close()
    return taken


def differing_share(one: Path, other: Path) -> float:
    """The share of pixels that a person could tell apart; what one has and the other not counts."""
    with Image.open(one) as first, Image.open(other) as second:
        width, height = map(max, first.size, second.size)
        common = (0, 0, min(first.width, second.width), min(first.height, second.height))
        pictures = (picture.crop(common).convert("RGB") for picture in (first, second))
        red, green, blue = ImageChops.difference(*pictures).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    alone = width * height - largest.width * largest.height
    return (sum(largest.histogram()[_SEEN:]) + alone) / (width * height)


def _browser() -> str:
    for name in _BROWSERS:
        try:
            return program(name)
        except Missing as error:
            missing = error
    raise missing

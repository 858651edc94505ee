"""What readers see: each issue in each template, on each screen, against approved pictures.

A difference is either a mistake or a new look: ``pytest tests/browser --update-looks`` takes the
pictures anew, and whoever does so looks at them. They are small, so that a letter more or less does
not matter, and a colour, a gap or a block that is gone does.
"""

from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser

from tests.browser.mails import (
    ISSUES,
    TEMPLATES,
    Look,
    Mode,
    opened,
    photograph,
    read_as,
    write_mail,
)

pytestmark = pytest.mark.browser

# Without pictures last: they do not come back.
MODES: tuple[Mode, ...] = ("light", "dark", "off")
LOOKS = [Look(width=width, mode=mode) for mode, width in product(MODES, (375, 640))]
MAILS = list(product(ISSUES, TEMPLATES))
FOLDER = Path(__file__).parent / "looks"
#: One pixel of an approved picture is so many of the screen.
SCALE = 5
COLOURS = 64
TILE = 12
#: Mean difference of a tile, of 255: another version of the fonts, or of the browser.
TOLERANCE = 12
#: A mail is a part of a page of the reader's program, which has the landmarks.
AXE = {
    "resultTypes": ["violations"],
    "rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}},
}

DOUBLE = """() => {
    const all = [...document.querySelectorAll("body *")].map(element => {
        const style = getComputedStyle(element);
        return [element, parseFloat(style.fontSize), parseFloat(style.lineHeight)];
    });
    for (const [element, size, line] of all) {
        element.style.setProperty("font-size", `${2 * size}px`, "important");
        if (line) element.style.setProperty("line-height", `${2 * line}px`, "important");
    }
}"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("looks")


def worst_tile(one: Image.Image, other: Image.Image) -> tuple[float, int]:
    """The largest mean difference of a tile, in one of its channels, and how far down it is."""
    difference = ImageChops.difference(one, other)
    found = (-1.0, 0)
    for top, left in product(range(0, one.height, TILE), range(0, one.width, TILE)):
        box = (left, top, min(left + TILE, one.width), min(top + TILE, one.height))
        mean = max(ImageStat.Stat(difference.crop(box)).mean)
        if mean > found[0]:
            found = (mean, top * SCALE)
    return found


@pytest.mark.parametrize(("issue", "template"), MAILS)
def test_it_looks_as_approved(
    browser: Browser, workspace: Path, issue: str, template: str, request: pytest.FixtureRequest
) -> None:
    is_new = bool(request.config.getoption("--update-looks"))
    with opened(browser, write_mail(workspace, issue, template), scale=1 / SCALE) as page:
        for look in LOOKS:
            read_as(page, look)
            approved = FOLDER / f"{issue}-{template}-{look}.png"
            picture = photograph(page)
            if is_new:
                approve(picture, approved)
            assert_alike(picture, approved)


def approve(picture: Image.Image, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    picture.quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE).save(file, optimize=True)


def assert_alike(picture: Image.Image, file: Path) -> None:
    with Image.open(file) as opened_file:
        approved = opened_file.convert("RGB")
        # In the same colours: what the palette of the one costs is no difference.
        picture = picture.quantize(palette=opened_file, dither=Image.Dither.NONE).convert("RGB")
    assert picture.width == approved.width
    assert abs(picture.height - approved.height) <= approved.height / 100, file.name
    box = (0, 0, picture.width, min(picture.height, approved.height))
    difference, top = worst_tile(picture.crop(box), approved.crop(box))
    assert difference <= TOLERANCE, f"{file.name}: another look, {top} pixels down"


@pytest.mark.parametrize(("issue", "template"), MAILS)
def test_axe_finds_nothing(browser: Browser, workspace: Path, issue: str, template: str) -> None:
    with opened(browser, write_mail(workspace, issue, template)) as page:
        for look in (Look(width=640, mode="light"), Look(width=375, mode="dark")):
            read_as(page, look)
            found = Axe().run(page, options=AXE).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_nothing_is_cut_at_the_side(
    browser: Browser, workspace: Path, template: str, language: str
) -> None:
    with opened(browser, write_mail(workspace, "all-blocks", template, language)) as page:
        for _ in ("letters as they are", "twice as large"):
            for width in (320, 375, 640):
                read_as(page, Look(width=width, mode="light"))
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            page.evaluate(DOUBLE)


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_preheader_is_in_the_mail_and_nobody_sees_it(
    browser: Browser, workspace: Path, template: str
) -> None:
    with opened(browser, write_mail(workspace, "all-blocks", template)) as page:
        body = page.locator("body")
        words = (body.text_content() or "").strip()
        assert words.startswith("One of each block, and some of them in one another")
        # Programs show some 140 letters of it: what follows has no width, and is no text.
        assert "View in" not in words[:140]
        assert "some of them in one another" not in body.inner_text()


def test_a_tile_that_is_gone_is_seen() -> None:
    page = Image.new("RGB", (128, 640), "#ffffff")
    button = page.copy()
    button.paste("#0a655e", (8, 200, 40, 208))
    assert worst_tile(page, page) == (0, 0)
    assert worst_tile(page, button)[0] > TOLERANCE

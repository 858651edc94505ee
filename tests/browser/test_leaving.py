"""Leave and come back by clicking, as people do it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter_mail.tokens import Purpose
from tests.browser.conftest import Serving
from tests.unit.web.world import World, open_world, small_build

pytestmark = pytest.mark.browser

LOOKS: list[tuple[int, Literal["light", "dark"]]] = [
    (width, scheme) for width in (320, 1280) for scheme in ("light", "dark")
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        made.add_list("board", "Board members and friends of the Mayors Mechanism")
        made.freeze(small_build())
        yield made


def assert_readable(page: Page) -> None:
    """Nothing is cut at the side, every text has contrast, and there is one first heading."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    for element in page.locator("h1, p, li, button").all():
        assert element.evaluate(CONTRAST) >= 4.5, element.inner_text()
    for button in page.locator("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44


CONTRAST = """element => {
    const parts = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
        v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
    ).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    let ground = element, paint;
    do {
        paint = parts(getComputedStyle(ground).backgroundColor);
        ground = ground.parentElement;
    } while (paint.length === 4 && paint[3] === 0 && ground);
    const ink = light(parts(getComputedStyle(element).color));
    const [dark, bright] = [ink, light(paint)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
}"""


@pytest.mark.parametrize(
    ("width", "scheme", "scripts"), [*((*look, "on") for look in LOOKS), (320, "light", "off")]
)
def test_leave_and_take_it_back(
    world: World,
    browser: Browser,
    keep: Callable[[str], Path | None],
    width: int,
    scheme: Literal["light", "dark"],
    scripts: str,
) -> None:
    person = world.add_person()
    world.deliver("summer", person)
    complaints: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 720},
        color_scheme=scheme,
        java_script_enabled=scripts == "on",
    )
    with Serving(world.app) as url, context, context.new_page() as page:
        page.on("console", lambda message: complaints.append(message.text))

        def look(name: str) -> None:
            # The page has no script; the look into it needs one.
            if scripts == "on":
                assert_readable(page)
                if path := keep(f"web-{name}-{width}-{scheme}"):
                    page.screenshot(path=path, full_page=True)

        page.goto(f"{url}/u/{world.token(person)}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Unsubscribe")
        look("leave")
        assert world.joined(person) == {"main"}

        page.get_by_role("button", name="Unsubscribe").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
        look("left")
        assert world.joined(person) == set()

        page.get_by_role("button", name="Subscribe again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
        look("back")
        assert world.joined(person) == {"main"}

        assert page.context.cookies() == []
        # A browser asks for this by itself.
        assert [text for text in complaints if "favicon" not in text and "404" not in text] == []


def test_by_keyboard_alone(world: World, browser: Browser) -> None:
    person = world.add_person()
    with Serving(world.app) as url, browser.new_page() as page:
        page.goto(f"{url}/u/{world.token(person)}")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button")).to_be_focused()
        assert (
            page.get_by_role("button").evaluate("e => getComputedStyle(e).outlineStyle") != "none"
        )
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_other_pages_look_right(
    world: World,
    browser: Browser,
    keep: Callable[[str], Path | None],
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    person = world.add_person(on=("main", "board"))
    arab = world.add_person("nour@example.org", language="ar")
    paths = {
        "preferences": f"/p/{world.token(person, purpose=Purpose.PREFERENCES)}",
        "several": f"/u/{world.token(person, issue='winter')}",
        "test": f"/u/{world.token(person, is_test=True)}",
        "arabic": f"/u/{world.token(arab)}",
        "unknown": "/u/unknown",
        "home": "/",
    }
    context = browser.new_context(viewport={"width": width, "height": 720}, color_scheme=scheme)
    with Serving(world.app) as url, context, context.new_page() as page:
        for name, path in paths.items():
            page.goto(url + path)
            assert_readable(page)
            if place := keep(f"web-{name}-{width}-{scheme}"):
                page.screenshot(path=place, full_page=True)

"""Chromium, and a server on a thread for it to visit."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.types import ASGIApp

from newsletter_mail.web.server import address_of, listen

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The path of the browser.

    Where it is missing the test is skipped; in CI it fails, so that nobody believes in tests that
    did not run.
    """
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is not None:
        return found
    reason = "Chromium is not installed (apt-get install chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


# Not for the session: while it is open, Playwright's event loop runs on this thread, and no test
# of another module could run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield opened
        opened.close()


class Serving:
    """An application on loopback: ``with Serving(app) as url``."""

    def __init__(self, app: ASGIApp) -> None:
        self._listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=[[self._listener]])

    def __enter__(self) -> str:
        url = address_of(self._listener)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return url

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def keep() -> Callable[[str], Path | None]:
    """Where a screenshot goes: ``$NEWSLETTER_SCREENSHOTS``, or None."""
    folder = os.environ.get("NEWSLETTER_SCREENSHOTS")
    return lambda name: Path(folder) / f"{name}.png" if folder else None

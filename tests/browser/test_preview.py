"""The preview follows what the author saves."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from newsletter_mail.cli.finding import issue_folders
from newsletter_mail.compose.build import ComposeSettings
from newsletter_mail.web.preview import PreviewSettings, create_preview
from tests.browser.conftest import Serving

pytestmark = pytest.mark.browser

ISSUE = "---\nsubject: Summer\n---\n# Summer\n\nDear all, welcome.\n"


def test_the_page_follows_every_save(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "issues" / "summer" / "issue.md"
    file.parent.mkdir(parents=True)
    file.write_text(ISSUE)
    compose = ComposeSettings(
        newsletter_name="Mayors",
        default_language="en",
        default_template="default",
        postal_address="1 Main Street",
    )
    app = create_preview(
        PreviewSettings(
            workspace=tmp_path,
            folders=lambda: issue_folders(tmp_path),
            compose=compose,
            sender="Mayors",
        )
    )
    refused: list[str] = []
    with Serving(app) as url, browser.new_page() as page:
        page.on("console", lambda message: refused.append(message.text))
        page.goto(f"{url}/issue/summer")
        mail = page.frame_locator("iframe.phone")
        expect(mail.get_by_text("Dear all, welcome.", exact=True)).to_be_visible()
        file.write_text(ISSUE.replace("subject", "subjct"))
        expect(page.get_by_text("did you mean subject?")).to_be_visible()
        file.write_text(ISSUE.replace("welcome", "good bye"))
        expect(mail.get_by_text("Dear all, good bye.", exact=True)).to_be_visible()
    assert [text for text in refused if "Content Security Policy" in text] == []

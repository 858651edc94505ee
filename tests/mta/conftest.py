"""One Postfix for a module of tests, and a newsroom that sends by it; the mailbox is empty."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.newsroom import Newsroom
from tests.mta.passwords import PASSWORD
from tests.mta.rig import Postfix, is_root, running_postfix, why_not


@pytest.fixture(scope="module")
def running() -> Iterator[Postfix]:
    if reason := why_not():
        if os.environ.get("CI") == "true" and is_root():
            pytest.fail(f"this must run here: {reason}")
        pytest.skip(reason)
    with running_postfix() as postfix:
        yield postfix


@pytest.fixture
def postfix(running: Postfix) -> Postfix:
    running.empty()
    return running


@pytest.fixture
def room(tmp_path: Path, postfix: Postfix, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    room = Newsroom.make(tmp_path / "room")
    room.configure(
        sender={"from": "News Office <news@example.org>", "bounces": "bounces@example.org"},
        transport={"url": postfix.url, "connections": 4},
    )
    monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", PASSWORD)
    monkeypatch.setenv("SSL_CERT_FILE", str(postfix.authority))
    return room

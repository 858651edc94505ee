"""``settle`` as the first command after a ``kill -9``: only what may have left is settled."""

import signal
from pathlib import Path

import pytest

from tests.acceptance.newsroom import CONNECTIONS, ISSUE, Newsroom, Post

LOG = """\
Nov 24 10:31:02 mail postfix/cleanup[815]: 4XyT1z0Jk9z1q: message-id=<another@example.net>
"""
WINDOW = 2 * CONNECTIONS


@pytest.fixture
def killed(room: Newsroom, post: Post) -> set[str]:
    """Everybody, half-way through a send whose sender is dead."""
    everybody = set(room.add_people(2000))
    room.use(post)
    running = room.start_send()
    post.wait_for(200, running)
    running.end(signal.SIGKILL)
    assert room.states()["sending"] > 0
    return everybody


def test_what_never_left_is_not_taken_as_sent(room: Newsroom, post: Post, killed: set[str]) -> None:
    ended = room.run("settle", ISSUE, "--accept")
    assert ended.code == 0, ended.err
    taken_as_sent = room.emails_in("sent") - post.counts.keys()
    assert len(taken_as_sent) <= WINDOW
    assert set(room.states()) == {"sent", "pending"}
    assert room.send_quickly().code == 0
    assert set(post.counts) == killed - taken_as_sent
    assert max(post.counts.values()) == 1


def test_what_never_left_is_not_uncertain(
    room: Newsroom, post: Post, killed: set[str], tmp_path: Path
) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    room.run("settle", ISSUE, "--log", log)
    assert room.states().get("uncertain", 0) <= WINDOW
    room.send_quickly()
    assert set(post.counts) | room.emails_in("uncertain") == killed
    assert max(post.counts.values()) == 1

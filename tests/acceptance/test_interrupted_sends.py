"""A send that dies, is stopped, or is started twice: nobody gets anything twice, nobody is lost."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.newsroom import CONNECTIONS, ISSUE, ROOT, Newsroom, Post, wait_until
from tests.integration.smtp_servers import Script

WINDOW = 2 * CONNECTIONS


class LoggedPost:
    """A mail server in a process of its own; what it has accepted is on its disk."""

    def __init__(self, log: Path, port: int) -> None:
        self._log = log
        self.url = f"smtp://127.0.0.1:{port}?tls=none"

    @property
    def count(self) -> int:
        return self._log.read_bytes().count(b"\n") if self._log.exists() else 0

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@contextmanager
def logged_post(log: Path) -> Iterator[LoggedPost]:
    command = [sys.executable, "-m", "tests.integration.smtp_servers", "--log", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield LoggedPost(log, int(process.stdout.readline()))
        finally:
            process.kill()


def named_as_uncertain(err: str) -> set[str]:
    return set(re.findall(r"^ {2}(\S+@\S+)$", err, re.MULTILINE))


def test_ten_thousand_people_and_a_kill_in_the_middle(room: Newsroom, tmp_path: Path) -> None:
    everybody = set(room.add_people(10_000))
    with logged_post(tmp_path / "server.jsonl") as post:
        room.environment["NEWSLETTER_TRANSPORT__URL"] = post.url
        running = room.start_send()
        wait_until(lambda: post.count >= 3000, running)
        assert running.end(signal.SIGKILL).code == -signal.SIGKILL
        assert 3000 <= post.count < 9000

        second = room.send()
        assert second.code == 1, second.err
        states = room.states()
        assert sum(states.values()) == 10_000
        assert set(states) <= {"sent", "uncertain"}
        assert states.get("uncertain", 0) <= WINDOW
        received = Counter(line["recipient"] for line in post.lines)
        assert max(received.values()) == 1
        uncertain = room.emails_in("uncertain")
        assert received.keys() - uncertain == room.emails_in("sent")
        assert everybody == room.emails_in("sent") | uncertain
        assert named_as_uncertain(second.err) == uncertain
        assert f"newsletter settle {ISSUE}" in second.err
        ours = {row["email"]: row["message_id"] for row in room.log("--state", "sent")}
        theirs = {line["recipient"]: line["message_id"] for line in post.lines}
        assert ours == {email: theirs[email] for email in ours}

        settled = room.run("settle", ISSUE, "--resend")
        assert settled.code == 0, settled.err
        assert room.states() == {"sent": 10_000}
        after = Counter(line["recipient"] for line in post.lines)
        assert set(after) == everybody
        assert {email for email, count in after.items() if count > 1} <= uncertain
        assert max(after.values()) <= 2
        ids: dict[str, set[str]] = {}
        for line in post.lines:
            ids.setdefault(line["recipient"], set()).add(line["message_id"])
        assert all(len(of_one) == 1 for of_one in ids.values())
        assert len(set.union(*ids.values())) == 10_000


def test_five_kills_at_any_moment(room: Newsroom, post: Post) -> None:
    everybody = set(room.add_people(600))
    room.use(post)
    chance = random.Random()
    for _ in range(5):
        running = room.start_send()
        enough = min(len(post.received) + chance.randrange(1, 110), 598)
        post.wait_for(enough, running)
        time.sleep(chance.random() / 50)
        running.end(signal.SIGKILL)
    last = room.send()
    assert last.code in {0, 1}
    states = room.states()
    assert sum(states.values()) == 600
    assert states.get("uncertain", 0) <= 5 * WINDOW
    uncertain = room.emails_in("uncertain")
    assert last.code == (1 if uncertain else 0), last.err
    assert max(post.counts.values()) == 1
    assert set(post.counts) - uncertain == room.emails_in("sent")
    assert room.emails_in("sent") | uncertain == everybody

    room.run("settle", ISSUE, "--resend")
    assert room.states() == {"sent": 600}
    assert set(post.counts) == everybody
    assert all(len(ids) == 1 for ids in post.message_ids.values())


def test_a_kill_without_a_ledger_leaves_all_that_was_claimed_uncertain(
    room: Newsroom, post: Post
) -> None:
    """As after a power cut: what the ledger said may never have come to the disk."""
    everybody = set(room.add_people(600))
    room.use(post)
    running = room.start_send()
    post.wait_for(100, running)
    running.end(signal.SIGKILL)
    claimed = room.states()["sending"]
    (room.path / "newsletter.db.ledger").unlink()
    assert room.send().code == 1
    assert room.states() == {"sent": 600 - claimed, "uncertain": claimed}
    assert set(post.counts) | room.emails_in("uncertain") == everybody
    assert max(post.counts.values()) == 1


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
def test_a_kill_at_the_beginning(room: Newsroom, post: Post, part: float) -> None:
    """While it checks every message, plans, and begins."""
    everybody = room.add_people(2000)
    room.use(post)
    running = room.start_send()
    wait_until((room.path / "newsletter.db.sender").exists, running)
    time.sleep(part * 0.3)
    running.end(signal.SIGKILL)
    states = room.states()
    assert sum(states.values()) in {0, 2000}
    assert set(states) <= {"pending", "sending", "sent"}
    assert room.send("--json").code in {0, 1}
    uncertain = room.emails_in("uncertain")
    assert len(uncertain) <= min(states.get("sending", 0), WINDOW)
    assert max(post.counts.values()) == 1
    assert set(post.counts) | uncertain == set(everybody)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_send_in_good_order(room: Newsroom, number: signal.Signals) -> None:
    everybody = room.add_people(300)
    # Slow, so that there is always something on the wire.
    with Post(Script(delay_s=0.005)) as post:
        room.use(post)
        running = room.start_send()
        post.wait_for(60, running)
        ended = running.end(number)
        assert ended.code == 3, ended.err
        assert f"To go on: newsletter send {ISSUE}" in ended.err
        states = room.states()
        assert set(states) == {"sent", "pending"}
        assert states["sent"] == len(post.received) < 300
    with Post() as rest:
        room.use(rest)
        second = room.send()
        assert (second.code, second.err.count("uncertain")) == (0, 0)
        assert room.states() == {"sent": 300}
        assert post.counts + rest.counts == Counter(everybody)


def test_a_retry_that_was_stopped_goes_on_with_a_retry(room: Newsroom) -> None:
    everybody = room.add_people(60)
    with Post(Script(defer_every=2)) as post:
        room.use(post)
        assert room.send_quickly().code == 1
        assert room.states() == {"sent": 30, "deferred": 30}
    with Post(Script(delay_s=0.05)) as slow:
        room.use(slow)
        running = room.start("retry", ISSUE, "--yes")
        slow.wait_for(4, running)
        ended = running.end(signal.SIGINT)
        assert ended.code == 3
        assert f"To go on: newsletter retry {ISSUE}" in ended.err
    # Somebody new is no business of a retry.
    room.add_people(1, start=1000)
    with Post() as rest:
        room.use(rest)
        ended = room.quickly("retry", ISSUE, "--yes")
        assert ended.code == 0, ended.err
        assert post.counts + slow.counts + rest.counts == Counter(everybody)


def test_a_second_signal_ends_it_at_once(room: Newsroom) -> None:
    """The server does not answer any more; patience would be minutes."""
    room.add_people(20)
    with Post(Script(hang="body")) as post:
        room.use(post)
        running = room.start_send()
        wait_until(lambda: len(post.server.commands) > 3, running)
        time.sleep(0.3)
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert not running.has_ended
        ended = running.end(signal.SIGINT)
    assert ended.code == 3, ended.err
    states = room.states()
    assert set(states) == {"pending", "uncertain"}
    assert 1 <= states["uncertain"] <= WINDOW


def test_two_sends_at_once(room: Newsroom, post: Post) -> None:
    everybody = room.add_people(800)
    room.use(post)
    first = room.start_send()
    post.wait_for(50, first)
    # However slow this machine is, it shall not be done before the others come.
    first.process.send_signal(signal.SIGSTOP)
    second = room.send()
    assert second.code == 3
    assert f"process {first.pid} is at work (send {ISSUE}, since " in second.err
    for command in (("retry", "--yes"), ("settle", "--accept"), ("settle", "--resend")):
        refused = room.quickly(command[0], ISSUE, command[1])
        assert (refused.code, f"process {first.pid} " in refused.err) == (3, True)
    assert first.end(signal.SIGCONT).code == 0
    assert post.counts == Counter(everybody)

"""What ``send``, ``retry`` and ``settle --resend`` show on stderr while they are at work."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter_mail.cli import progress
from newsletter_mail.cli.displays import Bar, JsonEvents, PlainLines
from tests.acceptance.newsroom import ISSUE, ROOT, Newsroom, Post, Running, wait_until
from tests.integration.smtp_servers import Script

COUNTS = ["done", "total", "sent", "deferred", "failed", "uncertain"]
LAST_LINE = re.compile(
    r"^[\d,]+ of [\d,]+ sent · (?:—|[\d,.]+)/s · \d+ deferred · \d+ failed · in .+$", re.MULTILINE
)
LINE = re.compile(
    r"^[\d,]+ of 40 sent · (?:—|[\d,.]+)/s · \d+ deferred · \d+ failed · .+ left$", re.MULTILINE
)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    made = Newsroom.make(tmp_path / "room")
    yield made
    made.close()


@pytest.fixture
def shows_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the sender is shown, and there are many."""
    monkeypatch.setattr(progress, "_LOOK_S", 0.001)
    for display in (Bar, JsonEvents, PlainLines):
        monkeypatch.setattr(display, "every_s", 0.0)


def events_in(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines() if line.startswith("{")]


def counts_of(event: dict[str, Any]) -> tuple[int, ...]:
    return tuple(event[key] for key in COUNTS)


def test_the_events_of_a_send(room: Newsroom, shows_often: None) -> None:
    room.add_people(40)
    with Post(Script(refuse_every=20, defer_every=10, delay_s=0.002)) as post:
        room.use(post)
        ended = room.send_quickly("--progress", "json", "--json")
    first, *middle, last = events_in(ended.err)
    assert list(first) == ["event", "issue", "total", "at"]
    assert (first["event"], first["issue"], first["total"]) == ("start", ISSUE, 40)
    assert list(last) == ["event", "issue", *COUNTS, "seconds", "exit", "at"]
    assert (last["event"], last["issue"]) == ("end", ISSUE)
    assert last["exit"] == ended.code == 1
    assert counts_of(last) == (40, 40, 34, 4, 2, 0)
    assert len(middle) > 2
    for event in middle:
        assert list(event) == ["event", *COUNTS, "rate", "left_s", "at"]
        assert event["event"] == "progress"
        assert event["done"] == event["sent"] + event["deferred"] + event["failed"]
    done = [event["done"] for event in middle]
    assert done == sorted(done)
    assert counts_of(middle[-1]) == counts_of(last)
    assert [event["at"] for event in (first, *middle, last)] == sorted(
        event["at"] for event in (first, *middle, last)
    )
    assert ended.json["deliveries"]["sent"] == 34
    assert ended.json["done"] == 40


def test_the_events_of_a_retry(room: Newsroom) -> None:
    room.add_people(3)
    with Post(Script(defer_every=1)) as post:
        room.use(post)
        first = room.send_quickly("--progress", "json")
    assert counts_of(events_in(first.err)[-1]) == (3, 3, 0, 3, 0, 0)
    with Post() as post:
        room.use(post)
        ended = room.quickly("retry", ISSUE, "--yes", "--progress", "json")
    events = events_in(ended.err)
    assert [event["event"] for event in events] == ["start", "progress", "end"]
    assert (events[0]["total"], events[-1]["exit"]) == (3, 0)
    assert counts_of(events[-1]) == (3, 3, 3, 0, 0, 0)


def test_the_events_of_a_settlement(room: Newsroom) -> None:
    room.add_people(3)
    with Post(Script(drop="body")) as post:
        room.use(post)
        first = room.send_quickly("--progress", "json")
    assert counts_of(events_in(first.err)[-1]) == (3, 3, 0, 0, 0, 3)
    with Post() as post:
        room.use(post)
        ended = room.quickly("settle", ISSUE, "--resend", "--progress", "json")
    events = events_in(ended.err)
    assert [event["event"] for event in events] == ["start", "progress", "end"]
    assert counts_of(events[-1]) == (3, 3, 3, 0, 0, 0)


def test_nobody_to_write_to(room: Newsroom) -> None:
    """Nothing begins, and a program that reads the events is told the end all the same."""
    ended = room.send_quickly("--progress", "json")
    (end,) = events_in(ended.err)
    assert (end["event"], end["exit"], end["total"]) == ("end", 0, 0)
    assert LAST_LINE.search(room.send_quickly().err) is None

    room.add_people(1)
    room.send_quickly()
    assert LAST_LINE.search(room.send_quickly().err) is None
    assert "━" not in room.send_quickly("--progress", "bar").err


def test_a_refused_send_has_no_events(room: Newsroom) -> None:
    room.add_people(2)
    ended = room.quickly("send", ISSUE, "--expect", "3", "--progress", "json")
    assert (ended.code, events_in(ended.err)) == (2, [])


def test_a_send_that_is_given_up_tells_its_end(room: Newsroom) -> None:
    room.add_people(2)
    with Post(Script(replies={"mail": b"554 5.7.1 go away\r\n"})) as post:
        room.use(post)
        ended = room.send_quickly("--progress", "json")
    assert events_in(ended.err)[-1]["exit"] == ended.code == 3


def test_plain_lines_where_stderr_is_no_terminal(room: Newsroom, shows_often: None) -> None:
    room.add_people(40)
    with Post(Script(refuse_every=20, defer_every=10, delay_s=0.002)) as post:
        room.use(post)
        ended = room.send_quickly()
    assert len(LINE.findall(ended.err)) > 2
    (last,) = LAST_LINE.findall(ended.err)
    assert last.startswith("34 of 40 sent · ")
    assert " · 4 deferred · 2 failed · in " in last
    assert ended.out.count("\n") == 1
    assert "\x1b" not in ended.err


def test_uncertain_ones_are_named_where_there_are_any(room: Newsroom) -> None:
    room.add_people(2)
    with Post(Script(drop="body")) as post:
        room.use(post)
        ended = room.send_quickly()
    assert "0 of 2 sent" in ended.err
    assert " · 0 deferred · 0 failed · 2 uncertain · in " in ended.err


def test_no_progress_at_all(room: Newsroom, shows_often: None) -> None:
    room.add_people(3)
    ended = room.send_quickly("--progress", "none")
    assert ended.code == 0
    assert " of 3 sent" not in ended.err


def test_a_bar_that_is_asked_for(room: Newsroom, shows_often: None) -> None:
    room.add_people(40)
    with Post(Script(delay_s=0.002)) as post:
        room.use(post)
        ended = room.send_quickly("--progress", "bar", "--json")
    drawn = ended.err.split("\r")
    assert len(drawn) > 3
    assert "━" in ended.err
    assert "40 of 40 sent" in drawn[-2]
    assert ended.json["deliveries"]["sent"] == 40


def test_a_bar_on_a_terminal(room: Newsroom) -> None:
    room.add_people(2)
    command = [sys.executable, "-m", "newsletter_mail", "-w", str(room.path), "send", ISSUE]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [*command, "--yes"], stdout=subprocess.PIPE, stderr=theirs, cwd=ROOT, env=environment
    ) as process:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
        assert process.stdout is not None
        assert process.stdout.read() == b"short: 2 planned = 2 sent\n"
    os.close(ours)
    assert "━" in shown.decode()
    assert "2 of 2 sent" in shown.decode()
    # The cursor is there again.
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux says so where the other end is closed.
        return b""


def lines_until(running: Running, word: str, count: int = 1) -> list[str]:
    """The lines of stderr up to the one with this word, or up to so many of them."""
    assert running.process.stderr is not None
    lines = []
    for line in running.process.stderr:
        lines.append(line)
        count -= word in line
        if not count:
            return lines
    raise AssertionError("".join(lines))


def test_a_silent_server_and_two_signals(room: Newsroom) -> None:
    """Events come though nothing happens, and what is said on a signal is said once."""
    room.add_people(3)
    with Post(Script(hang="mail")) as post:
        room.use(post)
        running = room.start_send("--progress", "json")
        waiting = events_in("".join(lines_until(running, '"progress"', 2)))[-1]
        assert counts_of(waiting) == (0, 3, 0, 0, 0, 0)
        assert waiting["left_s"] is None
        running.process.send_signal(signal.SIGINT)
        first = events_in("".join(lines_until(running, '"stopping"')))[-1]
        assert (list(first), first["at_once"]) == (["event", "at_once", "at"], False)
        running.process.send_signal(signal.SIGINT)
        second = events_in("".join(lines_until(running, '"stopping"')))[-1]
        assert second["at_once"] is True
        ended = running.end()
    assert "stopping" not in ended.err
    assert events_in(ended.err)[-1]["exit"] == ended.code == 3


@pytest.mark.parametrize("form", ["plain", "none"])
def test_a_signal_is_answered_with_what_happens(room: Newsroom, form: str) -> None:
    room.add_people(3)
    with Post(Script(hang="mail")) as post:
        room.use(post)
        running = room.start_send("--progress", form)
        lines_until(running, "Tested")
        wait_until(lambda: any("MAIL" in said for said in post.server.commands), running)
        running.process.send_signal(signal.SIGINT)
        lines_until(running, "stopping: answers are awaited")
        running.process.send_signal(signal.SIGTERM)
        ended = running.end()
    assert ended.code == 3
    assert ended.err.count("stopping") == 1
    assert ended.err.startswith("stopping at once\n")


def test_a_reader_that_has_gone_stops_no_send(room: Newsroom) -> None:
    everybody = room.add_people(300)
    with Post(Script(delay_s=0.005, refuse_every=100)) as post:
        room.use(post)
        running = room.start_send("--progress", "json")
        lines_until(running, '"start"')
        with running.process as process:
            assert process.stderr is not None
            process.stderr.close()
            process.wait(timeout=60)
    assert room.states() == {"sent": 297, "failed": 3}
    # What comes after the last answer is done as well.
    assert set(everybody) - set(post.counts) == suppressed(room)


def suppressed(room: Newsroom) -> set[str]:
    rows = room.desk.query("SELECT email_key FROM suppressions")
    return {email for (email,) in rows}

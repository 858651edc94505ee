"""The database is read-only, full, or busy: a sentence, and nothing lost."""

import gc
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.soak.disk import SmallDisk, small_disk
from newsletter_mail.delivery import send as send_module
from newsletter_mail.store import engine as engine_module
from tests.acceptance.newsroom import ISSUE, Newsroom, Post


def make_read_only(disk: SmallDisk) -> None:
    # Commands that ran in this process may have left the database open.
    gc.collect()
    subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("a small file system needs root, and the right to mount")
        yield disk


@pytest.fixture
def cramped(disk: SmallDisk) -> Iterator[Newsroom]:
    made = Newsroom.make(disk.path / "room")
    yield made
    made.close()


def test_a_read_only_disk(cramped: Newsroom, disk: SmallDisk, post: Post) -> None:
    cramped.add_people(10)
    cramped.use(post)
    make_read_only(disk)
    ended = cramped.run("send", ISSUE, "--yes")
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert "cannot be" in ended.err
    assert ended.err.count("\n") == 1
    assert post.received == []


def test_a_read_only_file(room: Newsroom, post: Post) -> None:
    room.add_people(10)
    room.use(post)
    file = room.path / "newsletter.db"
    is_root = os.geteuid() == 0
    if not is_root:
        file.chmod(0o444)
    elif shutil.which("chattr") is None or _chattr("+i", file):
        pytest.skip("root needs a file system with the immutable flag for this")
    try:
        ended = room.send()
    finally:
        if is_root:
            _chattr("-i", file)
        file.chmod(0o644)
    assert ended.code == 2
    assert "is read-only" in ended.err
    assert ended.err.count("\n") == 1
    assert post.received == []


def _chattr(flag: str, file: Path) -> int:
    return subprocess.run(["chattr", flag, file], check=False, capture_output=True).returncode


def test_a_disk_that_is_full_before_the_send(
    cramped: Newsroom, disk: SmallDisk, post: Post
) -> None:
    emails = cramped.add_people(300)
    cramped.use(post)
    disk.fill()
    ended = cramped.send()
    assert ended.code == 2, ended.err
    assert "the disk is full" in ended.err
    assert "Traceback" not in ended.err
    assert post.received == []
    disk.free()
    assert cramped.send_quickly().code == 0
    assert post.counts == Counter(emails)


def test_a_disk_that_fills_up_and_gets_room(cramped: Newsroom, disk: SmallDisk, post: Post) -> None:
    """What became of the messages that had left by then is written down once it can be."""
    emails = cramped.add_people(3000)
    cramped.use(post)
    running = cramped.start_send()
    post.wait_for(100, running)
    disk.fill()
    before = -1
    while before != len(post.received):
        before = len(post.received)
        time.sleep(0.3)
    assert not running.has_ended
    disk.free()
    ended = running.end()
    assert ended.code == 3, ended.err
    assert "the disk is full" in ended.err
    states = cramped.states()
    assert states == {"sent": len(post.received), "pending": 3000 - len(post.received)}
    assert cramped.send_quickly().code == 0
    assert post.counts == Counter(emails)


def test_a_disk_that_stays_full(
    cramped: Newsroom, disk: SmallDisk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience ends, and the next send names those whose answers could not be written down."""
    monkeypatch.setattr(send_module, "PATIENCE_S", 0.0)
    emails = cramped.add_people(3000)
    cramped.use(post)
    watcher = threading.Thread(target=_fill_when, args=(post, disk))
    watcher.start()
    ended = cramped.send_quickly()
    watcher.join()
    assert ended.code == 3, ended.err
    assert "could not be written down; the next send says which of them are uncertain" in ended.err
    disk.free()
    states = cramped.states()
    assert set(states) == {"sent", "pending", "sending"}
    again = cramped.send_quickly()
    uncertain = cramped.emails_in("uncertain")
    assert len(uncertain) <= states["sending"]
    assert again.code == (1 if uncertain else 0)
    assert set(post.counts) | uncertain == set(emails)
    assert max(post.counts.values()) == 1


def _fill_when(post: Post, disk: SmallDisk) -> None:
    while len(post.received) < 100:
        time.sleep(0.002)
    disk.fill()


def test_another_program_locks_the_database(room: Newsroom, post: Post) -> None:
    emails = room.add_people(600)
    room.use(post)
    running = room.start_send()
    post.wait_for(50, running)
    with room.locked():
        time.sleep(2)
        assert not running.has_ended
        assert len(post.received) < 600
    ended = running.end()
    assert ended.code == 0, ended.err
    assert post.counts == Counter(emails)
    assert room.states() == {"sent": 600}


def test_another_program_locks_the_database_for_too_long(
    room: Newsroom, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.1)
    emails = room.add_people(600)
    room.use(post)
    watcher = threading.Thread(target=_lock_when, args=(post, room))
    watcher.start()
    ended = room.send_quickly()
    watcher.join()
    assert ended.code == 3
    assert "has been locked by another program" in ended.err
    assert room.states() == {"sent": len(post.received), "pending": 600 - len(post.received)}
    assert room.send_quickly().code == 0
    assert post.counts == Counter(emails)


def _lock_when(post: Post, room: Newsroom) -> None:
    while len(post.received) < 50:
        time.sleep(0.002)
    with room.locked():
        time.sleep(1)


def test_the_leftovers_of_a_lock_do_not_matter(room: Newsroom, post: Post) -> None:
    """A process that died has left its files; nobody holds the lock."""
    room.add_people(3)
    room.use(post)
    (room.path / "newsletter.db.lock").touch()
    (room.path / "newsletter.db.sender").write_text('{"pid": 1, "work": "send x", "since": "?"}')
    assert room.send().code == 0
    assert not (room.path / "newsletter.db.sender").exists()

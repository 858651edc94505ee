"""Who looks on may go away: the send goes on."""

import os
import subprocess
import sys

from tests.acceptance.newsroom import ISSUE, ROOT, Newsroom, Post


def send(room: Newsroom, *, stderr: int | None, redirection: str = "") -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "newsletter_mail",
        "-w",
        str(room.path),
        "send",
        ISSUE,
        "--yes",
    ]
    return subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        cwd=ROOT,
        env=os.environ | room.environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


def test_the_reader_of_stderr_has_gone(room: Newsroom, post: Post) -> None:
    room.add_people(20)
    room.use(post)
    reader, writer = os.pipe()
    os.close(reader)
    running = send(room, stderr=writer)
    os.close(writer)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert b"20 planned = 20 sent" in out
    assert len(post.received) == 20


def test_stderr_is_closed(room: Newsroom, post: Post) -> None:
    room.add_people(20)
    room.use(post)
    running = send(room, stderr=None, redirection="2>&-")
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert out.strip() == f"{ISSUE}: 20 planned = 20 sent".encode()
    assert len(post.received) == 20

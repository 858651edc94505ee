"""A workspace with people, an issue and a mail server, worked on by the command as a process."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from newsletter_mail.store.schema import DELIVERY_STATE
from tests.integration.people import Desk, Ended
from tests.integration.smtp_servers import Received, Script, ScriptedServer

ROOT = Path(__file__).parents[2]
ISSUE = "short"
ISSUE_TEXT = """\
---
subject: Short news for {{ subscriber.first_name | default("you") }}
---
Dear {{ subscriber.first_name | default("friend") }},

This is the news. [Read more](https://example.org/more)
"""
#: Small, so that a window (twice as many) is small against the number of people.
CONNECTIONS = 4
_TIMEOUT_S = 120
_STATES = tuple(state.value for state in DELIVERY_STATE.members)


class Post:
    """A mail server in a thread of its own; it outlives whatever happens to the sender."""

    def __init__(self, script: Script | None = None) -> None:
        self.server = ScriptedServer(script)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self.server.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server.port}?tls=none"

    @property
    def received(self) -> list[Received]:
        return list(self.server.received)

    @property
    def counts(self) -> Counter[str]:
        """How often each address has got something."""
        return Counter(received.recipient for received in self.received)

    def wait_for(self, number: int, process: "Running") -> None:
        wait_until(lambda: len(self.server.received) >= number, process)

    @property
    def message_ids(self) -> dict[str, set[str]]:
        """The Message-IDs that each address has got."""
        ids: dict[str, set[str]] = {}
        for received in self.received:
            head = received.content.partition(b"\r\n\r\n")[0]
            line = next(line for line in head.split(b"\r\n") if line.startswith(b"Message-ID:"))
            ids.setdefault(received.recipient, set()).add(line.decode().partition(": ")[2])
        return ids


class Running:
    """A command at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def end(self, number: signal.Signals | None = None) -> Ended:
        """Send a signal, if any, and wait for the end."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=_TIMEOUT_S)
        return Ended(code=self.process.returncode, out=out, err=err)


def wait_until(is_so: Callable[[], bool], process: Running, *, timeout_s: float = 60) -> None:
    """Wait for something that the command at work is expected to bring about."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if process.has_ended:
            ended = process.end()
            raise AssertionError(f"it ended too early with {ended.code}: {ended.out}{ended.err}")
        if time.monotonic() > deadline:
            process.end(signal.SIGKILL)
            raise AssertionError("it does not come so far")
        time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Newsroom:
    """A workspace in a folder.

    Attributes:
        environment: of the commands, beside that of the tests.
        started: every command so far.
    """

    desk: Desk
    environment: dict[str, str] = field(default_factory=dict)
    started: list[Running] = field(default_factory=list)

    @classmethod
    def make(cls, path: Path) -> "Newsroom":
        room = cls(Desk.make(path))
        room.configure()
        room.write_issue(ISSUE_TEXT)
        return room

    @property
    def path(self) -> Path:
        return self.desk.path

    def configure(self, **sections: Mapping[str, object]) -> None:
        """Write ``newsletter.toml``; a section replaces the usual one of that name."""
        usual: dict[str, Mapping[str, object]] = {
            "sender": {"from": "News Office <news@example.org>"},
            "transport": {"connections": CONNECTIONS},
        }
        lines = [
            line
            for name, values in {**usual, **sections}.items()
            for line in (f"[{name}]", *(f"{key} = {json.dumps(v)}" for key, v in values.items()))
        ]
        (self.path / "newsletter.toml").write_text("\n".join(lines) + "\n")

    def write_issue(self, text: str, slug: str = ISSUE) -> Path:
        file = self.path / "issues" / slug / "issue.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def add_people(self, number: int, *options: str, domains: int = 7, start: int = 0) -> list[str]:
        """Import so many subscribers; their addresses."""
        emails = [f"p{n}@d{n % domains}.example.net" for n in range(start, start + number)]
        rows = [f"{email},Name {n}" for n, email in enumerate(emails, start)]
        file = self.desk.file("people.csv", "\n".join(["email,first_name", *rows]) + "\n")
        self.desk.do("subscribers", "import", file, *options)
        return emails

    def use(self, post: Post, options: str = "") -> None:
        """Send by this server from now on."""
        self.environment["NEWSLETTER_TRANSPORT__URL"] = post.url + options

    def start(self, *arguments: str | Path) -> Running:
        command = [sys.executable, "-m", "newsletter_mail", "-w", str(self.path)]
        running = Running(
            subprocess.Popen(
                [*command, *map(str, arguments)],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        self.started.append(running)
        return running

    def close(self) -> None:
        """End what a test that failed has left at work."""
        for running in self.started:
            if not running.has_ended:
                running.end(signal.SIGKILL)

    def run(self, *arguments: str | Path, typed: str = "") -> Ended:
        """Run one command to its end, with ``typed`` on its stdin."""
        running = self.start(*arguments)
        try:
            out, err = running.process.communicate(typed, timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            running.end(signal.SIGKILL)
            raise
        return Ended(code=running.process.returncode, out=out, err=err)

    def send(self, *options: str) -> Ended:
        return self.run("send", ISSUE, "--yes", *options)

    def quickly(self, *arguments: str | Path) -> Ended:
        """The same in this process: a second less, for what comes before or after the point."""
        with patch.dict(os.environ, self.environment):
            return self.desk.run(*arguments)

    def send_quickly(self, *options: str) -> Ended:
        return self.quickly("send", ISSUE, "--yes", *options)

    def start_send(self, *options: str) -> Running:
        return self.start("send", ISSUE, "--yes", *options)

    def states(self, slug: str = ISSUE) -> dict[str, int]:
        """The states that any delivery is in; they add up to what is planned."""
        status = self.desk.do("status", slug, "--json").json
        assert sum(status["deliveries"].values()) == status["planned"]
        return {state: count for state, count in status["deliveries"].items() if count}

    def emails_in(self, state: str) -> set[str]:
        rows = self.desk.query(
            "SELECT email FROM deliveries JOIN subscribers ON id = subscriber_id WHERE state = ?",
            (_STATES.index(state),),
        )
        return {email for (email,) in rows}

    def log(self, *options: str) -> list[dict[str, Any]]:
        ended = self.desk.do("log", "--format", "jsonl", *options)
        return [json.loads(line) for line in ended.out.splitlines()]

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows of all tables."""
        names = [
            name
            for (name,) in self.desk.query("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {name: self.desk.query(f"SELECT * FROM {name}") for name in names}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program writes into the database meanwhile and takes its time."""
        with closing(
            sqlite3.connect(self.path / "newsletter.db", timeout=30, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

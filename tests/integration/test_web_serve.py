"""``newsletter serve`` as a process of its own, spoken to over real sockets."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import newsletter_mail
from newsletter_mail.web.server import address_of, listen
from tests.unit.web.world import KEY, ONE_CLICK, World, open_world

ROOT = Path(newsletter_mail.__file__).parent.parent
PAIR = b"List-Unsubscribe=One-Click"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "newsletter.toml").write_text('[newsletter]\nname = "Mayors Mechanism"\n')
    with open_world(tmp_path) as made:
        yield made


def start(world: World, *options: str, key: str = KEY) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsletter_mail", "-w", str(world.settings.workspace)]
    return subprocess.Popen(
        [*command, "serve", *options],
        cwd=ROOT,
        env={**os.environ, "NEWSLETTER_SECRET_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Served:
    """A server that is up; ``stop`` ends it and keeps what it said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.announced = process.stdout.readline()
        self.url = self.announced.removeprefix("Listening on ").strip()
        self.log = ""
        self.exit_code: int | None = None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.exit_code is None:
            self._process.send_signal(number)
            _, self.log = self._process.communicate(timeout=30)
            self.exit_code = self._process.returncode

    def talk(self, *pieces: bytes, hang_up: bool = False) -> bytes:
        """Everything that the server answers to these bytes, until it closes the connection."""
        address = urlsplit(self.url)
        assert address.hostname is not None
        assert address.port is not None
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            for piece in pieces:
                connection.sendall(piece)
            if hang_up:
                return b""
            answer = b""
            while received := connection.recv(65536):
                answer += received
        return answer


@contextmanager
def serving(world: World, *options: str) -> Iterator[Served]:
    with start(world, "--port", "0", *options) as process:
        served = Served(process)
        try:
            yield served
        finally:
            served.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_unsubscribes_and_stops_when_told(world: World, number: signal.Signals) -> None:
    person = world.add_person()
    token = world.token(person)
    with serving(world) as served:
        assert served.announced.startswith("Listening on http://127.0.0.1:")
        assert httpx.get(f"{served.url}/healthz").json() == {"status": "ok"}
        page = httpx.get(f"{served.url}/u/{token}")
        assert "a•••@e•••.org" in page.text
        assert "server" not in page.headers
        assert world.joined(person) == {"main"}
        answer = httpx.post(f"{served.url}/u/{token}", data=ONE_CLICK)
        assert answer.status_code == 200
        assert world.joined(person) == set()
        assert httpx.get(f"{served.url}/u/{'x' * 40}").status_code == 404
        served.stop(number)
    assert served.exit_code == 0
    assert f"POST /u/{token[:6]}… 200" in served.log
    assert token[:12] not in served.log
    assert len(served.log.splitlines()) == 4


def test_clients_as_they_are(world: World) -> None:
    """HTTP/1.0, a body in pieces, one that breaks off, one that is far too long."""
    with serving(world) as served:
        host = urlsplit(served.url).netloc.encode()

        person = world.add_person("old@example.org")
        path = f"/u/{world.token(person)}".encode()
        answer = served.talk(
            b"POST " + path + b" HTTP/1.0\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n" % len(PAIR),
            PAIR,
        )
        assert answer.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
        assert world.joined(person) == set()

        person = world.add_person("chunked@example.org")
        path = f"/u/{world.token(person)}".encode()
        head = (
            b"POST " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
        )
        chunks = (b"5\r\nList-\r\n", b"15\r\nUnsubscribe=One-Click\r\n", b"0\r\n\r\n")
        answer = served.talk(head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks)
        assert answer.startswith(b"HTTP/1.1 200")
        assert world.joined(person) == set()

        person = world.add_person("broken@example.org")
        path = f"/u/{world.token(person)}".encode()
        served.talk(
            b"POST " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 500\r\n\r\n" + PAIR,
            hang_up=True,
        )
        assert world.joined(person) == {"main"}

        person = world.add_person("long@example.org")
        answer = served.talk(
            b"POST /u/" + world.token(person).encode() + b" HTTP/1.1\r\nHost: " + host + b"\r\n"
            b"Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 10000000\r\n\r\n" + PAIR + b"&x=",
            b"y" * (10_000_000 - len(PAIR) - 3),
        )
        assert answer.startswith(b"HTTP/1.1 200")
        assert world.joined(person) == set()

        assert served.talk(b"not HTTP at all\r\n\r\n").startswith(b"HTTP/1.1 400")
        served.stop()
    assert served.exit_code == 0
    assert "Traceback" not in served.log


def test_two_people_at_once(world: World) -> None:
    people = [world.add_person(f"p{number}@example.org") for number in range(40)]
    statuses: list[int] = []
    with serving(world) as served:

        def leave(token: str) -> None:
            answer = httpx.post(f"{served.url}/u/{token}", data=ONE_CLICK, timeout=60)
            statuses.append(answer.status_code)

        threads = [threading.Thread(target=leave, args=[world.token(one)]) for one in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 40
    assert not any(world.joined(person) for person in people)


def test_a_port_in_use_is_one_sentence(world: World) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with start(world, "--port", port) as process:
            out, log = process.communicate(timeout=30)
    assert process.returncode == 2
    assert (out, len(log.splitlines())) == ("", 1)
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in log


def test_no_key_is_one_sentence(world: World) -> None:
    with start(world, "--port", "0", key="") as process:
        _, log = process.communicate(timeout=30)
    assert process.returncode == 2
    assert log.startswith("Error: NEWSLETTER_SECRET_KEY is not set")
    assert "Traceback" not in log


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_has_brackets() -> None:
    try:
        listener = listen("::1", 0)
    except newsletter_mail.errors.InputError:
        pytest.skip("this machine has no IPv6")
    with closing(listener):
        assert address_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"

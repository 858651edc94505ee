"""Servers on 127.0.0.1 that take every message and keep none."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.processes import module
from benchmarks.tools import program

_START_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """A sink that is ready.

    Attributes:
        authority: the certificate that vouches for it, or None where it speaks no TLS.
    """

    port: int
    process: subprocess.Popen[str]
    authority: Path | None = None

    def wait_until_told(self) -> bool:
        """Wait until it has taken as many messages as it was to tell of; False: it has ended."""
        return bool(_read_line(self.process))


@contextlib.contextmanager
def smtp_sink() -> Iterator[Sink]:
    """Postfix's ``smtp-sink``, ended after the block.

    Raises:
        Missing: there is none.
        BenchmarkError: it does not start.
    """
    port = _free_port()
    # It refuses to work as root.
    as_nobody = ["-u", "nobody"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    command = [program("smtp-sink"), *as_nobody, f"127.0.0.1:{port}", "1000"]
    with _ending(subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True)) as process:
        _wait_for(port, process)
        yield Sink(port=port, process=process)


@contextlib.contextmanager
def own_sink(
    folder: Path, *, delay_s: float = 0.0, with_tls: bool = False, tell_after: int = 0
) -> Iterator[Sink]:
    """A sink of ours, ended after the block.

    Args:
        folder: for its certificate.
        delay_s: from a command to its answer.
        with_tls: TLS from the start.
        tell_after: messages; see ``Sink.wait_until_told``.
    """
    tls = ["--tls", folder] if with_tls else []
    command = module("sink", "--delay", delay_s, "--tell-after", tell_after, *tls)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with _ending(process):
        line = _read_line(process)
        if not line.isdecimal():
            raise BenchmarkError("our own sink does not start")
        authority = folder / "authority.pem" if with_tls else None
        yield Sink(port=int(line), process=process, authority=authority)


@contextlib.contextmanager
def _ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    with process:
        try:
            yield process
        finally:
            process.kill()


def _read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise BenchmarkError("smtp-sink does not start")

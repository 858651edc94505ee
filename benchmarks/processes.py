"""Runs programs as processes of their own, and what each run cost."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.errors import BenchmarkError

#: No run takes longer, seconds: a program that hangs ends the benchmark with a sentence.
LIMIT_S = 900
_SHOWN_OUTPUT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run of a program, from its start to its end.

    Attributes:
        wall_s: seconds by the clock.
        cpu_s: seconds of the processor, of user and system, of all its threads and children.
        peak_mb: the most memory that it had at once.
        out: what it printed.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    out: str = ""


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    expected: int = 0,
    while_running: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
) -> Cost:
    """Run a program to its end.

    Args:
        environment: added to ours.
        expected: its exit code.
        while_running: called once after the start, with the process; returns at once.

    Raises:
        BenchmarkError: it ended with another code, or had to be ended.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
        )
        guard = threading.Timer(LIMIT_S, process.kill)
        guard.start()
        try:
            while_running(process)
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            guard.cancel()
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode != expected:
            err.seek(0)
            said = err.read().decode(errors="replace")[-_SHOWN_OUTPUT:].strip()
            raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}: {said}")
        out.seek(0)
        return Cost(
            wall_s=wall_s,
            cpu_s=usage.ru_utime + usage.ru_stime,
            # Linux counts in KiB, macOS in bytes.
            peak_mb=usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2),
            out=out.read().decode(errors="replace"),
        )


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs one of ``benchmarks.programs``."""
    return [sys.executable, "-m", f"benchmarks.programs.{name}", *map(str, arguments)]


def alternate(
    rounds: int, programs: Mapping[str, Callable[[], Cost]], *, what: str
) -> dict[str, list[Cost]]:
    """Run all programs in turn, again and again: whatever the machine does hits each of them.

    Args:
        what: what is measured, for the progress.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    for number in range(1, rounds + 1):
        for name, work in programs.items():
            progress(f"{what}, round {number} of {rounds}: {name}")
            costs[name].append(work())
    return costs


def median(
    costs: Sequence[Cost], value: Callable[[Cost], float] = lambda cost: cost.wall_s
) -> float:
    """The median of one value of some runs; of the clock, where nothing else is said."""
    return statistics.median(map(value, costs))


def progress(text: str) -> None:
    """Say on stderr what is being done."""
    print(text, file=sys.stderr, flush=True)

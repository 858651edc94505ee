"""Memory: ``newsletter send`` to a small list and to a large one.

To send to a million people takes minutes and shows nothing that the first thousands do not: each
run checks and plans everybody, sends some messages, and is then stopped by SIGINT as a person
would stop it.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from benchmarks import newsletter
from benchmarks.errors import BenchmarkError
from benchmarks.processes import Cost, alternate, median, run
from benchmarks.room import Room
from benchmarks.sinks import own_sink
from benchmarks.tables import Section, at_most, table
from benchmarks.tools import best_loop

_GROWTH, _PEAK_MB = 1.3, 150.0
#: Messages after which a run is stopped, where the list is that long.
_ENOUGH = 2000
_INTERRUPTED = 3


def measure(room: Room) -> Iterator[Section]:
    """One table: the peak of both lists."""
    options = room.options
    counts = (options.few_people, options.people)
    costs = alternate(
        options.rounds,
        {f"{people:,}": partial(_send_some, room, people) for people in counts},
        what="memory",
    )
    peaks = {name: median(runs, lambda cost: cost.peak_mb) for name, runs in costs.items()}
    few, many = (peaks[f"{people:,}"] for people in counts)
    size = room.workspace(options.people, options.sizes[0]).size
    yield Section(
        title="Memory of a send",
        text=(
            f"`newsletter send` of {size:,} bytes: every message is checked, everybody is planned, "
            f"and after {_stop_after(room):,} messages the send is stopped with SIGINT. "
            f"The most memory at once (ru_maxrss)."
        ),
        paragraphs=[
            table(
                ("people on the list", "peak memory, MB", "seconds"),
                [
                    (name, f"{peaks[name]:.0f}", f"{median(runs):.1f}")
                    for name, runs in costs.items()
                ],
            ),
        ],
        targets=[
            at_most("memory of the large send, of the small one's", many / few, _GROWTH, digits=2),
            at_most("memory of the large send", many, _PEAK_MB, " MB"),
        ],
    )


def _stop_after(room: Room) -> int:
    return min(_ENOUGH, room.options.few_people // 2)


def _send_some(room: Room, people: int) -> Cost:
    workspace = room.workspace(people, room.options.sizes[0])
    with (
        room.copy(workspace) as path,
        own_sink(path, tell_after=_stop_after(room)) as sink,
    ):

        def stop(process: subprocess.Popen[bytes]) -> None:
            if sink.wait_until_told():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGINT)

        def watch(process: subprocess.Popen[bytes]) -> None:
            # A send that ends by itself must not be waited for here.
            threading.Thread(target=stop, args=(process,), daemon=True).start()

        url = f"smtp://127.0.0.1:{sink.port}?tls=none"
        cost = run(
            newsletter.command(path, "send", newsletter.ISSUE, "--yes", loop=best_loop()),
            environment=newsletter.send_environment(url, room.options.connections),
            expected=_INTERRUPTED,
            while_running=watch,
        )
    _refuse_inherited(cost)
    return cost


def _refuse_inherited(cost: Cost) -> None:
    """A program begins with the peak of the process that started it: ours must be lower."""
    scale = 1024 if sys.platform != "darwin" else 1024**2
    own_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    if cost.peak_mb <= own_mb:
        raise BenchmarkError(f"the benchmark itself has {own_mb:.0f} MB, and hides the send's")

"""What is done to a command at work, at a random moment."""

import contextlib
import re
import resource
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.soak.disk import SmallDisk
from benchmarks.soak.mailhost import MailHost
from benchmarks.soak.workspace import Workspace
from tests.acceptance.newsroom import Running
from tests.integration.people import Ended

#: The bound of WAL and database while their growth is forbidden, bytes.
_SIZE_LIMIT = 8192
_LOCK_S = 5.0


@dataclass(slots=True, kw_only=True)
class Scene:
    """Where an attack takes place, and what it leaves for the checks.

    Attributes:
        waiting: messages that this command is expected to send, about.
        doubts: so many deliveries may be uncertain for all that has been done so far.
        hits: how often something was done while the command was at work.
        left: who has left or was suppressed meanwhile, and when they were out.
        others: commands that ran beside.
    """

    workspace: Workspace
    host: MailHost
    chance: Random
    disk: SmallDisk | None
    slug: str
    connections: int
    waiting: int = 0
    doubts: int = 0
    hits: int = 0
    left: dict[str, float] = field(default_factory=dict)
    others: list[Ended] = field(default_factory=list)

    @property
    def window(self) -> int:
        """The most messages that are handed over and not answered; docs/design.md."""
        return 2 * self.connections


Attack = Callable[[Scene, Running], None]


def wait_for_moment(scene: Scene, running: Running) -> bool:
    """Wait for a random moment of the command; False where it ended before."""
    chance = scene.chance
    while not running.has_ended and not _has_begun(running.pid):
        time.sleep(0.003)
    if chance.randrange(4):
        goal = scene.host.count + chance.randrange(max(1, scene.waiting))
        while not running.has_ended and scene.host.count <= goal:
            time.sleep(0.003)
        time.sleep(chance.random() * 0.02)
    else:
        # Anywhere: while it starts, compiles, plans, sends or reports.
        end = time.monotonic() + chance.uniform(0.0, 2.5)
        while not running.has_ended and time.monotonic() < end:
            time.sleep(0.01)
    return not running.has_ended


def _has_begun(pid: int) -> bool:
    """Whether the program catches signals by now; before that, they are met by Python alone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return True
    caught = re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)
    return caught is None or bool(int(caught[1], 16) & 1 << (signal.SIGTERM - 1))


def _kill(scene: Scene, running: Running) -> None:
    scene.doubts += scene.window
    running.process.kill()


def _terminate(_scene: Scene, running: Running) -> None:
    running.process.terminate()


def _interrupt(_scene: Scene, running: Running) -> None:
    running.process.send_signal(signal.SIGINT)


def _interrupt_twice(scene: Scene, running: Running) -> None:
    running.process.send_signal(signal.SIGINT)
    time.sleep(scene.chance.random() * 0.01)
    scene.doubts += scene.window
    running.process.send_signal(signal.SIGINT)


def _kill_server(scene: Scene, _running: Running) -> None:
    # A connection has one message between its dot and its answer.
    scene.doubts += scene.connections
    scene.host.kill()
    time.sleep(scene.chance.uniform(0.0, 1.5))
    scene.host.start()


def _kill_both(scene: Scene, running: Running) -> None:
    _kill(scene, running)
    scene.host.kill()
    scene.host.start()


def _lock_database(scene: Scene, _running: Running) -> None:
    with scene.workspace.room.locked():
        time.sleep(_LOCK_S)


def _fill_disk(scene: Scene, _running: Running) -> None:
    assert scene.disk is not None
    scene.disk.fill(free=scene.chance.choice((0, 4096, 65536)))
    time.sleep(scene.chance.uniform(0.2, 3.0))
    scene.disk.free()


def _limit_files(scene: Scene, running: Running) -> None:
    with contextlib.suppress(ProcessLookupError):
        former = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (_SIZE_LIMIT, former[1]))
        time.sleep(scene.chance.uniform(0.2, 3.0))
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, former)


def _second_sender(scene: Scene, _running: Running) -> None:
    command = scene.chance.choice(("send", "retry", "settle"))
    option = "--resend" if command == "settle" else "--yes"
    scene.others.append(scene.workspace.run(command, scene.slug, option))


def _people_leave(scene: Scene, running: Running) -> None:
    people = sorted(scene.workspace.audience())
    for email in scene.chance.sample(people, min(len(people), scene.chance.randrange(1, 30))):
        is_suppressed = scene.chance.randrange(3) == 0
        scene.workspace.make_leave(email, is_suppressed=is_suppressed)
        scene.left[email] = time.time()
        if running.has_ended:
            return


ATTACKS: Mapping[str, Attack] = {
    "kill": _kill,
    "term": _terminate,
    "interrupt": _interrupt,
    "interrupt_twice": _interrupt_twice,
    "kill_server": _kill_server,
    "kill_both": _kill_both,
    "lock_database": _lock_database,
    "fill_disk": _fill_disk,
    "limit_files": _limit_files,
    "second_sender": _second_sender,
    "people_leave": _people_leave,
}

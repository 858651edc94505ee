"""The mail server of a round, as its owner sees it: start, kill, read the log."""

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.soak.server import Behaviour

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that the server has.

    Attributes:
        time: of the acceptance, seconds since the epoch.
    """

    recipient: str
    message_id: str
    time: float


class MailHost:
    """``with MailHost(folder, behaviour) as host``; its log outlives all its processes."""

    def __init__(self, folder: Path, behaviour: Behaviour) -> None:
        self._folder = folder
        self._behaviour = behaviour
        self._process: subprocess.Popen[str] | None = None
        self._read_bytes = 0
        self._count = 0
        folder.mkdir(parents=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def port(self) -> int:
        """Stays the same over restarts."""
        return self._behaviour.port

    def start(self) -> None:
        """Start it, on the former port where there was one."""
        command = [sys.executable, "-m", "benchmarks.soak.server", str(self._folder)]
        self._process = subprocess.Popen(
            [*command, json.dumps(asdict(self._behaviour))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._behaviour = replace(self._behaviour, port=int(self._process.stdout.readline()))

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    @property
    def count(self) -> int:
        """Messages accepted so far; cheap to ask again and again."""
        path = self._folder / "accepted.jsonl"
        with path.open("rb") as file:
            file.seek(self._read_bytes)
            fresh = file.read()
        self._read_bytes += len(fresh)
        self._count += fresh.count(b"\n")
        return self._count

    @property
    def accepted(self) -> list[Accepted]:
        """What it has, in the order of acceptance."""
        return [Accepted(**line) for line in self._lines("accepted")]

    @property
    def refused(self) -> dict[str, Counter[int]]:
        """How often each address was refused, by the first digit of the answer."""
        counts: dict[str, Counter[int]] = {}
        for line in self._lines("refused"):
            counts.setdefault(line["recipient"], Counter())[line["code"] // 100] += 1
        return counts

    @property
    def strikes(self) -> int:
        """How often the fault happened."""
        return len(self._lines("strikes"))

    def _lines(self, name: str) -> list[dict[str, Any]]:
        with (self._folder / f"{name}.jsonl").open("rb") as lines:
            return [json.loads(line) for line in lines]

"""The folder in which everything is made, and what several measures use of it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.options import Options
from benchmarks.people import write_people
from benchmarks.processes import progress
from benchmarks.workspaces import Workspace, make_workspace


@dataclass(slots=True)
class Room:
    """What measures share; what is large is made when it is first asked for.

    Attributes:
        path: a folder that is removed at the end.
    """

    path: Path
    options: Options
    _workspaces: dict[tuple[int, int], Workspace] = field(default_factory=dict)

    def people(self, rows: int) -> Path:
        """A CSV of so many people."""
        path = self.path / f"people-{rows}.csv"
        if not path.exists():
            write_people(path, rows)
        return path

    def workspace(self, people: int, size: int) -> Workspace:
        """A workspace with so many people, whose message has about so many bytes."""
        made = self._workspaces.get((people, size))
        if made is None:
            progress(f"making a workspace: {people:,} people, messages of {size:,} bytes")
            path = self.path / f"workspace-{people}-{size}"
            made = make_workspace(path, self.people(people), people=people, size=size)
            self._workspaces[people, size] = made
        return made

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is removed after the block."""
        with tempfile.TemporaryDirectory(dir=self.path) as path:
            yield Path(path)

    @contextmanager
    def copy(self, workspace: Workspace) -> Iterator[Path]:
        """A copy of a workspace, removed after the block."""
        with self.scratch() as path:
            yield shutil.copytree(workspace.path, path / "workspace")


@contextmanager
def open_room(options: Options) -> Iterator[Room]:
    """A room in ``build/`` of the current folder: ``/tmp`` is in memory on many machines.

    A commit into memory costs nothing, and would make every send look faster than it is.
    """
    parent = Path("build").absolute()
    parent.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=parent) as path:
            yield Room(Path(path), options)
    finally:
        # Others keep their builds there.
        with suppress(OSError):
            parent.rmdir()

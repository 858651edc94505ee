"""A file system of its own, of a few megabytes, that can be filled."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SIZE = "24m"
_BLOCK = 4096


class SmallDisk:
    """See the module; made by ``small_disk``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, *, free: int = 0) -> None:
        """Leave so many bytes."""
        left = os.statvfs(self.path)
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            for _ in range((left.f_bavail * left.f_frsize - free) // _BLOCK):
                file.write(bytes(_BLOCK))

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()


@contextmanager
def small_disk(path: Path) -> Iterator[SmallDisk | None]:
    """A disk at ``path``; None without the right to mount one."""
    path.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "soak", str(path)]
    if shutil.which("mount") is None or _run(mount):
        yield None
        return
    try:
        yield SmallDisk(path)
    finally:
        _run(["umount", "--lazy", str(path)])


def _run(command: list[str]) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode

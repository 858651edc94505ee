"""Notices that somebody has saved a file.

watchfiles tells at once. What it cannot see (a folder that was deleted and came back, a network
drive, a machine without a watch to spare) is seen a second later, by comparing.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from itertools import islice
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from watchfiles import awatch

#: A folder with more files than this is no issue; whoever points the preview at one must not wait.
_MAX_FILES = 2000
_COMPARE_MS = 1000
# An editor writes, renames and sets permissions: one save, one change.
_QUIET_MS, _LONGEST_MS = 50, 400


class Watch:
    """Some files and folders.

    Args:
        places: they need not be there.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places

    def digest(self) -> str:
        """Another text after each change; reads no file."""
        digest = hashlib.sha256()
        for place in self._places:
            for path in _files_of(place):
                try:
                    status = path.stat()
                except OSError:
                    # Editors save by replacing a file: it may be away for a moment.
                    continue
                digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
        return digest.hexdigest()

    async def digests(self, stopping: asyncio.Event) -> AsyncGenerator[str, None]:
        """The digest now, and after each change, until ``stopping``; "" where nothing happened."""
        shown = await run_in_threadpool(self.digest)
        yield shown
        while not stopping.is_set():
            async with aclosing(self._stirrings(stopping)) as stirrings:
                async for _ in stirrings:
                    digest = await run_in_threadpool(self.digest)
                    yield "" if digest == shown else digest
                    shown = digest

    async def _stirrings(self, stopping: asyncio.Event) -> AsyncGenerator[None, None]:
        """Yields after each change, and once a second; ends when other places are to be watched."""
        identities = self._identities()
        if identities:
            try:
                async for _ in awatch(
                    *identities,
                    watch_filter=None,
                    debounce=_LONGEST_MS,
                    step=_QUIET_MS,
                    stop_event=stopping,
                    rust_timeout=_COMPARE_MS,
                    yield_on_timeout=True,
                ):
                    yield
                    if self._identities() != identities:
                        return
            except (OSError, RuntimeError):
                # Gone between two looks, or no watches left on this machine.
                pass
            else:
                return
        await asyncio.sleep(_COMPARE_MS / 1000)
        yield

    def _identities(self) -> dict[Path, int]:
        """The places that are there; an editor that replaces a file makes another one of it."""
        found: dict[Path, int] = {}
        for place in self._places:
            try:
                found[place] = place.stat().st_ino
            except OSError:
                continue
        return found


def _files_of(place: Path) -> Iterable[Path]:
    if not place.is_dir():
        return (place,)
    # What editors leave beside a file that is open is no part of the issue.
    files = (path for path in place.rglob("*") if not path.name.startswith(".") and path.suffix)
    return sorted(islice(files, _MAX_FILES))

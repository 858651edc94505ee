"""One sender at a time: a lock on a file beside the SQLite database.

The kernel releases it when the process ends, however it ends. So whoever gets it knows that no
other sender is alive, and that every ``sending`` row is a leftover of one that died.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import filelock

from newsletter_mail.errors import SendStopped, StoreError


@contextmanager
def sender_lock(database: Path, *, work: str, now: datetime) -> Iterator[None]:
    """Hold the right to send from this database.

    Args:
        database: the SQLite file.
        work: what we are going to do, told to whoever comes second.

    Raises:
        SendStopped: another process holds it; says which, since when and with what.
        StoreError: the lock file cannot be made.
    """
    path = database.with_name(database.name + ".lock")
    note = database.with_name(database.name + ".sender")
    lock = filelock.FileLock(path, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise SendStopped(f"{_who(note)}. Nothing was sent; try again when it is done") from error
    except OSError as error:
        raise StoreError(f"{path}: the lock of the sender cannot be made: {error}") from error
    try:
        # Only told to others: on a full disk the database has its own sentence.
        with contextlib.suppress(OSError):
            note.write_text(
                json.dumps({"pid": os.getpid(), "work": work, "since": now.isoformat()}),
                encoding="utf-8",
            )
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def _who(note: Path) -> str:
    try:
        said = json.loads(note.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(said["since"]).astimezone()
        return f"process {said['pid']} is at work ({said['work']}, since {since:%Y-%m-%d %H:%M})"
    except (OSError, ValueError, KeyError):
        return "another process is sending from this database"

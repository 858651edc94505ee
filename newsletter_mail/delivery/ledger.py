"""The ledger of a run: which of its claimed messages have left, kept where a kill cannot take it.

Claims are committed by the hundred, because a commit costs as much as 20 messages; but only few of
the claimed messages are on the wire at a time. The ledger tells them apart: an entry is written to
a file before a message leaves, and another when its answer is heard. What was written survives the
death of the process, not that of the machine; so it counts only as long as the machine has not been
started anew, and where that cannot be known there is no ledger. Whatever it does not tell for
certain stays uncertain.

The file is mapped into memory: an entry takes 0.3 µs. By ``write`` it would take 7 while another
thread waits to run, a commit of SQLite 350 (ext4, virtual disk).
"""

import contextlib
import mmap
import struct
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from newsletter_mail.errors import StoreError

_MAGIC = b"newsletter ledger 1\n"
_HEADER = struct.Struct("<20s36s16sq")
# The mark stands last: an entry counts from the moment that it is there.
_ENTRY = struct.Struct("<qB7x")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Entries of a file; then it is written anew, with what is still open.
_ENTRIES = 1 << 16


class Mark(IntEnum):
    """What the ledger says of a claimed delivery; the last word counts."""

    #: No byte has left.
    CLAIMED = 1
    #: Its message is the transport's.
    TAKEN = 2
    #: The server has it.
    ACCEPTED = 3
    #: The server has refused it, or never got it.
    NOT_ACCEPTED = 4


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """What a run that died has left behind.

    Attributes:
        owner: of its claims.
        marks: by subscriber's row number; what is not here is unknown.
    """

    owner: str
    issue_id: int
    marks: Mapping[int, Mark]

    def with_marks(self, *wanted: Mark) -> list[int]:
        """The subscribers of whom it says one of these."""
        return [subscriber for subscriber, mark in self.marks.items() if mark in wanted]


def read_ledger(path: Path) -> LedgerNote | None:
    """What a ledger says; None where there is none, or where it cannot be relied on."""
    try:
        written = path.read_bytes()
    except OSError:
        return None
    if len(written) < _HEADER.size:
        return None
    magic, boot, owner, issue_id = _HEADER.unpack_from(written)
    if magic != _MAGIC or boot != _boot_id():
        return None
    marks: dict[int, Mark] = {}
    for start in range(_HEADER.size, len(written) - _ENTRY.size + 1, _ENTRY.size):
        subscriber, mark = _ENTRY.unpack_from(written, start)
        if not mark:
            break
        marks[subscriber] = Mark(mark)
    return LedgerNote(owner.decode("ascii"), issue_id, marks)


class Ledger:
    """The ledger of a run at work; see the module. Safe to use from two threads."""

    def __init__(self, path: Path, header: bytes) -> None:
        self._path = path
        self._header = header
        self._open: dict[int, Mark] = {}
        # Claims are written by the thread of the database, all else by that of the transport.
        self._lock = threading.Lock()
        self._file = self._write_anew()

    @classmethod
    def start(cls, path: Path, *, owner: str, issue_id: int) -> "Ledger | None":
        """Begin the ledger of a run; None where a ledger would prove nothing, or cannot be.

        Args:
            path: of the file, on a disk of this machine; what stands there is written over.
            owner: 16 ASCII characters, as in the claims.
        """
        boot = _boot_id()
        if boot is None:
            return None
        try:
            return cls(path, _HEADER.pack(_MAGIC, boot, owner.encode("ascii"), issue_id))
        except OSError:
            return None

    def claim(self, subscribers: Iterable[int]) -> None:
        """These are about to be claimed; to be called before that is committed.

        Raises:
            StoreError: it cannot be written.
        """
        for subscriber in subscribers:
            self._mark(subscriber, Mark.CLAIMED)

    def take(self, subscriber: int) -> None:
        """The message is about to leave.

        Raises:
            StoreError: it cannot be written; the message must not leave.
        """
        self._mark(subscriber, Mark.TAKEN)

    def hear(self, subscriber: int, *, is_accepted: bool) -> None:
        """The server has answered, or certainly never got the message."""
        # Without this word the delivery is uncertain after a kill, and no worse.
        with contextlib.suppress(StoreError):
            self._mark(subscriber, Mark.ACCEPTED if is_accepted else Mark.NOT_ACCEPTED)

    def forget(self, subscribers: Iterable[int]) -> None:
        """What became of these is committed."""
        with self._lock:
            for subscriber in subscribers:
                self._open.pop(subscriber, None)

    def close(self, *, is_needed: bool) -> None:
        """End it.

        Args:
            is_needed: something of this run is not committed; the file stays.
        """
        self._file.close()
        if not is_needed:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _mark(self, subscriber: int, mark: Mark) -> None:
        with self._lock:
            if self._place >= len(self._file):
                self._renew()
            _ENTRY.pack_into(self._file, self._place, subscriber, mark)
            self._place += _ENTRY.size
            self._open[subscriber] = mark

    def _renew(self) -> None:
        try:
            former, self._file = self._file, self._write_anew()
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error
        former.close()

    def _write_anew(self) -> mmap.mmap:
        """In a file of its own that then takes the name: there is no moment without a ledger."""
        fresh = self._path.with_name(f"{self._path.name}.fresh")
        entries = b"".join(_ENTRY.pack(*item) for item in self._open.items())
        # Written, not made longer: on a full disk this fails, and no entry does.
        fresh.write_bytes(self._header + entries + bytes(_ENTRIES * _ENTRY.size))
        with fresh.open("r+b") as file:
            mapped = mmap.mmap(file.fileno(), 0)
        fresh.replace(self._path)
        self._place = len(self._header) + len(entries)
        return mapped


def _boot_id() -> bytes | None:
    """Which start of the machine this is; None where it does not say."""
    try:
        return _BOOT_ID.read_bytes().strip()
    except OSError:
        return None

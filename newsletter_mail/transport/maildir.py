"""The Maildir transport: every message becomes a file. Nothing leaves the machine.

The promise: a message is reported as accepted when its bytes are on the disk (fsync) and it has
its final name. The names themselves are flushed after every 50 messages and at the end, so that a
kill loses nothing, and a power cut at most the last 50 names.

Lines keep the CRLF that they would have on the wire: the file is what a server would have got,
byte for byte behind the two lines that a delivery agent adds, so that signatures can be verified.
"""

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter_mail.errors import TransportError
from newsletter_mail.transport.base import Feed, Report, not_handed_over
from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict

_SUFFIX = ".newsletter-mail"
_MESSAGES_PER_FLUSH = 50


class MaildirTransport:
    """Delivers to one Maildir, which is made where it is missing; see ``base.Transport``.

    The name of a file comes from the message's ``ref``, so that a message that is tried again
    takes its own place: there are never two of it, also when somebody has read it meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def connections(self) -> int:
        """One message at a time."""
        return 1

    @property
    def description(self) -> str:
        """Such as ``Maildir /home/me/newsletter/outbox``."""
        return f"Maildir {self.folder}"

    async def run(self, feed: Feed, report: Report) -> None:
        """Deliver what the feed gives, until it gives None; see ``Transport.run``.

        The disk is worked on in place: half a millisecond for a message of 70 KB, most of it
        fsync, and a thread would add a tenth to that.
        """
        already_read: dict[str, Path] | None = None
        unflushed = 0
        while (outgoing := feed.next_now() or await feed.next()) is not None:
            if (refusal := _refuse(outgoing)) is not None:
                report(outgoing, refusal)
                continue
            try:
                with self._translated():
                    if already_read is None:
                        already_read = self._prepare()
                    self._deliver(outgoing, already_read)
                    unflushed += 1
                    if unflushed >= _MESSAGES_PER_FLUSH:
                        self._flush_names()
                        unflushed = 0
            except TransportError as error:
                report(outgoing, not_handed_over(str(error)))
                raise
            text = f"written to {self.folder.name}/new/{_file_name(outgoing)}"
            report(outgoing, Outcome(Verdict.ACCEPTED, Reply(0, text), Stage.BODY))
            # Others on the event loop want their turn.
            await asyncio.sleep(0)
        if unflushed:
            with self._translated():
                self._flush_names()

    def _prepare(self) -> dict[str, Path]:
        """Make the folders; find the messages that a mail program has moved to ``cur``."""
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        return {
            path.name.partition(":")[0]: path
            for path in (self.folder / "cur").iterdir()
            if _SUFFIX in path.name
        }

    def _deliver(self, outgoing: Outgoing, already_read: dict[str, Path]) -> None:
        name = _file_name(outgoing)
        temporary = self.folder / "tmp" / name
        try:
            with temporary.open("wb") as file:
                file.write(_trace_lines(outgoing) + b"".join(outgoing.content))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self.folder / "new" / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        if name in already_read:
            already_read.pop(name).unlink(missing_ok=True)

    def _flush_names(self) -> None:
        descriptor = os.open(self.folder / "new", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = {
                errno.ENOSPC: "the disk is full",
                errno.EDQUOT: "the disk quota is used up",
                errno.EACCES: "there is no permission to write there",
                errno.EPERM: "there is no permission to write there",
                errno.EROFS: "the file system is read-only",
                errno.ENOTDIR: "a part of the path is a file",
                errno.EEXIST: "a part of the path is a file",
            }.get(error.errno or 0, error.strerror or str(error))
            raise TransportError(f"cannot write to the Maildir {self.folder}: {reason}") from error


def _file_name(outgoing: Outgoing) -> str:
    if not (outgoing.ref.isascii() and outgoing.ref.isalnum()):
        raise TransportError(f"{outgoing.ref!r} cannot name a file: letters and digits only")
    return outgoing.ref + _SUFFIX


def _trace_lines(outgoing: Outgoing) -> bytes:
    """What a delivery agent adds (RFC 5321 section 4.4; RFC 9228 for Delivered-To)."""
    envelope = outgoing.envelope
    lines = f"Return-Path: <{envelope.sender}>", f"Delivered-To: {envelope.recipient}"
    return "".join(f"{line}\r\n" for line in lines).encode()


def _refuse(outgoing: Outgoing) -> Outcome | None:
    envelope = outgoing.envelope
    if envelope.sender.isprintable() and envelope.recipient.isprintable():
        return None
    reply = Reply(0, "the address holds characters that would break the header")
    return Outcome(Verdict.MESSAGE_REFUSED, reply, Stage.MAIL)

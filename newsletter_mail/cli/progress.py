"""The progress of a send on stderr: a bar on a terminal, else a plain line every few seconds."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from newsletter_mail.cli.output import note
from newsletter_mail.delivery.send import Tally
from newsletter_mail.words import Verdict

#: Seconds between two plain lines.
_EVERY_S = 5.0


class SendProgress:
    """Shows how far a send is; ``begin`` it once the number of messages is known."""

    def __init__(self) -> None:
        self._total = 0
        self._start = self._last = 0.0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, total: int) -> None:
        """So many messages are going to be sent."""
        self._total = total
        self._start = self._last = time.monotonic()
        if not total or not sys.stderr.isatty():
            return
        self._bar = Progress(
            TextColumn("Sending"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[trouble]}"),
            console=Console(stderr=True),
        )
        self._bar.add_task("send", total=total, trouble="")
        self._bar.start()

    def show(self, tally: Tally) -> None:
        """So much is done."""
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=tally.done, trouble=_trouble(tally))
        elif (now := time.monotonic()) - self._last >= _EVERY_S:
            self._last = now
            note(self._line(tally, now - self._start))

    def _line(self, tally: Tally, seconds: float) -> str:
        rate = tally.done / seconds
        left = f"{(self._total - tally.done) / rate:,.0f} s left" if rate else "waiting"
        line = f"{tally.done:,} of {self._total:,} done, {rate:,.0f} a second, {left}"
        trouble = _trouble(tally)
        return f"{line}, {trouble}" if trouble else line


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def _trouble(tally: Tally) -> str:
    deferred = tally.count(Verdict.TRY_LATER, Verdict.THROTTLED)
    failed = tally.count(
        Verdict.ADDRESS_DEAD,
        Verdict.ADDRESS_UNSUPPORTED,
        Verdict.MAILBOX_UNAVAILABLE,
        Verdict.MESSAGE_REFUSED,
    )
    counts = (("deferred", deferred), ("failed", failed))
    return ", ".join(f"{count:,} {word}" for word, count in counts if count)

"""What shows the progress of a send on stderr: a bar, plain lines, JSON events, or nothing."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn

from newsletter_mail.cli.console import SafeConsole
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.gauge import Reading, spoken
from newsletter_mail.cli.output import as_json, note
from newsletter_mail.cli.session import now

_UNKNOWN = "—"
_STOPPING = (
    "stopping: answers are awaited and written down. Once more stops at once, and what is on the "
    "wire becomes uncertain"
)
_STOPPING_AT_ONCE = "stopping at once"


class ProgressForm(StrEnum):
    """How progress is shown."""

    #: A bar where stderr is a terminal, else plain lines.
    AUTO = "auto"
    BAR = "bar"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


class Display:
    """Shows nothing but what has to be said; the others are made of it.

    Attributes:
        every_s: seconds between two readings that are shown; None: none is.
    """

    every_s: float | None = None

    def begin(self, slug: str, total: int) -> None:
        """So many messages of this issue are going to be sent."""

    def show(self, reading: Reading) -> None:
        """How far it is."""

    def stopping(self, *, at_once: bool) -> None:
        """Somebody has asked the run to stop, once or twice."""
        note(_STOPPING_AT_ONCE if at_once else _STOPPING)

    def end(self, reading: Reading) -> None:
        """Nothing more will be sent."""

    def ended(self, slug: str, reading: Reading, code: Exit | None) -> None:
        """The command is over and has told its result."""


class PlainLines(Display):
    """A line every few seconds and one at the end, for a log."""

    every_s = 5.0

    def show(self, reading: Reading) -> None:
        """A line."""
        note(_line_under_way(reading))

    def end(self, reading: Reading) -> None:
        """The last line, where there was anything to send."""
        if reading.total:
            note(_line_at_the_end(reading))


class Bar(Display):
    """A bar on a terminal.

    It is drawn from the thread that looks at the sender, so rich needs none of its own.
    """

    every_s = 0.25

    def __init__(self) -> None:
        self._bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.fields[line]}", markup=False),
            # Where there is no terminal it was asked for by its name.
            console=SafeConsole(stderr=True, force_terminal=True),
            auto_refresh=False,
            # The result of the command goes there.
            redirect_stdout=False,
            expand=True,
        )

    def begin(self, slug: str, total: int) -> None:
        """An empty bar, where there is anything to send."""
        if total:
            self._bar.add_task("send", total=total, line=f"0 of {total:,} sent")
            self._bar.start()

    def show(self, reading: Reading) -> None:
        """Draw it anew."""
        self._draw(reading, _line_under_way(reading))

    def end(self, reading: Reading) -> None:
        """Draw it for the last time, and leave it standing."""
        self._draw(reading, _line_at_the_end(reading))
        self._bar.stop()

    def _draw(self, reading: Reading, line: str) -> None:
        for task in self._bar.task_ids:
            self._bar.update(task, completed=reading.done, line=line, refresh=True)


class JsonEvents(Display):
    """One JSON object a line, for programs; the keys are in ``docs/sending.md``."""

    every_s = 1.0

    def begin(self, slug: str, total: int) -> None:
        """``start``."""
        _say_event("start", issue=slug, total=total)

    def show(self, reading: Reading) -> None:
        """``progress``."""
        _say_event("progress", **_counts(reading), **_speed(reading))

    def stopping(self, *, at_once: bool) -> None:
        """``stopping``."""
        _say_event("stopping", at_once=at_once)

    def end(self, reading: Reading) -> None:
        """The last ``progress``."""
        self.show(reading)

    def ended(self, slug: str, reading: Reading, code: Exit | None) -> None:
        """``end``."""
        _say_event(
            "end",
            issue=slug,
            **_counts(reading),
            seconds=round(reading.seconds, 1),
            exit=None if code is None else code.value,
        )


def display_of(form: ProgressForm, *, is_terminal: bool) -> Display:
    """What shows progress in a form.

    Args:
        is_terminal: whether stderr is one that can draw.
    """
    if form is ProgressForm.AUTO:
        form = ProgressForm.BAR if is_terminal else ProgressForm.PLAIN
    displays = {
        ProgressForm.BAR: Bar,
        ProgressForm.PLAIN: PlainLines,
        ProgressForm.JSON: JsonEvents,
        ProgressForm.NONE: Display,
    }
    return displays[form]()


def _line_under_way(reading: Reading) -> str:
    left = _UNKNOWN if reading.left_s is None else spoken(reading.left_s)
    return f"{_line(reading, reading.rate)} · {left} left"


def _line_at_the_end(reading: Reading) -> str:
    return f"{_line(reading, reading.mean_rate)} · in {spoken(reading.seconds)}"


def _line(reading: Reading, rate: float | None) -> str:
    """``1,240 of 5,000 sent · 410/s · 3 deferred · 1 failed``."""
    parts = [
        f"{reading.sent:,} of {reading.total:,} sent",
        f"{_UNKNOWN if rate is None else _rate(rate)}/s",
        f"{reading.deferred:,} deferred",
        f"{reading.failed:,} failed",
    ]
    if reading.uncertain:
        parts.append(f"{reading.uncertain:,} uncertain")
    return " · ".join(parts)


def _rate(rate: float) -> str:
    return f"{rate:.1f}" if 0 < rate < 10 else f"{rate:,.0f}"


def _counts(reading: Reading) -> dict[str, int]:
    return {
        "done": reading.done,
        "total": reading.total,
        "sent": reading.sent,
        "deferred": reading.deferred,
        "failed": reading.failed,
        "uncertain": reading.uncertain,
    }


def _speed(reading: Reading) -> dict[str, float | None]:
    return {
        "rate": None if reading.rate is None else round(reading.rate, 1),
        "left_s": None if reading.left_s is None else round(reading.left_s),
    }


def _say_event(event: str, **facts: Any) -> None:
    note(as_json({"event": event, **facts, "at": _iso(now())}))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")

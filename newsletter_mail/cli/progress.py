"""Watches a send and shows its progress on stderr.

The sender only leaves its tally here. A thread looks at it a few times a second and writes: showing
costs the sender nothing, goes on while a server lets us wait, and a slow reader of stderr holds up
no message.
"""

import contextlib
import os
import sys
import threading
import time
from types import TracebackType
from typing import Annotated, Self

import typer

from newsletter_mail.cli.displays import ProgressForm, display_of
from newsletter_mail.cli.exits import Exit, exit_of
from newsletter_mail.cli.gauge import Gauge
from newsletter_mail.delivery.tally import Tally

#: Seconds between two looks at the tally.
_LOOK_S = 0.25

Form = Annotated[
    ProgressForm,
    typer.Option(
        "--progress",
        help="How progress is shown, on stderr. auto: a bar on a terminal, else a line every 5 s.",
    ),
]


class SendProgress:
    """The ``Watch`` of one run of ``send``, ``retry`` or ``settle --resend``.

    As a context it spans the whole command, so that the last event can tell the exit code.

    Args:
        slug: the issue.
    """

    def __init__(self, form: ProgressForm, slug: str) -> None:
        can_draw = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._display = display_of(form, is_terminal=can_draw)
        self._slug = slug
        self._tally = Tally()
        self._gauge: Gauge | None = None
        self._last = Gauge(0, 0).read(self._tally, 0)
        self._stops = self._stops_told = 0
        self._is_over = False
        self._wake = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and self._gauge is not None:
            self._display.ended(self._slug, self._last, exit_of(error))

    def begin(self, total: int) -> None:
        """So many messages are going to be sent."""
        self._gauge = Gauge(total, time.monotonic())
        with _unless_nobody_reads():
            self._display.begin(self._slug, total)
        self._thread = threading.Thread(
            target=self._look_on, args=(self._gauge,), name="progress", daemon=True
        )
        self._thread.start()

    def show(self, tally: Tally) -> None:
        """So much is done; the tally may count on afterwards."""
        self._tally = tally

    def stopping(self) -> None:
        """Somebody has asked the run to stop."""
        self._stops += 1
        self._wake.set()

    def end(self) -> None:
        """Nothing more will be sent."""
        if self._gauge is None:
            return
        self._is_over = True
        self._wake.set()
        self._thread.join()
        self._last = self._gauge.read(self._tally, time.monotonic())
        with _unless_nobody_reads():
            self._tell_stops()
            self._display.end(self._last)

    def ended(self, code: Exit) -> Exit:
        """The command has told its result and ends with this code; the same."""
        self._display.ended(self._slug, self._last, code)
        return code

    def _look_on(self, gauge: Gauge) -> None:
        shown_at, every_s = time.monotonic(), self._display.every_s
        with _unless_nobody_reads():
            while not self._is_over:
                self._tell_stops()
                moment = time.monotonic()
                reading = gauge.read(self._tally, moment)
                if every_s is not None and moment - shown_at >= every_s:
                    shown_at = moment
                    self._display.show(reading)
                self._wake.wait(_LOOK_S)
                self._wake.clear()

    def _tell_stops(self) -> None:
        while self._stops_told < self._stops:
            self._stops_told += 1
            # A third one changes nothing.
            if self._stops_told <= 2:
                self._display.stopping(at_once=self._stops_told == 2)


def _unless_nobody_reads() -> contextlib.suppress:
    """The send goes on where stderr is closed or its terminal gone."""
    return contextlib.suppress(OSError)

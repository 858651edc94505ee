"""``newsletter`` on the command line; ``python -m newsletter_mail`` does the same."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

# cli.exits has the name for it; what is needed to import that may be interrupted too.
_STOPPED = 3


def main() -> None:
    """Run one command and end the process with its exit code."""
    # Both end a command in the same way, with the same exit code and nothing half done, also
    # where a script has started it in the background and SIGINT was ignored.
    _on_signals(signal.default_int_handler)
    _open_closed_streams()
    try:
        code = _run()
    except KeyboardInterrupt:
        sys.stderr.write("Error: stopped\n")
        code = _STOPPED
    # Where it came inside an exec(), such as that of a dataclass being imported, ``python -m`` ends
    # by the signal though it was caught (CPython, pythonrun.c); another exec() takes that back.
    exec("")  # noqa: S102 - it is empty
    # What it did is written down: a signal while the interpreter ends must not take its code.
    _on_signals(signal.SIG_IGN)
    sys.exit(code)


def _run() -> int:
    # Imports take longer than many a command: whoever interrupts them gets no traceback either.
    from newsletter_mail.cli.app import app  # noqa: PLC0415
    from newsletter_mail.cli.exits import run  # noqa: PLC0415

    return run(app, sys.argv[1:])


def _open_closed_streams() -> None:
    """Where stdout or stderr is closed (``2>&-``), Python has None; what is said goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # The first file to be opened gets the number of the stream: it must be no file of ours.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


if __name__ == "__main__":
    main()

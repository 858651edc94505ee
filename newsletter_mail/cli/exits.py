"""Exit codes, and which error ends with which; the only place that turns errors into codes."""

import os
import sys
from collections.abc import Sequence
from enum import IntEnum

import typer
from typer.exceptions import TyperException

from newsletter_mail.cli.output import complain
from newsletter_mail.errors import NewsletterError, SendStopped, TransportError

# What Typer makes of a KeyboardInterrupt.
_TYPER_INTERRUPTED = 130


class Exit(IntEnum):
    """What a command's end means."""

    #: Done.
    DONE = 0
    #: Done, and something needs a look: a check failed, deliveries failed.
    LOOK = 1
    #: Something wrong was asked for, and nothing happened.
    WRONG = 2
    #: Stopped on the way; run it again to go on.
    STOPPED = 3


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run one command; no error of ours, and none of the user's, shows a traceback.

    ``--debug`` before the command shows it all the same.
    """
    try:
        code = int(_invoke(app, arguments) or Exit.DONE)
        # While a reader that has gone can still be told from an error of ours.
        sys.stdout.flush()
    except NewsletterError as error:
        if "--debug" in arguments:
            raise
        complain(str(error))
        return exit_of(error) or Exit.WRONG
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped")
        return Exit.STOPPED
    except BrokenPipeError:
        # The reader of our output has gone (`newsletter log | head`): nothing is wrong, and the
        # interpreter must not complain while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    return code


def exit_of(error: BaseException) -> Exit | None:
    """The code that a command ends with by this error; None where it is a defect of ours."""
    if isinstance(error, SendStopped | TransportError | KeyboardInterrupt | typer.Abort):
        return Exit.STOPPED
    return Exit.WRONG if isinstance(error, NewsletterError) else None


def _invoke(app: typer.Typer, arguments: Sequence[str]) -> int | None:
    try:
        code: int | None = app(list(arguments), prog_name="newsletter", standalone_mode=False)
    except TyperException as error:
        # Words that the command line does not know; it prints its usage itself.
        error.show()  # type: ignore[attr-defined] # the subclasses that are raised have it
        return Exit.WRONG
    except SystemExit as ended:
        # Typer ends the process with code 1 where the reader of our output has gone.
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        raise
    if code == _TYPER_INTERRUPTED:
        raise KeyboardInterrupt
    return code

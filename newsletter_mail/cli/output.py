"""What commands print: results on stdout, everything else on stderr."""

import contextlib
import json
import re
import sys

# What a subscriber or a mail server says must not move the cursor or ring the bell.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(text: object) -> str:
    """Text from outside, safe on a terminal: one line, control characters replaced."""
    return _CONTROL.sub("�", str(text).replace("\n", " ").replace("\t", " "))


def say(message: str = "") -> None:
    """A line of the result, on stdout."""
    print(message)  # noqa: T201 - the one place that prints results


def note(message: str = "") -> None:
    """A line of progress or explanation, on stderr.

    A reader that has gone ends nothing: a send goes on when the window is closed that shows it.
    """
    with contextlib.suppress(BrokenPipeError):
        print(message, file=sys.stderr)  # noqa: T201 - the one place that prints notes


def complain(message: str) -> None:
    """What went wrong, on stderr; one line each."""
    for line in message.splitlines():
        note(f"Error: {shown(line)}")


def warn(message: str) -> None:
    """What may go wrong, on stderr."""
    note(f"Warning: {shown(message)}")


def say_json(document: object) -> None:
    """One JSON document on stdout."""
    say(as_json(document, indent=2))


def as_json(document: object, *, indent: int | None = None) -> str:
    """JSON as it may go to a terminal: control characters are written as escapes."""
    text = json.dumps(document, ensure_ascii=False, indent=indent, default=str)
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

"""Sending: the whole of ``newsletter send`` against other senders, into smtp-sink."""

from collections.abc import Iterator

from benchmarks.errors import Missing
from benchmarks.races import race
from benchmarks.room import Room
from benchmarks.senders import (
    SMTP_SOURCE,
    SMTPLIB,
    Course,
    aiosmtplib_racer,
    newsletter_racer,
    smtplib_racer,
    source_racer,
)
from benchmarks.tables import Section
from benchmarks.tools import program


def measure(room: Room) -> Iterator[Section]:
    """A table for each size."""
    try:
        program("smtp-sink")
    except Missing as error:
        yield Section(title="Sending", text=f"Not measured: {error}.")
        return
    for size in room.options.sizes:
        yield _measure_size(room, size)


def _measure_size(room: Room, size: int) -> Section:
    options = room.options
    course = Course(room=room, size=size)
    actual = course.prepare()
    outcome = race(
        [
            newsletter_racer(course, "uvloop"),
            newsletter_racer(course, "asyncio"),
            source_racer(course),
            smtplib_racer(course),
            aiosmtplib_racer(course),
        ],
        options.rounds,
        what=f"send, {actual:,} bytes",
    )
    return Section(
        title=f"Sending {actual:,} bytes",
        text=(
            f"{options.messages:,} messages over {options.connections} connections into "
            f"smtp-sink; "
            f"smtplib and aiosmtplib {options.peer_messages:,}."
        ),
        paragraphs=[
            outcome.table([SMTP_SOURCE, SMTPLIB]),
            *outcome.notes,
        ],
    )

"""Sending: the whole of ``newsletter send`` against other senders, into smtp-sink."""

from collections.abc import Iterator

from benchmarks.errors import Missing
from benchmarks.races import Race, race
from benchmarks.room import Room
from benchmarks.senders import (
    SMTP_SOURCE,
    SMTPLIB,
    Course,
    aiosmtplib_racer,
    newsletter_racer,
    ours,
    smtplib_racer,
    source_racer,
)
from benchmarks.tables import Section, Target, at_least, at_most
from benchmarks.tools import best_loop, program

_OF_SOURCE_LARGE = 1.0
_OF_SOURCE_SMALL = 0.5
_OF_SMTPLIB = 15.0
_CPU_US = 100.0


def measure(room: Room) -> Iterator[Section]:
    """A table for each size."""
    try:
        program("smtp-sink")
    except Missing as error:
        yield Section(title="Sending", text=f"Not measured: {error}.")
        return
    for size in room.options.sizes:
        yield _measure_size(room, size)


def _targets(outcome: Race, *, is_large: bool) -> Iterator[Target]:
    name = ours(best_loop())
    of_source = outcome.ratio(name, SMTP_SOURCE, lambda result: result.rate_of_sending)
    of_smtplib = outcome.ratio(name, SMTPLIB, lambda result: result.rate_of_sending)
    if of_source is not None:
        wanted = _OF_SOURCE_LARGE if is_large else _OF_SOURCE_SMALL
        yield at_least("messages a second while it sends, of smtp-source", of_source, wanted)
    if not is_large:
        return
    if of_smtplib is not None:
        yield at_least("messages a second while it sends, of smtplib", of_smtplib, _OF_SMTPLIB)
    cpu_us = outcome.results[name].cpu_us_of_sending
    yield at_most("CPU of a message while it sends", cpu_us, _CPU_US, " µs")


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
        targets=list(_targets(outcome, is_large=size == max(options.sizes))),
    )

"""TLS: what encryption adds to the CPU of a message."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.races import Race, race
from benchmarks.room import Room
from benchmarks.senders import Course, alone, newsletter_racer, ours, transport_racer
from benchmarks.tables import Section, at_most
from benchmarks.tools import best_loop

_TARGET_US = 150.0


def measure(room: Room) -> Iterator[Section]:
    """Two tables, of the largest size: with TLS and, into the same sink, without."""
    options = room.options
    with_tls = Course(room=room, size=options.sizes[0], delay_s=0.0, with_tls=True)
    size = with_tls.prepare()
    encrypted = _race(with_tls, "tls")
    plain = _race(replace(with_tls, with_tls=False), "tls, without it")
    loop = best_loop()
    results = encrypted.results
    yield Section(
        title="TLS",
        text=(
            f"{options.messages:,} messages of {size:,} bytes over {options.connections} "
            "connections with TLS from the start (smtps://) into a sink of ours that only counts. "
            "It is in Python and limits the messages a second: read the CPU."
        ),
        paragraphs=[
            encrypted.table([]),
            "The same without TLS:",
            plain.table([]),
            *encrypted.notes,
        ],
        targets=[
            at_most(
                "CPU of a message over TLS, our transport alone",
                results[alone(loop)].cpu_us_without_start,
                _TARGET_US,
                " µs",
            ),
            at_most(
                "CPU of a message over TLS, newsletter send while it sends",
                results[ours(loop)].cpu_us_of_sending,
                _TARGET_US,
                " µs",
            ),
        ],
    )


def _race(course: Course, what: str) -> Race:
    racers = [
        make(course, loop)
        for make in (transport_racer, newsletter_racer)
        for loop in ("uvloop", "asyncio")
    ]
    return race(racers, course.room.options.rounds, what=what)

"""Distance: sending to a server 10 ms away, where waiting for answers is what costs."""

from collections.abc import Iterator

from benchmarks.races import race
from benchmarks.room import Room
from benchmarks.senders import (
    AIOSMTPLIB,
    AIOSMTPLIB_ALONE,
    Course,
    aiosmtplib_racer,
    alone,
    newsletter_racer,
    ours,
    transport_racer,
)
from benchmarks.tables import Section, at_least
from benchmarks.tools import best_loop

_TARGET = 4.0
_DELAY_S = 0.01


def measure(room: Room) -> Iterator[Section]:
    """One table, of the smallest size."""
    options = room.options
    course = Course(room=room, size=options.sizes[-1], delay_s=_DELAY_S)
    size = course.prepare()
    loop = best_loop()
    outcome = race(
        [
            newsletter_racer(course, loop),
            transport_racer(course, loop),
            aiosmtplib_racer(course),
            aiosmtplib_racer(course, is_made_once=True),
        ],
        options.rounds,
        what="rtt",
    )
    ratios = {
        "newsletter send over 10 ms, of aiosmtplib": outcome.ratio(ours(loop), AIOSMTPLIB),
        "our transport over 10 ms, of aiosmtplib, without fill and start": outcome.ratio(
            alone(loop), AIOSMTPLIB_ALONE, lambda result: result.rate_without_start
        ),
    }
    yield Section(
        title="A server 10 ms away",
        text=(
            f"Messages of {size:,} bytes over {options.connections} connections into a sink of "
            "ours "
            f"that answers each command {_DELAY_S * 1000:.0f} ms after it came and takes them in "
            f"groups (PIPELINING): {options.messages:,}, of aiosmtplib {options.peer_messages:,}. "
            f"All on {loop}."
        ),
        paragraphs=[
            outcome.table([AIOSMTPLIB, AIOSMTPLIB_ALONE]),
            *outcome.notes,
        ],
        targets=[
            at_least(title, ratio, _TARGET) for title, ratio in ratios.items() if ratio is not None
        ],
    )

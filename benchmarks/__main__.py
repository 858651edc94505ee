"""``python -m benchmarks``: runs the measures and prints them as Markdown on stdout."""

import signal
import sys

from benchmarks.errors import BenchmarkError
from benchmarks.machine import describe
from benchmarks.measures import MEASURES
from benchmarks.options import Options, read_options
from benchmarks.room import Room, open_room
from benchmarks.tables import Section, Target, targets_table


def main() -> int:
    """Run the command line; 1 where a measure failed."""
    options = read_options(sys.argv[1:], MEASURES)
    # A benchmark that is told to end removes what it has made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _measure_all(options)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _measure_all(options: Options) -> int:
    rounds = f"Each program ran {options.rounds} times, in turn with the others; medians."
    print(f"{describe()} {rounds}", flush=True)
    targets: list[Target] = []
    failed = False
    with open_room(options) as room:
        for name in options.only:
            try:
                targets += _show(name, room)
            except BenchmarkError as error:
                failed = True
                print(f"\n{name} was not measured: {error}", flush=True)
    if targets:
        _print(Section(title="Targets", paragraphs=[targets_table(targets)]))
    return int(failed)


def _show(name: str, room: Room) -> list[Target]:
    targets: list[Target] = []
    for section in MEASURES[name](room):
        _print(section)
        targets += section.targets
    return targets


def _print(section: Section) -> None:
    print(f"\n{section.markdown()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Importing: ``newsletter subscribers import`` against sqlite3's own import, and its memory."""

import sys
from collections.abc import Iterator
from functools import partial

from benchmarks import newsletter
from benchmarks.errors import Missing
from benchmarks.people import COLUMNS
from benchmarks.processes import Cost, alternate, median, run
from benchmarks.room import Room
from benchmarks.tables import Section, Target, at_most, table
from benchmarks.tools import program

_TARGET = 15.0
_GROWTH, _PEAK_MB = 1.3, 150.0
_OURS, _SHELL = "newsletter subscribers import", "sqlite3 .import"


def measure(room: Room) -> Iterator[Section]:
    """One table: both at the large list, ours at the small one too."""
    options = room.options
    many, few = f"{_OURS}, {options.people:,}", f"{_OURS}, {options.few_people:,}"
    shell = f"{_SHELL}, {options.people:,}"
    programs = {
        many: partial(_import_ours, room, options.people),
        few: partial(_import_ours, room, options.few_people),
    }
    notes = []
    try:
        programs[shell] = partial(_import_with_shell, room, program("sqlite3"))
    except Missing as error:
        notes.append(f"No line for {_SHELL}: {error}.")
    costs = alternate(options.rounds, programs, what="import")
    peaks = {name: median(runs, lambda cost: cost.peak_mb) for name, runs in costs.items()}
    targets: list[Target] = []
    if shell in costs:
        ratio = median(costs[many]) / median(costs[shell])
        targets.append(at_most(f"importing, of {_SHELL}", ratio, _TARGET, digits=1))
    growth = peaks[many] / peaks[few]
    targets += [
        at_most("memory of the large import, of the small one's", growth, _GROWTH, digits=2),
        at_most("memory of the large import", peaks[many], _PEAK_MB, " MB"),
    ]
    yield Section(
        title="Importing",
        text=(
            "A CSV of made-up people. sqlite3 loads it into a table whose addresses are unique; "
            "ours checks each address and field, makes a random id for each person, and records "
            "list and consent."
        ),
        paragraphs=[
            table(
                ("program, people", "seconds", "CPU seconds", "peak memory, MB"),
                [
                    (
                        name,
                        f"{median(runs):.2f}",
                        f"{median(runs, lambda cost: cost.cpu_s):.2f}",
                        f"{peaks[name]:.0f}",
                    )
                    for name, runs in costs.items()
                ],
            ),
            *notes,
        ],
        targets=targets,
    )


def _import_ours(room: Room, people: int) -> Cost:
    csv = room.people(people)
    with room.scratch() as folder:
        run([sys.executable, "-m", "newsletter_mail", "init", str(folder)])
        return run(newsletter.command(folder, "subscribers", "import", csv))


def _import_with_shell(room: Room, shell: str) -> Cost:
    csv = room.people(room.options.people)
    columns = ", ".join(f"{column} TEXT" for column in COLUMNS)
    with room.scratch() as folder:
        return run(
            [
                shell,
                str(folder / "shell.db"),
                f"CREATE TABLE people ({columns}, UNIQUE (email))",
                ".mode csv",
                f'.import --skip 1 "{csv}" people',
            ]
        )

"""Planning: ``plan_deliveries`` against a bare INSERT … SELECT."""

import json
import shutil
import statistics
from collections.abc import Iterator
from functools import partial

from benchmarks.processes import Cost, alternate, module, run
from benchmarks.room import Room
from benchmarks.tables import Section, at_most, table
from benchmarks.workspaces import Workspace

_TARGET = 2.0
_LINES = {
    "ours": "plan_deliveries",
    "bare": "bare INSERT … SELECT",
    "keyed": "the same, foreign keys checked",
}


def measure(room: Room) -> Iterator[Section]:
    """One table, of the large list."""
    options = room.options
    workspace = room.workspace(options.people, options.sizes[0])
    costs = alternate(
        options.rounds, {how: partial(_run, room, workspace, how) for how in _LINES}, what="plan"
    )
    medians = {
        how: statistics.median(float(json.loads(cost.out)["taken_s"]) for cost in runs)
        for how, runs in costs.items()
    }
    yield Section(
        title="Planning",
        text=(
            f"An issue planned for {options.people:,} people, into the same table with the same "
            "indexes, from BEGIN to COMMIT with synchronous=FULL."
        ),
        paragraphs=[
            table(
                ("how", "seconds", "times"),
                [
                    (title, f"{medians[how]:.2f}", f"{medians[how] / medians['bare']:.2f}")
                    for how, title in _LINES.items()
                ],
            ),
        ],
        targets=[
            at_most(
                "planning, of a bare INSERT … SELECT",
                medians["ours"] / medians["bare"],
                _TARGET,
                digits=2,
            )
        ],
    )


def _run(room: Room, workspace: Workspace, how: str) -> Cost:
    with room.scratch() as folder:
        database = folder / "newsletter.db"
        shutil.copyfile(workspace.path / "newsletter.db", database)
        people = workspace.people
        return run(module("plan", "--database", database, "--people", people, "--how", how))

"""Filling: what one message costs before it goes on the wire."""

import json
import statistics
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.processes import Cost, alternate, module, run
from benchmarks.room import Room
from benchmarks.tables import Section, at_most, table
from benchmarks.workspaces import Workspace

_TARGET_US = 40.0
_LINES = {
    "fill": "the template filled in",
    "make": "the same, with address read and links signed",
    "email": "EmailMessage, to bytes",
}


def measure(room: Room) -> Iterator[Section]:
    """One table, of the largest size."""
    options = room.options
    workspace = room.workspace(options.messages, options.sizes[0])
    counts = dict.fromkeys(_LINES, options.messages) | {"email": options.peer_messages}
    costs = alternate(
        options.rounds,
        {how: partial(_run, workspace, how, count) for how, count in counts.items()},
        what="fill",
    )
    said: dict[str, list[dict[str, Any]]] = {
        how: [json.loads(cost.out) for cost in runs] for how, runs in costs.items()
    }
    medians = {how: statistics.median(one["cost_us"] for one in all_) for how, all_ in said.items()}
    facts = said["fill"][0]
    yield Section(
        title="Filling",
        text=(
            f"CPU of one message of {workspace.size:,} bytes with {facts['merge_tags']} merge tags "
            f"in {facts['places']} places; nothing is sent. "
            f"{options.messages:,} messages, of EmailMessage {options.peer_messages:,}."
        ),
        paragraphs=[
            table(
                ("how", "µs a recipient", "times"),
                [
                    (title, f"{medians[how]:,.1f}", f"{medians[how] / medians['fill']:,.1f}")
                    for how, title in _LINES.items()
                ],
            ),
        ],
        targets=[
            at_most("a message filled in", medians["fill"], _TARGET_US, " µs", digits=1),
        ],
    )


def _run(workspace: Workspace, how: str, messages: int) -> Cost:
    return run(
        module(
            "fill",
            *("--workspace", workspace.path, "--build", workspace.build),
            *("--messages", messages, "--how", how),
        )
    )

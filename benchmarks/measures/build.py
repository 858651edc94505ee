"""Building: ``newsletter build`` against the ``mjml`` command, and a very long issue."""

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import newsletter
from benchmarks.composing import (
    ISSUES,
    MJML_VERSION,
    SAMPLE,
    long_issue,
    mjml_command,
    sample_workspace,
)
from benchmarks.errors import Missing
from benchmarks.processes import Cost, alternate, median, module, run
from benchmarks.room import Room
from benchmarks.tables import Section, at_most, table

_SECTIONS = 500
_OURS = "newsletter build, the sample"
_LONG = f"newsletter build, {_SECTIONS} sections"
_THEIRS = f"mjml {MJML_VERSION}, the sample's MJML"
_TARGET_OF_MJML = 1.0
_TARGET_OF_SAMPLE = 20.0


def measure(room: Room) -> Iterator[Section]:
    """One table."""
    workspace = sample_workspace(room)
    slug = long_issue(workspace, _SECTIONS)
    programs: dict[str, Callable[[], Cost]] = {
        name: partial(
            run, newsletter.command(workspace, "build", issue, "--out", workspace / "build")
        )
        for name, issue in ((_OURS, SAMPLE), (_LONG, slug))
    }
    notes: list[str] = []
    try:
        command = mjml_command(room)
    except Missing as error:
        notes.append(f"No line for mjml: {error}.")
    else:
        out = room.path / "pages"
        run(
            module(
                "mjml_pages",
                "--issue",
                ISSUES["the sample"],
                "--workspace",
                workspace,
                "--out",
                out,
            )
        )
        mjml = [str(command), str(out / "issue.mjml"), "-o", str(out / "issue.html")]
        programs[_THEIRS] = partial(run, mjml)
    costs = alternate(room.options.rounds, programs, what="build")
    wall = {name: median(runs) for name, runs in costs.items()}
    targets = [
        at_most(
            f"building {_SECTIONS} sections, of the sample",
            wall[_LONG] / wall[_OURS],
            _TARGET_OF_SAMPLE,
            digits=2,
        )
    ]
    if _THEIRS in wall:
        ratio = wall[_OURS] / wall[_THEIRS]
        targets.insert(0, at_most("building the sample, of mjml", ratio, _TARGET_OF_MJML, digits=2))
    yield Section(
        title="Building",
        text=(
            "The whole command, from its start to its end: `newsletter build` reads Markdown and "
            "makes HTML, plain text, pictures and the message; `mjml` makes HTML of the MJML that "
            "ours has made on the way."
        ),
        paragraphs=[
            table(
                ("program", "seconds", "of the sample", "CPU seconds"),
                [
                    (
                        name,
                        f"{wall[name]:.2f}",
                        f"{wall[name] / wall[_OURS]:.2f}",
                        f"{median(runs, lambda cost: cost.cpu_s):.2f}",
                    )
                    for name, runs in costs.items()
                ],
            ),
            *notes,
        ],
        targets=targets,
    )

"""The layout: its MJML rendered by mjml-python and by the official ``mjml``, as pictures."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.composing import ISSUES, MJML_VERSION, mjml_command
from benchmarks.errors import Missing
from benchmarks.processes import module, progress, run
from benchmarks.room import Room
from benchmarks.screenshots import differing_share, take
from benchmarks.tables import Section, at_most, table

_WIDTHS = (375, 640)
_TARGET_PERCENT = 1.0


def measure(room: Room) -> Iterator[Section]:
    """One table, of every issue in every width."""
    try:
        shares = _shares(room)
    except Missing as error:
        yield Section(title="The reference renderer", text=f"No line: {error}.")
        return
    yield Section(
        title="The reference renderer",
        text=(
            "The MJML of an issue rendered by mjml-python, as we do it, and by the official mjml "
            f"{MJML_VERSION} (npm); all else is the same. The share of the pixels of the whole "
            "mail in Chromium that differ, %."
        ),
        paragraphs=[
            table(
                ("issue", *(f"{width} px wide" for width in _WIDTHS)),
                [(name, *(f"{shares[name, width]:.2f}" for width in _WIDTHS)) for name in ISSUES],
            )
        ],
        targets=[
            at_most(
                "pixels that differ from mjml's",
                max(shares.values()),
                _TARGET_PERCENT,
                " %",
                digits=2,
            )
        ],
    )


def _shares(room: Room) -> dict[tuple[str, int], float]:
    command = mjml_command(room)
    shares: dict[tuple[str, int], float] = {}
    for name, issue in ISSUES.items():
        progress(f"mjml: {name}")
        with room.scratch() as folder:
            run(
                module(
                    "mjml_pages",
                    *("--issue", issue, "--workspace", folder),
                    *("--out", folder, "--mjml", command),
                )
            )
            ours, theirs = (_pictures(folder / made) for made in ("ours", "mjml"))
            for width in _WIDTHS:
                shares[name, width] = 100 * differing_share(ours[width], theirs[width])
    return shares


def _pictures(folder: Path) -> dict[int, Path]:
    return take(folder / "index.html", _WIDTHS, folder)

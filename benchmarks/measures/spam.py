"""SpamAssassin: what it says of the sample, without asking anybody on the network."""

import re
from collections.abc import Iterator

from benchmarks.composing import SAMPLE, built, sample_workspace
from benchmarks.errors import BenchmarkError, Missing
from benchmarks.processes import run
from benchmarks.room import Room
from benchmarks.tables import Section, at_most, table
from benchmarks.tools import program

_TARGET_SCORE = 1.0
_SCORE = re.compile(r"^X-Spam-Status: \w+, score=(-?[\d.]+)", re.MULTILINE)
_HIT = re.compile(r"^ *(-?\d+\.\d+) ([A-Z][A-Z0-9_]+) +(.*(?:\n {20,}\S.*)*)", re.MULTILINE)


def measure(room: Room) -> Iterator[Section]:
    """One table, a line for each rule that hit."""
    try:
        spamassassin = program("spamassassin")
    except Missing as error:
        yield Section(title="SpamAssassin", text=f"No line: {error}.")
        return
    message = built(sample_workspace(room), SAMPLE) / "message.eml"
    # A shell, because the command reads a message from its input.
    said = run(["sh", "-c", '"$1" -L -t <"$2"', "sh", spamassassin, str(message)]).out
    score = _SCORE.search(said)
    if score is None:
        raise BenchmarkError("SpamAssassin gave no score")
    yield Section(
        title="SpamAssassin",
        text="The message of the sample, judged by `spamassassin -L -t`, which asks nobody.",
        paragraphs=[
            table(
                ("rule", "score", "what it says"),
                [
                    (f"`{rule}`", points, " ".join(words.split()))
                    for points, rule, words in _HIT.findall(said)
                ],
            )
        ],
        targets=[at_most("SpamAssassin's score", float(score[1]), _TARGET_SCORE, digits=1)],
    )

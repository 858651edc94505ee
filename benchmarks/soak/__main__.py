"""Sends newsletters while everything goes wrong, and checks that nobody is missed or mailed twice.

``python -m benchmarks.soak --rounds 100 --minutes 10`` ends by itself. A broken promise ends it at
once, with what is needed to look into it.
"""

import argparse
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from benchmarks.soak.faults import FAULTS, RoundPlan, plan_round
from benchmarks.soak.invariants import Violation
from benchmarks.soak.rounds import Counts, Skipped, play
from benchmarks.soak.totals import Totals

_ORDER = {fault.name: fault for fault in FAULTS}


def main() -> int:
    """Play rounds, print the totals; 1 where a promise was broken."""
    options = _options()
    chosen = [fault for fault in FAULTS if any(word in fault.name for word in options.fault)]
    totals, end = Totals(), time.monotonic() + options.minutes * 60
    print(f"seed {options.seed}", flush=True)
    broken = ""
    for number in range(options.first, options.first + options.rounds):
        if broken or time.monotonic() > end:
            break
        plan = plan_round(options.seed, number, faults=chosen or FAULTS, most_people=options.people)
        broken = _play(plan, totals)
    if totals.rounds:
        table = f"{_describe(options, totals)}\n\n{totals.table(_ORDER)}"
        print(f"\n{table}")
        if options.into and not broken:
            _write_into(options.into, table)
    print(broken or "\nevery promise held")
    return 1 if broken else 0


def _describe(options: argparse.Namespace, totals: Totals) -> str:
    return (
        f"{totals.rounds} rounds, seed {options.seed}, up to {options.people:,} people; "
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )


def _write_into(path: Path, table: str) -> None:
    """Put the table between the two marks of a document."""
    text = path.read_text(encoding="utf-8")
    begin, end = text.index("\n", text.index("<!-- soak")), text.index("<!-- /soak")
    path.write_text(f"{text[:begin]}\n\n{table}\n\n{text[end:]}", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10.0, help="no round begins after these")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--first", type=int, default=1, help="number of the first round")
    parser.add_argument("--people", type=int, default=1200, help="at most so many in a round")
    parser.add_argument("--into", type=Path, help="a document that the table is written into")
    parser.add_argument(
        "--fault", action="append", default=[], help="only faults with this in their name"
    )
    return parser.parse_args()


def _play(plan: RoundPlan, totals: Totals) -> str:
    """Play a round; what was broken, or ""."""
    folder, counts = Path(tempfile.mkdtemp(prefix=f"soak-{plan.number}-")), Counts()
    start, said, broken = time.monotonic(), "", ""
    try:
        play(plan, folder, counts)
    except Skipped as reason:
        print(f"{plan.number:4} {plan.fault.name}: skipped: {reason}", flush=True)
        shutil.rmtree(folder)
        return ""
    except Violation as violation:
        broken = (
            f"\nBROKEN in round {plan.number}: {violation}\nThe workspace is kept: {folder}\n"
            f"{plan}\nAgain: python -m benchmarks.soak --seed {plan.seed} --first {plan.number}"
        )
        said = ": BROKEN"
    else:
        shutil.rmtree(folder)
    totals.add(plan.fault.name, counts)
    seconds = time.monotonic() - start
    print(
        f"{plan.number:4} {plan.fault.name}{said} ({plan.people} people, {counts.messages} "
        f"messages, {counts.hits} hits, {counts.uncertain} uncertain, {seconds:.1f} s)",
        flush=True,
    )
    return broken


if __name__ == "__main__":
    sys.exit(main())

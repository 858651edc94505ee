"""Imports the same people with newsletter-mail and with the sqlite3 shell, in turn.

The shell loads the rows into a table with a unique index on the address, and checks nothing else.
Each round starts with empty databases; the medians, the ratio and the peak memory are printed.

``python benchmarks/import_people.py --rows 1000000 --rounds 3``
"""

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_COLUMNS = ("email", "first_name", "last_name", "language", "city")
_FIRST_NAMES = ["Ana", "Ben", "Chloé", "Dora", "Emil", "Fay", "José", "Gül", "Mariana", "Olivia"]
_LAST_NAMES = [
    "Müller",
    "Silva",
    "Okafor",
    "Nguyen",
    "Smith",
    "Kowalski",
    "Haddad",
    "Tanaka",
    "Rossi",
    "Dubois",
]
_LANGUAGES = ("en", "fr", "es", "de", "pt-BR")
_CITIES = ("Paris", "São Paulo", "Nairobi", "Amman", "Berlin", "New York")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One run: seconds by the clock and of the processor, and the most memory that it had."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def _write_people(path: Path, rows: int) -> None:
    """People whose addresses come in no order, as in a real list."""
    choice = random.Random(1).choice
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for number in range(rows):
            # An odd factor and a power of two: every number once, far from its neighbours.
            email = f"{number * 0x9E3779B1 % 2**32:08x}@town{number % 997}.example.org"
            row = map(choice, (_FIRST_NAMES, _LAST_NAMES, _LANGUAGES, _CITIES))
            writer.writerow((email, *row))


def _run(*command: str) -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(
        wall_s=time.perf_counter() - started,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss / 1024,
    )


def _import_with_shell(people: Path, folder: Path) -> Cost:
    columns = ", ".join(f"{column} TEXT" for column in _COLUMNS)
    return _run(
        "sqlite3",
        str(folder / "shell.db"),
        f"CREATE TABLE people ({columns}, UNIQUE (email))",
        ".mode csv",
        f'.import --skip 1 "{people}" people',
    )


def _import_with_newsletter(people: Path, folder: Path) -> Cost:
    (folder / "newsletter.toml").touch()
    dotenv = folder / ".env"
    dotenv.touch(mode=0o600)
    dotenv.write_text("NEWSLETTER_SECRET_KEY=a key that is only for this benchmark\n")
    newsletter = (sys.executable, "-m", "newsletter_mail", "-w", str(folder), "subscribers")
    return _run(*newsletter, "import", str(people))


def _show(name: str, costs: list[Cost]) -> Cost:
    median = Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs),
        cpu_s=statistics.median(cost.cpu_s for cost in costs),
        peak_mb=max(cost.peak_mb for cost in costs),
    )
    print(
        f"{name:12} {median.wall_s:6.2f} s wall {median.cpu_s:6.2f} s cpu "
        f"{median.peak_mb:6.0f} MB peak"
    )
    return median


def main() -> None:
    """Read the command line, run the rounds, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shell: list[Cost] = []
    ours: list[Cost] = []
    with tempfile.TemporaryDirectory() as root:
        people = Path(root, "people.csv")
        _write_people(people, options.rows)
        for _ in range(options.rounds):
            for costs, importing in (
                (shell, _import_with_shell),
                (ours, _import_with_newsletter),
            ):
                with tempfile.TemporaryDirectory(dir=root) as folder:
                    costs.append(importing(people, Path(folder)))
    print(f"{options.rows:,} rows, medians of {options.rounds} rounds:")
    theirs, own = _show("sqlite3", shell), _show("newsletter", ours)
    print(
        f"ratio: {own.wall_s / theirs.wall_s:.1f} by the clock, "
        f"{own.cpu_s / theirs.cpu_s:.1f} of the processor"
    )


if __name__ == "__main__":
    main()

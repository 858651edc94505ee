"""Runs ``newsletter``, as a user does."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.processes import Cost, run

#: Where no uvloop may be found, ``newsletter`` runs on asyncio's own event loop.
_WITHOUT_UVLOOP = (
    "import sys; sys.modules['uvloop'] = None; from newsletter_mail.__main__ import main; main()"
)
#: The slug of the issue that is sent.
ISSUE = "bench"


def command(workspace: Path, *arguments: object, loop: str = "uvloop") -> list[str]:
    """The command line.

    Args:
        loop: ``uvloop`` (where it is installed) or ``asyncio``.
    """
    start = ["-c", _WITHOUT_UVLOOP] if loop == "asyncio" else ["-m", "newsletter_mail"]
    return [sys.executable, *start, "-w", str(workspace), *map(str, arguments)]


def send_environment(url: str, connections: int) -> dict[str, str]:
    """Where a send goes."""
    return {
        "NEWSLETTER_TRANSPORT__URL": url,
        "NEWSLETTER_TRANSPORT__CONNECTIONS": str(connections),
    }


def dry_run(workspace: Path, environment: Mapping[str, str], *, loop: str) -> Cost:
    """What ``newsletter send`` does before it plans: compile, check, make every message once."""
    words = command(workspace, "send", ISSUE, "--dry-run", "--json", loop=loop)
    return run(words, environment=environment)


def send(workspace: Path, environment: Mapping[str, str], *, loop: str, expected: int) -> Cost:
    """All of ``newsletter send``: check, plan, claims, fill, wire, and the log on the disk.

    Args:
        workspace: nobody on its list has the issue yet; afterwards all have it.
        expected: so many people are on the list.

    Raises:
        BenchmarkError: not each of them was sent one message.
    """
    cost = run(
        command(workspace, "send", ISSUE, "--yes", "--json", loop=loop), environment=environment
    )
    sent = json.loads(cost.out)["deliveries"]["sent"]
    if sent != expected:
        raise BenchmarkError(f"newsletter send sent {sent} messages, and not {expected}")
    return cost

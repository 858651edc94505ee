"""The command line of the benchmarks."""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is measured, and how large.

    Attributes:
        only: names of measures, in the order of the tables.
        rounds: how often each program runs; the medians are printed.
        messages: of a run of a fast program.
        peer_messages: of a run of a slow one.
        people: rows of the large list.
        few_people: rows of the small list, for comparison of the memory.
        sizes: bytes of a message.
    """

    only: tuple[str, ...]
    rounds: int
    messages: int
    peer_messages: int
    people: int
    few_people: int
    connections: int
    sizes: tuple[int, ...]


_QUICK = {"rounds": 1, "messages": 500, "peer_messages": 100, "people": 20_000, "few_people": 2_000}


def read_options(arguments: Sequence[str], measures: Collection[str]) -> Options:
    """Read the command line; ends the process with 2 where it is wrong."""
    names = ",".join(measures)
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=…",
        description="Measure newsletter-mail side by side with other programs on this machine.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--only", default=names, metavar="NAME,…", help="these measures")
    parser.add_argument("--rounds", type=_number, default=5, metavar="N", help="of each program")
    parser.add_argument(
        "--messages", type=_number, default=20_000, metavar="N", help="in a run of a fast program"
    )
    parser.add_argument(
        "--peer-messages", type=_number, default=2_000, metavar="N", help="in that of a slow one"
    )
    parser.add_argument(
        "--people", type=_number, default=1_000_000, metavar="N", help="on the large list"
    )
    parser.add_argument(
        "--few-people", type=_number, default=10_000, metavar="N", help="on the small list"
    )
    parser.add_argument(
        "--connections", type=_number, default=20, metavar="N", help="of each sender"
    )
    parser.add_argument(
        "--sizes", default="70000,5000", metavar="BYTES,…", help="of a message, largest first"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one small round, to see that everything works"
    )
    if "--quick" in arguments:
        parser.set_defaults(**_QUICK)
    chosen = parser.parse_args(arguments)
    wanted = [name.strip() for name in chosen.only.split(",")]
    unknown = [name for name in wanted if name not in measures]
    if unknown:
        parser.error(f"--only: there is no {', '.join(unknown)}; there are {names}")
    try:
        sizes = tuple(_number(size) for size in chosen.sizes.split(","))
    except ValueError:
        parser.error(f"--sizes {chosen.sizes}: write numbers with commas between them")
    return Options(
        only=tuple(name for name in measures if name in wanted),
        rounds=chosen.rounds,
        # A tenth of it is sent as well, and each connection wants some messages.
        messages=max(chosen.messages, 200),
        peer_messages=max(chosen.peer_messages, 100),
        people=chosen.people,
        few_people=chosen.few_people,
        connections=chosen.connections,
        sizes=sizes,
    )


def _number(text: str) -> int:
    number = int(text.replace("_", ""))
    if number < 1:
        raise ValueError(text)
    return number

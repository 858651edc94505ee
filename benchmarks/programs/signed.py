"""Makes and signs messages as a send does, on all cores, and sends none."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from benchmarks.programs.compiled import DATE, MAIN_LIST, compile_bench, recipients
from newsletter_mail.delivery.assembly import Assembly
from newsletter_mail.delivery.claims import ClaimedDelivery
from newsletter_mail.delivery.preparation import unfrozen_issue

#: Deliveries of one turn of a send.
_TURN = 100


def _turn() -> list[ClaimedDelivery]:
    return [
        ClaimedDelivery(
            subscriber_id=row,
            list_id=MAIN_LIST,
            recipient=recipient,
            attempt=1,
            ref="refrefrefrefrefrefrefrefre",
            first_tried_at=DATE,
        )
        for row, recipient in enumerate(recipients(_TURN), start=1)
    ]


async def _make(assembly: Assembly, turn: Sequence[ClaimedDelivery]) -> None:
    async for _ in assembly.make(turn):
        pass


async def _sign(assembly: Assembly, messages: int) -> None:
    turn = _turn()
    # A window of a send is two turns.
    making = [asyncio.create_task(_make(assembly, turn)) for _ in range(2)]
    for number in range(messages // _TURN - 2):
        await making[number % 2]
        making[number % 2] = asyncio.create_task(_make(assembly, turn))
    await asyncio.gather(*making)


def main() -> None:
    """Make so many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--messages", type=int, required=True)
    chosen = parser.parse_args()
    compiled = compile_bench(chosen.workspace)
    assembly = Assembly(unfrozen_issue([compiled.build], now=DATE), compiled.maker)
    try:
        asyncio.run(_sign(assembly, chosen.messages))
    finally:
        assembly.close()


if __name__ == "__main__":
    main()

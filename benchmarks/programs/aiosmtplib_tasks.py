"""Sends with aiosmtplib: tasks with a connection each."""

import asyncio

import aiosmtplib

from benchmarks.programs.emails import Mail, peer_options
from benchmarks.programs.loops import run_on


async def _send_all(
    mail: Mail, port: int, messages: int, connections: int, *, is_made_once: bool
) -> None:
    once = mail.message(0).as_bytes()

    async def lane(first: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as server:
            for number in range(first, messages, connections):
                if is_made_once:
                    await server.sendmail("news@example.org", f"user{number}@example.org", once)
                else:
                    await server.send_message(mail.message(number))

    await asyncio.gather(*map(lane, range(connections)))


def main() -> None:
    """Send."""
    parser = peer_options(__doc__)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--once", action="store_true", help="make one message, send it to all")
    chosen = parser.parse_args()
    work = _send_all(
        Mail.read(chosen.build),
        chosen.port,
        chosen.messages,
        chosen.connections,
        is_made_once=chosen.once,
    )
    run_on(chosen.loop, work)


if __name__ == "__main__":
    main()

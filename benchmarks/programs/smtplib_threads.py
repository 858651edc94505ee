"""Sends with the standard library: threads with a connection each."""

import smtplib
from concurrent.futures import ThreadPoolExecutor

from benchmarks.programs.emails import Mail, peer_options


def main() -> None:
    """Send."""
    chosen = peer_options(__doc__).parse_args()
    mail = Mail.read(chosen.build)

    def lane(first: int) -> None:
        with smtplib.SMTP("127.0.0.1", chosen.port) as server:
            for number in range(first, chosen.messages, chosen.connections):
                server.send_message(mail.message(number))

    with ThreadPoolExecutor(chosen.connections) as threads:
        list(threads.map(lane, range(chosen.connections)))


if __name__ == "__main__":
    main()

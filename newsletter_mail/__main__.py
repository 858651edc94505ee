"""``newsletter`` on the command line; ``python -m newsletter_mail`` does the same."""

import signal
import sys

from newsletter_mail.cli.app import app
from newsletter_mail.cli.exits import run


def main() -> None:
    """Run one command and end the process with its exit code."""
    # Both end a command in the same way, with the same exit code and nothing half done, also
    # where a script has started it in the background and SIGINT was ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(run(app, sys.argv[1:]))


if __name__ == "__main__":
    main()

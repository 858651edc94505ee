"""``newsletter`` on the command line; ``python -m newsletter_mail`` does the same."""

import sys

from newsletter_mail.cli.app import app
from newsletter_mail.cli.exits import run


def main() -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(run(app, sys.argv[1:]))


if __name__ == "__main__":
    main()

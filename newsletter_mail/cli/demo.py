"""``newsletter demo``: the whole job on made-up people, with the real commands."""

import csv
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from newsletter_mail.cli.made_up import made_up_people
from newsletter_mail.cli.output import note, say
from newsletter_mail.errors import InputError, NewsletterError
from newsletter_mail.scaffold import SAMPLE, make_workspace

_PEOPLE = 500
_NEXT_ISSUE = "2023-autumn-updates"
_LINK = re.compile(rb"^List-Unsubscribe: <([^>\s]+)>", re.MULTILINE)
_TO = re.compile(rb"^To: (?:.* )?<?([^<>\s]+)>?\r$", re.MULTILINE)


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="A folder that is not there yet.")
    ] = Path("demo"),
) -> None:
    """Do the whole job in a new folder: compose, test, send, leave. No mail server, no network."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty: name another folder, newsletter demo DIR")
    make_workspace(folder)
    tour = _Tour(folder)
    _write_people(folder / "people.csv")
    tour.tell(f"A workspace with the sample issue is in {folder}. {_PEOPLE} made-up people join.")
    tour.type("subscribers", "import", str(folder / "people.csv"))
    tour.tell("What is written in issue.md becomes a mail.")
    tour.type("build", SAMPLE, "--out", str(folder / "build"))
    tour.type("check", SAMPLE)
    tour.tell("First to oneself, then to the list. The messages go into a folder, a Maildir.")
    tour.type("test", SAMPLE, "--to", "me@example.org")
    tour.type("send", SAMPLE, "--yes")
    tour.tell("The same again: everybody has it, so nobody gets it.")
    tour.type("send", SAMPLE, "--yes")
    who = _leave_by_link(tour)
    tour.tell(f"{who} has pressed the unsubscribe button of their mail program (RFC 8058).")
    tour.tell("The next issue goes to everybody else.")
    tour.type("new", _NEXT_ISSUE, "--from", SAMPLE)
    tour.type("send", _NEXT_ISSUE, "--yes")
    tour.type("status")
    tour.tell("What to open now:")
    for line in _what_to_open(folder):
        say(line)


class _Tour:
    """Types commands into a workspace and shows them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # A mail server in the environment of whoever looks at the demo must not get a message.
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")
        }

    def tell(self, text: str) -> None:
        """Say what comes next."""
        say(f"\n{text}")
        sys.stdout.flush()

    def type(self, *words: str) -> None:
        """Run one command to its end.

        Raises:
            NewsletterError: it ended with an error, which it has told.
        """
        say(f"$ newsletter {' '.join(words)}")
        sys.stdout.flush()
        ended = subprocess.run(self._command(*words), env=self._environment, check=False)  # noqa: S603 - our own program
        if ended.returncode:
            raise NewsletterError(f"the demo stopped at: newsletter {' '.join(words)}")

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The public pages while the block runs; their address."""
        say("$ newsletter serve --port 0")
        command = self._command("serve", "--port", "0")
        with subprocess.Popen(  # noqa: S603 - our own program
            command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            try:
                assert server.stdout is not None  # noqa: S101 - a pipe was asked for
                line = server.stdout.readline()
                if "http" not in line:
                    raise NewsletterError("the demo stopped: newsletter serve does not start")
                yield line[line.index("http") :].strip()
            finally:
                server.terminate()

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "newsletter_mail", "-w", str(self.folder), *words]


def _write_people(file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, ["email", "first_name", "last_name", "language", "city"])
        writer.writeheader()
        writer.writerows(made_up_people(_PEOPLE))


def _leave_by_link(tour: _Tour) -> str:
    """Do what a mail program does when its unsubscribe button is pressed; who it was."""
    message = min((tour.folder / "outbox" / "new").iterdir()).read_bytes()
    link, to = _LINK.search(message), _TO.search(message)
    if link is None or to is None:
        raise NewsletterError("the demo stopped: a message without its List-Unsubscribe link")
    with tour.serving() as address:
        request = urllib.request.Request(  # noqa: S310 - our own server, on loopback
            address + urlsplit(link[1].decode()).path,
            data=b"List-Unsubscribe=One-Click",
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            note(f"POST /u/… → {answer.status}")
    return to[1].decode()


def _what_to_open(folder: Path) -> list[str]:
    page = folder.absolute() / "build" / SAMPLE / "en" / "index.html"
    pages = f"newsletter -w {folder} serve, then http://127.0.0.1:8000/i/{SAMPLE}"
    return [
        f"  the mail in a browser      {page.as_uri()}",
        f"  the mail as it is sent     {page.with_name('message.eml')}",
        f"  all messages, a Maildir    {folder.absolute() / 'outbox'}",
        f"  the issue, to change it    {folder.absolute() / 'issues' / SAMPLE / 'issue.md'}",
        f"  a live view of it          newsletter -w {folder} preview {SAMPLE}",
        f"  the public pages           {pages}",
    ]

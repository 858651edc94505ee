"""The messages of the peers: the same mail as ours, made with ``email.message.EmailMessage``."""

import argparse
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path

from benchmarks.people import READER

_, _FIRST_NAME, _LAST_NAME, _, _CITY = READER


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as ``newsletter build`` has made it, for the first of the made-up people."""

    text: str
    html: str

    @classmethod
    def read(cls, build: Path) -> "Mail":
        """Read it from the folder of the build."""
        return cls(
            text=(build / "message.txt").read_text(encoding="utf-8"),
            html=(build / "index.html").read_text(encoding="utf-8"),
        )

    def message(self, number: int) -> EmailMessage:
        """The message for one of many people."""
        values = {
            _FIRST_NAME: f"First{number}",
            _LAST_NAME: f"Last{number}",
            _CITY: f"City{number}",
        }
        text, html = self.text, self.html
        for word, value in values.items():
            text, html = text.replace(word, value), html.replace(word, value)
        message = EmailMessage(policy=SMTP)
        message["From"] = "Benchmarks <news@example.org>"
        message["To"] = f"First{number} Last{number} <user{number}@example.org>"
        message["Subject"] = "A letter from the benchmarks"
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{number}@example.org>"
        message["List-Unsubscribe"] = f"<https://news.example.org/u/{number}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        return message


def peer_options(description: str | None) -> argparse.ArgumentParser:
    """The options of a program that sends these messages."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=Path, required=True, help="folder of the mail")
    parser.add_argument("--port", type=int, required=True, help="of the sink on 127.0.0.1")
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    return parser

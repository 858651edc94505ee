"""Writes a build into files, to look at, to open in a mail program, and to compare."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from newsletter_mail import __version__
from newsletter_mail.errors import InputError
from newsletter_mail.message.patterns import fill_pattern
from newsletter_mail.message.scope import Links, merge_scope
from newsletter_mail.words import Build, Outgoing, Recipient

#: Whose work a build is: another version of them may give other bytes.
_MAKERS = (
    "babel",
    "jinja2",
    "markdown-it-py",
    "mjml-python",
    "pillow",
    "premailer",
    "resvg-py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom the files are filled in."""

    recipient: Recipient
    links: Links


def write_build(
    folder: Path, build: Build, reader: Reader, message: Callable[[], Outgoing]
) -> None:
    """Write ``index.html``, ``message.txt``, ``message.eml``, ``build.json`` and the pictures.

    ``index.html`` finds its pictures beside it, in ``media/``; the message names them where the
    public pages serve them.

    Args:
        folder: made where it is not there; files of the same names are replaced.
        message: makes the message for the reader.

    Raises:
        MessageError: a merge tag has no value for the reader.
        InputError: a file cannot be written.
    """
    scope = merge_scope(build, reader.recipient, reader.links)
    html = fill_pattern(build.html, scope, picture_url=lambda name: f"media/{name}")
    text = fill_pattern(build.text, scope, picture_url=lambda name: f"media/{name}")
    subject = fill_pattern(build.subject, scope, picture_url=str)
    eml = b"".join(message().content)
    facts = _facts(build, subject=subject, html_bytes=len(html.encode()))
    contents = {
        **{f"media/{picture.name}": picture.content for picture in build.pictures},
        "index.html": html.encode(),
        "message.txt": text.encode(),
        "message.eml": eml,
        "build.json": f"{json.dumps(facts, ensure_ascii=False, indent=2)}\n".encode(),
    }
    try:
        (folder / "media").mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}") from error


def _facts(build: Build, *, subject: str, html_bytes: int) -> dict[str, Any]:
    return {
        "issue": build.slug,
        "language": build.language,
        "title": build.title,
        "subject": subject,
        "digest": build.digest,
        "html_bytes": html_bytes,
        "pictures": [
            {"name": picture.name, "type": picture.media_type, "bytes": len(picture.content)}
            for picture in build.pictures
        ],
        "made_by": {"newsletter-mail": __version__, **{name: version(name) for name in _MAKERS}},
    }

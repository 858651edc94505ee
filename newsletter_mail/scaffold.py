"""The files of a new workspace and of a new issue."""

import os
import re
import secrets
import shutil
from datetime import date
from pathlib import Path

from newsletter_mail.errors import InputError
from newsletter_mail.resources import resource_dir

#: The issue that every new workspace starts with.
SAMPLE = "2023-summer-updates"
MAIN_FILE = "issue.md"
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")

_SETTINGS = """\
# Settings of this workspace. Secrets do not belong here: they are in .env.
# Each setting can be overridden by the environment: NEWSLETTER_<SECTION>__<KEY>.

[newsletter]
name = "Mayors Mechanism"
language = "en"
template = "default"

[sender]
from = "Mayors Mechanism <news@example.org>"
# Where answers go; empty: to the sender.
reply_to = ""
# Where bounces go; each message adds +REF to it.
bounces = "bounces@example.org"
# The law of many countries wants a postal address in each issue.
postal_address = "1 Example Street, 08002 Barcelona, Spain"

[web]
# Where `newsletter serve` can be reached from outside.
base_url = "http://127.0.0.1:8000"

[database]
url = "sqlite:///newsletter.db"

[transport]
# Nothing leaves this machine until you write a mail server here:
# url = "smtp://USER@mail.example.org:587"
url = "maildir:outbox"
connections = 10
# Messages a second; 0: as fast as the server takes them.
rate = 0

# Signs each message, where your mail server does not do that. Make the key with
# `openssl genrsa -out dkim.pem 2048`, chmod 600 it, and put its public half in the DNS at
# SELECTOR._domainkey.DOMAIN.
# [dkim]
# domain = "example.org"
# selector = "news"
# key_file = "dkim.pem"

[delivery]
max_attempts = 6
# "hold": uncertain deliveries wait for `newsletter settle`; "resend": they are tried again.
uncertain = "hold"
stop_after_refusals = 5
require_test = false
"""

_GITIGNORE = """\
.env
*.pem
newsletter.db*
outbox/
build/
"""

_ISSUE = """\
---
subject: "{title}"
preheader: One sentence that makes people open it
language: en
template: default
---
# {title}

Dear {{{{ subscriber.first_name | default("friend") }}}},

Welcome to our latest newsletter!

## A first section

Write here. A line with `##` begins the next section.

[Read more](https://example.org/){{.button}}
"""


def make_workspace(folder: Path) -> list[Path]:
    """Make a folder a workspace: settings, a fresh secret key, the sample issue, the theme.

    Files that are there already are left as they are.

    Returns:
        What was made.

    Raises:
        InputError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = [
            path
            for name, text in (("newsletter.toml", _SETTINGS), (".gitignore", _GITIGNORE))
            if (path := _write_new(folder / name, text))
        ]
        if secret := _write_new(folder / ".env", _secrets(), mode=0o600):
            made.append(secret)
        theme = folder / "templates" / "default" / "theme.toml"
        if not theme.exists():
            theme.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(resource_dir("templates") / "default" / "theme.toml", theme)
            made.append(theme)
        sample = folder / "issues" / SAMPLE
        if not (folder / "issues").exists():
            shutil.copytree(resource_dir("issues") / SAMPLE, sample)
            made.append(sample)
    except OSError as error:
        raise InputError(f"{folder} cannot become a workspace: {error}") from error
    return made


def make_issue(workspace: Path, slug: str, *, origin: Path | None) -> Path:
    """Make a new issue, empty or as a copy of another one.

    Returns:
        Its ``issue.md``.

    Raises:
        InputError: the slug cannot be one, or is taken.
    """
    if not _SLUG.fullmatch(slug):
        raise InputError(
            f"{slug!r} cannot name an issue: use small letters, digits and hyphens, "
            f"such as {date.min.replace(year=2024):%Y}-spring"
        )
    folder = workspace / "issues" / slug
    if folder.exists():
        raise InputError(f"there is an issue {slug} already: {folder}")
    try:
        if origin is None:
            folder.mkdir(parents=True)
            title = slug.replace("-", " ").replace("_", " ").capitalize()
            (folder / MAIN_FILE).write_text(_ISSUE.format(title=title), encoding="utf-8")
        else:
            shutil.copytree(origin, folder, symlinks=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error}") from error
    return folder / MAIN_FILE


def _secrets() -> str:
    return (
        "# Keep this file to yourself, and keep a copy of it: without the key, the unsubscribe\n"
        "# links in mails that were sent do not work any more.\n"
        f"NEWSLETTER_SECRET_KEY={secrets.token_urlsafe(32)}\n"
        "# NEWSLETTER_SMTP_PASSWORD=\n"
    )


def _write_new(path: Path, text: str, *, mode: int = 0o644) -> Path | None:
    """Write a file that is not there yet, with its mode from the first moment."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path

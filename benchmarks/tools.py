"""Programs and libraries of others that lines need, and what to do where they are missing."""

import os
import shutil
from importlib.util import find_spec

from benchmarks.errors import Missing

_SOURCES = {
    "postconf": "Debian: apt-get install postfix",
    "smtp-sink": "Debian: apt-get install postfix",
    "smtp-source": "Debian: apt-get install postfix",
    "openssl": "Debian: apt-get install openssl",
    "sqlite3": "Debian: apt-get install sqlite3",
    "node": "Debian: apt-get install nodejs npm",
    "npm": "Debian: apt-get install nodejs npm",
    "chromium": "Debian: apt-get install chromium",
    "chromium-browser": "Debian: apt-get install chromium",
    "google-chrome": "Debian: apt-get install chromium",
    "spamassassin": "Debian: apt-get install spamassassin",
    "playwright": "make bench installs it; else: pip install playwright",
    "aiosmtplib": "make bench installs it; else: pip install aiosmtplib",
    "uvloop": "make bench installs it; else: pip install uvloop",
}


def program(name: str) -> str:
    """The path of a program.

    Raises:
        Missing: it is not installed; says where to get it.
    """
    # Debian keeps the test programs of Postfix where only root looks.
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if path is None:
        raise Missing(f"{name} is missing ({_SOURCES[name]})")
    return path


def library(name: str) -> str:
    """The name of a library that can be imported.

    Raises:
        Missing: it cannot; says where to get it.
    """
    if find_spec(name) is None:
        raise Missing(f"{name} is missing ({_SOURCES[name]})")
    return name


def has_library(name: str) -> bool:
    """Whether a library can be imported."""
    return find_spec(name) is not None


def best_loop() -> str:
    """The event loop that asyncio programs run on here: ``uvloop`` or ``asyncio``."""
    return "uvloop" if has_library("uvloop") else "asyncio"

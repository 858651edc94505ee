"""The machine that the numbers are of, in a few lines."""

import os
import platform
import re
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.errors import Missing
from benchmarks.tools import has_library, program


def describe() -> str:
    """Processor, system and versions, as a Markdown paragraph."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    facts = [
        f"{_cores()} cores of {_processor()}",
        _system(),
        python,
        f"SQLite {sqlite3.sqlite_version}",
        *(f"{name} {version(name)}" for name in ("uvloop", "aiosmtplib") if has_library(name)),
        *_versions_of_programs(),
    ]
    return f"{', '.join(facts)}. Load at the start: {_load()}."


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        facts = ""
    match = re.search(r"^model name\s*:\s*(.+)$", facts, re.MULTILINE)
    name = match[1] if match else platform.processor() or platform.machine()
    return " ".join(name.split())


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()
    return f"{name}, Linux {platform.release()}"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"


def _versions_of_programs() -> list[str]:
    """Of those that are here; of Postfix the version of its test programs."""
    asked = {
        "Postfix": ("postconf", "-h", "mail_version"),
        "OpenSSL": ("openssl", "version"),
        "the sqlite3 shell": ("sqlite3", "--version"),
    }
    versions = []
    for title, (name, *arguments) in asked.items():
        try:
            command = [program(name), *arguments]
        except Missing:
            continue
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        match = re.search(r"\d+\.\d+[.\w]*", said)
        if match:
            versions.append(f"{title} {match[0]}")
    return versions

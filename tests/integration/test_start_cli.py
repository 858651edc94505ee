"""A command loads no library that it does not need: all of them together take a second."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.people import Desk

_SERVER = ("starlette", "uvicorn", "newsletter_mail.web")
_COMPILER = ("jinja2", "markdown_it", "mjml", "premailer", "PIL", "newsletter_mail.compose")
_STORE = ("sqlalchemy", "newsletter_mail.store")
_PRINT_MODULES = """
import sys
from newsletter_mail.__main__ import main
try:
    main()
finally:
    print("loaded", *sys.modules)
"""
_FRONT = "---\nsubject: Spring\npreheader: Flowers.\n---\n\nText.\n"


def _loaded_by(*arguments: str | Path) -> set[str]:
    """The modules that a process has loaded at the end of a command."""
    ended = subprocess.run(
        [sys.executable, "-c", _PRINT_MODULES, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    word, *modules = ended.stdout.splitlines()[-1].split()
    assert word == "loaded"
    return set(modules)


@pytest.mark.parametrize(
    ("arguments", "needed", "not_needed"),
    [
        (["--version"], [], ["pydantic", "rich", "alembic", *_STORE, *_COMPILER, *_SERVER]),
        (["--help"], [], ["pydantic", "rich", "alembic", *_STORE, *_COMPILER, *_SERVER]),
        (
            ["send", "--help"],
            ["newsletter_mail.compose"],
            ["alembic", "premailer", "PIL", *_SERVER],
        ),
        (["serve", "--help"], ["starlette"], ["alembic", "mjml", "premailer", "PIL"]),
    ],
)
def test_help_loads_what_declares_the_command(
    arguments: Sequence[str], needed: Sequence[str], not_needed: Sequence[str]
) -> None:
    loaded = _loaded_by(*arguments)
    assert loaded.issuperset(needed)
    assert loaded.intersection(not_needed) == set()


def test_work_loads_what_it_is_done_with(tmp_path: Path) -> None:
    desk = Desk.make(tmp_path)
    (tmp_path / "issues" / "spring").mkdir(parents=True)
    desk.file("issues/spring/issue.md", _FRONT)
    desk.do("subscribers", "add", "anna@example.org")
    loaded = _loaded_by("-w", tmp_path, "status")
    assert loaded.issuperset(_STORE)
    assert loaded.isdisjoint(("alembic", "cryptography", "email_validator", *_COMPILER, *_SERVER))
    loaded = _loaded_by("-w", tmp_path, "send", "spring", "--yes")
    assert loaded.issuperset(("premailer", "mjml", *_STORE))
    assert loaded.isdisjoint(("alembic", "email_validator", *_SERVER))
    assert desk.query("SELECT count(*) FROM deliveries") == [(1,)]

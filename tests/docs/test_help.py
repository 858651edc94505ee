"""Every command and every option says what it is for."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from newsletter_mail.cli.app import app
from newsletter_mail.cli.lazy import LazyCommand


def _commands(command: Any, name: str = "newsletter") -> Iterator[tuple[str, Any]]:
    command = command.load() if isinstance(command, LazyCommand) else command
    yield name, command
    for child, one in getattr(command, "commands", {}).items():
        yield from _commands(one, f"{name} {child}")


_COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_the_commands_are_found() -> None:
    for name in ("init", "send", "settle", "log", "db backup", "subscribers import", "lists show"):
        assert f"newsletter {name}" in _COMMANDS


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_says_what_it_is_for(name: str) -> None:
    text = _COMMANDS[name].help
    assert text
    assert text[0].isupper()
    assert text.rstrip().endswith(".")


@pytest.mark.parametrize("name", _COMMANDS)
def test_an_option_says_what_it_is_for(name: str) -> None:
    silent = [
        parameter.name
        for parameter in _COMMANDS[name].params
        if not getattr(parameter, "hidden", False) and not getattr(parameter, "help", None)
    ]
    assert silent == []

"""What stands for a command until it is run says of it what it says itself."""

import pytest
import typer.main
from typer.core import TyperGroup

from newsletter_mail.cli.app import app
from newsletter_mail.cli.lazy import LazyCommand

_MAIN = typer.main.get_command(app)
assert isinstance(_MAIN, TyperGroup)
_COMMANDS = dict(_MAIN.commands)


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_says_of_itself_what_the_help_of_all_says_of_it(name: str) -> None:
    lazy = _COMMANDS[name]
    assert isinstance(lazy, LazyCommand)
    command = lazy.load()
    assert command.name == name
    assert command.help == lazy.help


def test_a_group_has_its_commands_and_nothing_else() -> None:
    lazy = _COMMANDS["db"]
    assert isinstance(lazy, LazyCommand)
    group = lazy.load()
    assert list(group.commands) == ["upgrade", "status", "backup"]
    assert group.params == []

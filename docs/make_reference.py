"""Write ``docs/commands.md`` from the commands themselves.

    python docs/make_reference.py

A test holds the file against what this script would write.
"""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperGroup

from newsletter_mail.cli.app import app
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.lazy import LazyCommand

TARGET = Path(__file__).parent / "commands.md"

INTRODUCTION = """\
# Commands

This file is written by `docs/make_reference.py`. `newsletter COMMAND --help` says the same.

`ISSUE` is the name of a folder in `issues/`, or a path to it. A command without `--list` means the
list `main`; `send` goes on with the lists that an issue was planned for. With `--json` there is one
JSON document on stdout and nothing else; everything that is not a result goes to stderr.

## Exit codes

| code | meaning |
|---|---|
"""

EXITS = {
    Exit.DONE: "done",
    Exit.LOOK: "done, and something needs a look: a check failed, deliveries failed or are "
    "uncertain, rows were rejected",
    Exit.WRONG: "something wrong was asked for, and nothing happened",
    Exit.STOPPED: "stopped on the way; run it again to go on",
}
#: Typer's own, which are there only where the shell is one that it knows.
OF_THE_SHELL = ("install_completion", "show_completion")


def reference() -> str:
    """The whole file."""
    main = typer.main.get_command(app)
    lines = [f"| {code.value} | {meaning} |" for code, meaning in EXITS.items()]
    parts = [INTRODUCTION + "\n".join(lines)]
    parts += [_section(main, "newsletter", "Options before the command")]
    parts += [
        _section(command, f"newsletter {name}", f"newsletter {name}")
        for name, command in _commands(main)
    ]
    return "\n\n".join(parts) + "\n"


def _commands(group: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    assert isinstance(group, TyperGroup)
    for name, one in group.commands.items():
        command = one.load() if isinstance(one, LazyCommand) else one
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _section(command: object, usage: str, title: str) -> str:
    parameters = [
        one
        for one in command.params  # type: ignore[attr-defined] # every command has them
        if one.name not in OF_THE_SHELL
    ]
    arguments = [one for one in parameters if isinstance(one, TyperArgument)]
    has_options = len(parameters) > len(arguments)
    usage_line = " ".join([usage, *map(_argument, arguments), *["[OPTIONS]"] * has_options])
    lines = [f"## {title}", ""]
    if not isinstance(command, TyperGroup):
        lines += [str(command.help), "", f"    {usage_line}"]  # type: ignore[attr-defined] # as above
        lines += [""] if parameters else []
    if parameters:
        context = typer.Context(command, info_name=usage)  # type: ignore[arg-type] # as above
        lines += ["| option | meaning |", "|---|---|"]
        lines += [_row(one, context) for one in parameters]
    return "\n".join(lines).rstrip()


def _argument(argument: TyperArgument) -> str:
    name = (argument.metavar or argument.name or "").strip("[]").upper()
    return name if argument.required else f"[{name}]"


def _row(parameter: object, context: typer.Context) -> str:
    record = parameter.get_help_record(context)  # type: ignore[attr-defined] # all have it
    name, text = record or ("", "")
    if isinstance(parameter, TyperArgument):
        name = _argument(parameter)
    name = name.replace("<str>", "TEXT").replace("<int range>", "N")
    text = " ".join(text.replace("[required]", "").split())
    return f"| `{_in_table(name)}` | {_in_table(text)} |"


def _in_table(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")

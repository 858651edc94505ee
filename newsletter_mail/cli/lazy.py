"""Commands that are imported when they are run: the libraries of all of them take a second."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


class LazyCommand(TyperCommand):
    """Stands for a command, or a group of them, in help and completion until it is run.

    Args:
        place: where the command is: ``module:name``, of a function or of a ``Typer``.
        summary: the help of the command, as its module says it too.
    """

    def __init__(self, name: str, place: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._place = place

    def load(self) -> Any:
        """The command itself, as Typer makes it."""
        module, _, attribute = self._place.partition(":")
        with _no_collection():
            found = getattr(import_module(module), attribute)
        holder = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=self.name)
        else:
            holder.command(self.name)(found)
        return typer.main.get_group(holder).commands[str(self.name)]

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """The context of the command itself: from here on it is the one that runs."""
        return self.load().make_context(info_name, args, parent=parent, **extra)


@contextmanager
def _no_collection() -> Iterator[None]:
    """What an import makes stays; looking through it for garbage is a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

"""What every command starts from: the workspace, its settings, its database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import typer
from sqlalchemy import Engine

from newsletter_mail.cli.output import warn
from newsletter_mail.errors import ConfigError
from newsletter_mail.settings import Settings, find_workspace, is_env_file_open
from newsletter_mail.store.migrate import open_database


def now() -> datetime:
    """The time; the clock is read here and handed down."""
    return datetime.now(UTC)


@dataclass
class Session:
    """One run of a command. Settings and database are opened when they are asked for.

    Attributes:
        chosen: the folder given with ``--workspace``, or None.
    """

    chosen: Path | None = field(default=None)

    @cached_property
    def workspace(self) -> Path:
        """The folder that the command works in.

        Raises:
            ConfigError: there is none.
        """
        if self.chosen is None:
            return find_workspace(Path.cwd())
        if not self.chosen.is_dir():
            raise ConfigError(f"--workspace {self.chosen}: there is no such folder")
        return self.chosen.absolute()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the workspace.

        Raises:
            ConfigError: they are wrong.
        """
        settings = Settings.load(self.workspace)
        if is_env_file_open(self.workspace):
            warn(f"others can read {self.workspace / '.env'}, which holds secrets: chmod 600 it")
        return settings

    @cached_property
    def database(self) -> Engine:
        """The database, up to date.

        Raises:
            StoreError: it cannot be opened, or needs an upgrade.
        """
        return open_database(self.settings.database_url)

    def close(self) -> None:
        """Give the database back, where it was opened."""
        if "database" in self.__dict__:
            self.database.dispose()


def session_of(context: typer.Context) -> Session:
    """The session of this run; the global options say where."""
    root = context.find_root()
    if root.obj is None:
        root.obj = Session(root.params["workspace"])
        root.call_on_close(root.obj.close)
    session: Session = root.obj
    return session

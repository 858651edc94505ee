"""A workspace with its database, worked on through the command line as a user does."""

import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter_mail.cli.app import app
from newsletter_mail.cli.exits import run

SECRET_KEY = "a key that is only for tests"
_TABLES = ("subscribers", "subscriptions", "consent_events", "suppressions", "lists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Desk:
    """A workspace in a folder."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> "Desk":
        path.mkdir(exist_ok=True)
        (path / "newsletter.toml").write_text("")
        dotenv = path / ".env"
        dotenv.touch(mode=0o600)
        dotenv.write_text(f"NEWSLETTER_SECRET_KEY={SECRET_KEY}\n")
        return cls(path)

    def run(self, *arguments: str | Path) -> Ended:
        out, err = io.StringIO(newline=""), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(app, ["-w", str(self.path), *map(str, arguments)])
        return Ended(code=code, out=out.getvalue(), err=err.getvalue())

    def do(self, *arguments: str | Path) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.err
        return ended

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def import_counts(self, *arguments: str | Path) -> dict[str, int]:
        """The counts of an import that are not 0."""
        counts = self.run("subscribers", "import", *arguments, "--json").json
        return {key: value for key, value in counts.items() if type(value) is int and value}

    def person(self, email: str) -> Any:
        return self.do("subscribers", "show", email, "--json").json

    def people(self, *arguments: str) -> list[Any]:
        ended = self.do("subscribers", "export", "--format", "jsonl", *arguments)
        return [json.loads(line) for line in ended.out.splitlines()]

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        return {table: self.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in _TABLES}

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path / "newsletter.db")) as connection:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
        return rows

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.people import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "workspace")


def test_a_database_is_made_by_the_first_command_that_wants_it(desk: Desk) -> None:
    ended = desk.run("db", "status")
    assert ended.code == 1
    assert ended.out.startswith("the database is at revision none, this program at ")
    desk.do("subscribers", "add", "anna@example.org")
    newest = desk.do("db", "status").out.split()[-1]
    assert desk.do("db", "upgrade").out == f"the database is up to date: revision {newest}\n"


def test_an_upgrade_makes_a_new_database(desk: Desk) -> None:
    assert desk.do("db", "upgrade").out.endswith(", new\n")
    assert desk.query("SELECT slug FROM lists") == [("main",)]
    assert desk.do("db", "status").code == 0


def test_a_database_of_a_newer_program_is_left_alone(desk: Desk) -> None:
    desk.do("db", "upgrade")
    desk.query("UPDATE alembic_version SET version_num = '9999'")
    for command in (("status",), ("log",), ("db", "upgrade")):
        ended = desk.run(*command)
        assert (ended.code, ended.out) == (2, "")
        assert "install a newer version of newsletter-mail" in ended.err
    assert desk.run("db", "status").code == 1
    # A backup is what comes before every mending.
    desk.do("db", "backup", desk.path / "copy.db")


def test_no_database_has_no_backup(desk: Desk) -> None:
    ended = desk.run("db", "backup", desk.path / "copy.db")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no database yet" in ended.err
    assert {path.name for path in desk.path.iterdir()} == {"newsletter.toml", ".env"}


def test_a_backup_is_a_database_for_the_owner_only(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    target = desk.path / "copy.db"
    assert desk.do("db", "backup", target).out == f"{target} holds a copy of the database\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT email FROM subscribers").fetchall() == [("anna@example.org",)]
    ended = desk.run("db", "backup", target)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"Error: {target} is there already: name a new file\n"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///no/such/x.db", "there is no folder"),
        ("sqlite:///issues", "cannot be opened"),
        ("sqlite:///note.txt", "is not a database of ours: another file lies in its place"),
        ("sqlite:///other.db", "has tables of another program"),
        ("nosuch://x", "[database] url cannot be used"),
        ("mysql+nosuch://me:hush@h/d", "[database] url cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_sentence(
    url: str, sentence: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.path / "issues").mkdir()
    note = desk.file("note.txt", "a note of mine, longer than the header of a database\n" * 50)
    with closing(sqlite3.connect(desk.path / "other.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", url)
    for command in ("status", "log"):
        ended = desk.run(command)
        assert (ended.code, ended.out) == (2, "")
        assert sentence in ended.err
        assert "hush" not in ended.err
        assert len(ended.err.splitlines()) == 1
    assert note.read_text().startswith("a note of mine")

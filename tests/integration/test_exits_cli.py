"""How the command ends, as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter_mail import __version__
from tests.integration.people import Desk

_COMMAND = (sys.executable, "-m", "newsletter_mail")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk.make(tmp_path_factory.mktemp("exits") / "workspace")
    rows = "".join(f"person{number}@example.org\n" for number in range(1000))
    desk.do("subscribers", "import", desk.file("people.csv", "email\n" + rows))
    (desk.path / "issues" / "spring").mkdir(parents=True)
    desk.file("issues/spring/issue.md", "---\nsubject: Hello\n---\nText.")
    desk.query("INSERT INTO issues (slug, digest, frozen_at) VALUES ('spring', 'd', '2023-07-01')")
    desk.query(
        "INSERT INTO deliveries (issue_id, subscriber_id, list_id, state, due_at, reply) "
        "SELECT 1, id, 1, 4, '2023-07-01', ? FROM subscribers",
        ("250 2.0.0 Ok: queued as " + "x" * 40,),
    )
    return desk


def _run(desk: Desk, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, "-w", str(desk.path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **options},
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("frobnicate",), "No such command 'frobnicate'"),
        (("buidl",), "Did you mean 'build'?"),
        (("build",), "Missing argument 'ISSUE'"),
        (("build", "a", "b"), "Got unexpected extra argument"),
        (("status", "--jsn"), "No such option: --jsn"),
        (("log", "--format", "xml"), "'xml' is not one of 'table', 'csv', 'jsonl'"),
        (("db",), "Usage: newsletter db"),
    ],
)
def test_words_that_are_not_known_are_code_2_and_the_usage(
    arguments: tuple[str, ...], sentence: str, desk: Desk
) -> None:
    ended = desk.run(*arguments)
    assert ended.code == 2
    assert sentence in ended.err + ended.out
    assert "Usage: newsletter" in ended.err + ended.out
    assert "Traceback" not in ended.err


def test_the_version(desk: Desk) -> None:
    ended = desk.do("--version")
    assert (ended.out, ended.err) == (f"newsletter-mail {__version__}\n", "")


def test_help_is_on_stdout(desk: Desk) -> None:
    for arguments in (("--help",), ("-h",), ("send", "--help")):
        ended = desk.run(*arguments)
        assert ended.code == 0
        assert ended.out.startswith("Usage: newsletter ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("log",),
        ("log", "--format", "csv"),
    ],
)
def test_a_reader_that_goes_away_is_no_error(arguments: tuple[str, ...], desk: Desk) -> None:
    with subprocess.Popen(
        [*_COMMAND, "-w", str(desk.path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        code = process.wait(60)
    assert (code, errors) == (0, "")


def test_control_c_at_the_question_sends_nothing(desk: Desk) -> None:
    desk.do("lists", "create", "few")
    desk.do("subscribers", "add", "new@example.org", "--list", "few")
    desk.do("new", "autumn")
    with subprocess.Popen(
        [*_COMMAND, "-w", str(desk.path), "send", "autumn", "--list", "few"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        said = b""
        while b"Type 1 to send" not in said:
            character = process.stderr.read(1)
            assert character, said
            said += character
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 3
    assert b"Error: stopped" in rest
    assert b"Traceback" not in rest
    assert desk.query("SELECT count(*) FROM deliveries WHERE state <> 4") == [(0,)]


def test_an_error_is_one_line_and_with_debug_a_traceback(desk: Desk) -> None:
    brief = desk.run("build", "sprng")
    assert (brief.code, brief.out) == (2, "")
    assert brief.err == "Error: there is no issue sprng; did you mean spring?\n"
    ended = subprocess.run(
        [*_COMMAND, "--debug", "-w", str(desk.path), "build", "sprng"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert "Traceback (most recent call last)" in ended.stderr
    assert "InputError: there is no issue sprng" in ended.stderr


def test_a_plain_terminal_shows_every_letter(desk: Desk, tmp_path: Path) -> None:
    other = Desk.make(tmp_path / "other")
    other.do("subscribers", "add", "anna@example.org", "--name", "São 用户")
    ended = _run(other, "subscribers", "show", "anna@example.org", LC_ALL="C", LANG="C")
    assert ended.returncode == 0
    assert "São 用户" in ended.stdout


@pytest.mark.parametrize(
    "arguments", [("show", "anna@example.org"), ("show", "anna@example.org", "--json")]
)
def test_a_hostile_name_does_not_reach_the_terminal_raw(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    other = Desk.make(tmp_path / "other")
    other.do("subscribers", "add", "anna@example.org")
    other.query("UPDATE subscribers SET name = ?", ("Anna\x1b[2J\x1b]0;t\x07\x9b31m\u202e",))
    out = other.do("subscribers", *arguments).out
    assert "Anna" in out
    assert not set(out) & set("\x1b\x07\x9b\u202e")

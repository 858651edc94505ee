"""The lists that a send goes to where nobody names them: those of the plan, else ``main``."""

from pathlib import Path

import pytest

from tests.acceptance.newsroom import ISSUE, Newsroom, Post
from tests.integration.smtp_servers import Script


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    made = Newsroom.make(tmp_path / "room")
    for slug in ("press", "board"):
        made.desk.do("lists", "create", slug)
    made.add_people(4)
    made.add_people(3, "--list", "press", start=10)
    made.add_people(2, "--list", "board", start=20)
    return made


def planned_lists(room: Newsroom, *options: str) -> list[str]:
    ended = room.quickly("send", ISSUE, "--dry-run", "--json", *options)
    assert ended.code == 0, ended.err
    lists: list[str] = ended.json["lists"]
    return lists


def people_of(room: Newsroom) -> set[int]:
    """The numbers in the addresses of those who have the issue."""
    return {int(email.partition("@")[0][1:]) for email in room.emails_in("sent")}


def test_an_issue_that_was_never_sent_goes_to_main(room: Newsroom) -> None:
    assert planned_lists(room) == ["main"]
    ended = room.send_quickly()
    assert "List       main: 4 on the list = 4 to send\n" in ended.err
    assert people_of(room) == {0, 1, 2, 3}


def test_going_on_goes_to_nobody_else(room: Newsroom) -> None:
    room.send_quickly("--list", "press", "--limit", "1")
    assert planned_lists(room) == ["press"]
    ended = room.send_quickly()
    assert (
        "List       press (as planned before; --list for another): "
        "3 on the list = 2 to send + 1 that have it already\n"
    ) in ended.err
    assert people_of(room) == {10, 11, 12}
    again = room.send_quickly("--json")
    assert again.json["deliveries"]["sent"] == 3


def test_all_lists_of_the_plan(room: Newsroom) -> None:
    room.send_quickly("--list", "board", "--list", "press", "--limit", "4")
    ended = room.send_quickly()
    assert "List       press, board (as planned before; --list for another): 5 on" in ended.err
    assert people_of(room) == {10, 11, 12, 20, 21}


def test_a_wider_send_is_asked_for_by_name(room: Newsroom) -> None:
    room.send_quickly("--list", "press")
    ended = room.send_quickly("--list", "main")
    assert "List       main: 4 on the list = 4 to send\n" in ended.err
    assert planned_lists(room) == ["main", "press"]
    assert planned_lists(room, "--list", "board") == ["board"]


def test_a_list_that_was_renamed_since(room: Newsroom) -> None:
    room.send_quickly("--list", "press", "--limit", "1")
    room.desk.do("lists", "rename", "press", "journalists")
    assert planned_lists(room) == ["journalists"]


def test_the_command_to_go_on_is_no_wider(room: Newsroom) -> None:
    with Post(Script(replies={"mail": b"554 5.7.1 go away\r\n"})) as post:
        room.use(post)
        options = ("--list", "press", "--limit", "2")
        ended = room.send_quickly(*options)
    command = f"newsletter send {ISSUE} --list press --limit 2"
    assert (ended.code, ended.err.rstrip().endswith(f"To go on: {command}")) == (3, True)

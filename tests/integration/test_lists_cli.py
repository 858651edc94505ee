from pathlib import Path

import pytest

from tests.integration.people import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "workspace")


def test_lists_are_made_renamed_and_counted(desk: Desk) -> None:
    desk.do("lists", "create", "board", "--name", "The board")
    desk.do("subscribers", "add", "anna@example.org", "--list", "board")
    desk.do("subscribers", "add", "ben@example.org", "--list", "board")
    desk.do("subscribers", "unsubscribe", "ben@example.org")
    desk.do("lists", "rename", "board", "council", "--name", "The council")
    assert desk.do("lists", "show", "--json").json == [
        {"list": "council", "name": "The council", "pending": 0, "active": 1, "unsubscribed": 1},
        {"list": "main", "name": "Main list", "pending": 0, "active": 0, "unsubscribed": 0},
    ]
    shown = desk.do("lists", "show", "council").out
    assert "The council" in shown
    assert "Main list" not in shown


def test_a_list_is_deleted_and_its_people_stay(desk: Desk) -> None:
    desk.do("lists", "create", "board")
    desk.do("subscribers", "add", "anna@example.org", "--list", "board")
    ended = desk.do("lists", "delete", "board", "--yes")
    assert "1 people were or had been on it" in ended.err
    assert desk.person("anna@example.org")["lists"] == []


def test_a_list_that_was_sent_to_stays(desk: Desk) -> None:
    desk.do("lists", "create", "board")
    desk.do("subscribers", "add", "anna@example.org", "--list", "board")
    desk.query("INSERT INTO issues (slug, digest, frozen_at) VALUES ('s', 'd', '2023-07-01')")
    desk.query(
        "INSERT INTO deliveries (issue_id, subscriber_id, list_id, state, due_at) "
        "VALUES (1, 1, 2, 4, '2023-07-01')"
    )
    ended = desk.run("lists", "delete", "board", "--yes")
    assert ended.code == 2
    assert "issues were sent to it" in ended.err
    assert len(desk.people("--list", "board")) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "Board Members"), "cannot be the slug of a list"),
        (("create", "x" * 65), "cannot be the slug of a list"),
        (("create", "main"), "there is a list main already"),
        (("create", "b", "--name", "a\nb"), "name: has a line break"),
        (("show", "mian"), "did you mean main?"),
        (("rename", "board"), "say what to change"),
        (("rename", "board", "main"), "there is a list main already"),
        (("rename", "main", "other"), "keeps its slug"),
        (("rename", "nothing", "other"), "there is no list nothing"),
        (("delete", "main", "--yes"), "cannot be deleted"),
        (("delete", "board"), "add --yes"),
        (("delete", "nothing", "--yes"), "there is no list nothing"),
    ],
)
def test_what_was_asked_wrong_changes_nothing(
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    desk.do("lists", "create", "board")
    before = desk.dump()
    ended = desk.run("lists", *arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert desk.dump() == before

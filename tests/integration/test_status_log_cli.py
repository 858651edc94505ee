import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from newsletter_mail.words import DeliveryState
from tests.integration.people import Desk

STATES = ["pending", "sending", "sent", "deferred", "uncertain", "failed", "skipped", "bounced"]
COLUMNS = [
    *("issue", "email", "list", "state", "attempts", "first_tried_at", "done_at", "due_at"),
    *("message_id", "reason", "reply"),
]
PEOPLE = ["anna@example.org", "ben@example.org", "用户@例え.jp"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.make(tmp_path / "workspace")
    (desk.path / "issues" / "spring").mkdir(parents=True)
    desk.file("issues/spring/issue.md", "---\nsubject: Hello\n---\nText.")
    return desk


@pytest.fixture(scope="module")
def workspace_after_a_send(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk.make(tmp_path_factory.mktemp("sent") / "workspace")
    (desk.path / "issues" / "spring").mkdir(parents=True)
    desk.file("issues/spring/issue.md", "---\nsubject: Hello\n---\nText.")
    for email in PEOPLE:
        desk.do("subscribers", "add", email)
    desk.do("test", "spring", "--to", "Tester@example.org")
    # A Maildir takes every address.
    desk.do("send", "spring", "--yes")
    return desk.path


@pytest.fixture
def sent(workspace_after_a_send: Path, tmp_path: Path) -> Desk:
    shutil.copytree(workspace_after_a_send, tmp_path / "workspace")
    return Desk(tmp_path / "workspace")


def test_nothing_sent_is_nothing_to_count(desk: Desk) -> None:
    assert desk.do("status").out == "no issue was sent yet\n"
    assert desk.do("status", "--json").json == []
    assert desk.do("log").out.split() == [
        *("issue", "email", "state", "attempts", "done_at", "reason", "reply")
    ]
    assert desk.do("log", "--format", "jsonl").out == ""
    assert desk.do("log", "--format", "csv").out == ",".join(COLUMNS) + "\n"


def test_an_issue_that_was_never_sent_counts_nothing(desk: Desk) -> None:
    assert desk.do("status", "spring", "--json").json == {
        "issue": "spring",
        "edition": None,
        "planned": 0,
        "deliveries": dict.fromkeys(STATES, 0),
        "unsubscribed": 0,
        "complaints": 0,
    }


def test_status_has_exactly_these_keys_and_adds_up(sent: Desk) -> None:
    document = sent.do("status", "spring", "--json").json
    assert list(document) == [
        *("issue", "edition", "planned", "deliveries", "unsubscribed", "complaints")
    ]
    assert list(document["deliveries"]) == STATES
    assert sum(document["deliveries"].values()) == document["planned"] == len(PEOPLE)
    assert document["deliveries"]["sent"] == len(PEOPLE)
    assert len(document["edition"]) == 64
    assert sent.do("status", "--json").json == [document]
    lines = sent.do("status", "spring").out.splitlines()
    assert lines == ["spring: 3 planned = 3 sent", "0 unsubscribed by it, 0 complaints"]


@pytest.mark.parametrize("code", range(8))
def test_every_state_is_counted_and_logged(code: int, sent: Desk) -> None:
    sent.query("UPDATE deliveries SET state = ? WHERE subscriber_id = 1", (code,))
    counts = sent.do("status", "spring", "--json").json["deliveries"]
    assert sum(counts.values()) == len(PEOPLE)
    (row,) = [
        row
        for row in map(json.loads, sent.do("log", "--format", "jsonl").out.splitlines())
        if row["email"] == PEOPLE[0]
    ]
    assert counts[row["state"]] == (3 if row["state"] == "sent" else 1)
    assert (row["due_at"] is None) == (row["state"] not in ("pending", "deferred"))
    only = sent.do("log", "--state", row["state"], "--format", "jsonl").out.splitlines()
    assert len(only) == counts[row["state"]]
    assert row["state"] in {state.value for state in DeliveryState}


def test_the_log_has_a_row_a_delivery_and_the_tests(sent: Desk) -> None:
    rows = [json.loads(line) for line in sent.do("log", "--format", "jsonl").out.splitlines()]
    assert [list(row) for row in rows] == [COLUMNS] * 4
    assert sorted(row["email"] for row in rows if row["state"] == "sent") == sorted(PEOPLE)
    (test,) = [row for row in rows if row["state"] == "test"]
    assert test["email"].lower() == "tester@example.org"
    assert test["message_id"] is None
    ids = {row["message_id"] for row in rows if row["state"] == "sent"}
    assert len(ids) == 3
    assert all(one.startswith("<") and one.endswith("@example.org>") for one in ids)


def test_the_log_says_the_same_in_each_format(sent: Desk) -> None:
    rows = [json.loads(line) for line in sent.do("log", "--format", "jsonl").out.splitlines()]
    table = list(csv.DictReader(io.StringIO(sent.do("log", "--format", "csv").out)))
    assert table == [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in rows
    ]
    shown = sent.do("log").out
    assert all(str(row["email"]) in shown for row in rows)
    assert len(shown.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--issue", "spring"), 4),
        (("--issue", "autumn"), 0),
        (("--email", "ANNA@example.org"), 1),
        (("--email", "用户@xn--r8jz45g.jp"), 1),
        (("--email", "tester@EXAMPLE.org"), 1),
        (("--email", "nobody@example.org"), 0),
        (("--state", "sent"), 3),
        (("--state", "test"), 1),
        (("--state", "failed"), 0),
        (("--issue", "spring", "--email", "ben@example.org", "--state", "sent"), 1),
    ],
)
def test_a_part_of_the_log(arguments: tuple[str, ...], count: int, sent: Desk) -> None:
    assert len(sent.do("log", "--format", "jsonl", *arguments).out.splitlines()) == count


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--state", "delivered"), "there is no state delivered; there are pending, sending, "),
        (("--email", "anna"), "'anna' is not an email address"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_sentence(
    arguments: tuple[str, ...], sentence: str, desk: Desk
) -> None:
    ended = desk.run("log", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_an_erased_person_stays_counted(sent: Desk) -> None:
    sent.run("subscribers", "erase", "anna@example.org", "--yes")
    rows = [json.loads(line) for line in sent.do("log", "--format", "jsonl").out.splitlines()]
    assert "anna@example.org" not in {row["email"] for row in rows}
    assert "(erased)" in {row["email"] for row in rows}
    assert sent.do("status", "spring", "--json").json["planned"] == 3


def test_what_a_server_says_does_not_reach_the_terminal_raw(sent: Desk) -> None:
    hostile = "550 \x1b[31m\x1b]0;title\x07no\r\x9b2J\u202e\x08\n\tx"
    sent.query("UPDATE deliveries SET reply = ?, state = 5", (hostile,))
    for arguments in ((), ("--format", "jsonl")):
        out = sent.do("log", "--state", "failed", *arguments).out
        assert not set(out) & set("\x1b\x07\r\x9b\u202e\x08")
    rows = sent.do("log", "--state", "failed", "--format", "jsonl").out.splitlines()
    # JSON escapes it, and loses nothing.
    assert [json.loads(row)["reply"] for row in rows] == [hostile] * 3
    assert len(sent.do("log", "--state", "failed").out.splitlines()) == 4

import csv
from pathlib import Path

import pytest

from tests.integration.people import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "workspace")


def test_a_person_is_added_and_shown(desk: Desk) -> None:
    desk.do(
        "subscribers", "add", "Anna@example.org", "--name", "Anna Smith", "--language", "pt_br",
        "--set", "region=LAC", "--set", "role=mayor",
    )  # fmt: skip
    person = desk.person("anna@EXAMPLE.org")
    assert person["email"] == "Anna@example.org"
    assert person["name"] == "Anna Smith"
    assert person["first_name"] == "Anna"
    assert person["language"] == "pt-BR"
    assert person["attributes"] == {"region": "LAC", "role": "mayor"}
    assert [(one["list"], one["state"]) for one in person["lists"]] == [("main", "active")]
    assert [(one["kind"], one["source"]) for one in person["consent"]] == [("joined", "cli")]
    assert person["deliveries"] == []
    shown = desk.do("subscribers", "show", "anna@example.org").out
    assert "Anna@example.org  Anna Smith" in shown
    assert "region: LAC" in shown


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("anna@example.org", "ANNA@EXAMPLE.ORG"),
        ("jörg@example.org", "JÖRG@example.org"),
        ("anna@münchen.example.org", "anna@xn--mnchen-3ya.example.org"),
    ],
)
def test_an_address_is_one_person_in_any_spelling(desk: Desk, first: str, second: str) -> None:
    desk.do("subscribers", "add", first)
    assert "nothing to change" in desk.do("subscribers", "add", second).err
    assert len(desk.people()) == 1
    assert desk.person(second)["email"] == desk.person(first)["email"]


def test_adding_somebody_known_changes_only_what_is_given(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org", "--name", "Anna", "--set", "region=LAC")
    desk.do("subscribers", "add", "anna@example.org", "--language", "fr", "--set", "role=mayor")
    desk.do("subscribers", "add", "anna@example.org", "--set", "region=")
    person = desk.person("anna@example.org")
    assert (person["name"], person["language"]) == ("Anna", "fr")
    assert person["attributes"] == {"role": "mayor"}


def test_who_has_left_comes_back_only_when_they_asked(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    desk.do("subscribers", "unsubscribe", "ANNA@example.org")
    refused = desk.run("subscribers", "add", "anna@example.org", "--name", "Anna")
    assert refused.code == 2
    assert "has unsubscribed from main" in refused.err
    assert "--resubscribe" in refused.err
    assert desk.person("anna@example.org")["name"] == ""
    desk.do("subscribers", "add", "anna@example.org", "--resubscribe")
    person = desk.person("anna@example.org")
    assert person["lists"][0]["state"] == "active"
    assert [one["kind"] for one in person["consent"]] == ["joined", "left", "joined"]


def test_leaving_twice_is_recorded_once(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    desk.do("subscribers", "unsubscribe", "anna@example.org")
    assert "nothing to change" in desk.do("subscribers", "unsubscribe", "anna@example.org").err
    assert [one["kind"] for one in desk.person("anna@example.org")["consent"]] == ["joined", "left"]


def test_leaving_one_list_keeps_the_others(desk: Desk) -> None:
    desk.do("lists", "create", "board")
    desk.do("subscribers", "add", "anna@example.org")
    desk.do("subscribers", "add", "anna@example.org", "--list", "board")
    desk.do("subscribers", "unsubscribe", "anna@example.org", "--list", "board")
    states = {one["list"]: one["state"] for one in desk.person("anna@example.org")["lists"]}
    assert states == {"main": "active", "board": "unsubscribed"}
    desk.do("subscribers", "unsubscribe", "anna@example.org")
    states = {one["list"]: one["state"] for one in desk.person("anna@example.org")["lists"]}
    assert states == {"main": "unsubscribed", "board": "unsubscribed"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "nobody"), "'nobody' is not an email address"),
        (("add", "a@example.org", "--name", "A\r\nBcc: b@example.org"), "name: has a line break"),
        (("add", "a@example.org", "--first-name", "A\x00"), "first name: has a control character"),
        (("add", "a@example.org", "--language", "English"), "not a language tag"),
        (("add", "a@example.org", "--set", "Job Title=x"), "write job_title=…"),
        (("add", "a@example.org", "--list", "mian"), "did you mean main?"),
        (("show", "a@example.org"), "no subscriber has the address a@example.org"),
        (("unsubscribe", "a@example.org"), "no subscriber has the address"),
        (("unsubscribe", "known@example.org", "--list", "board"), "there is no list board"),
        (("unsubscribe", "known@example.org", "--list", "other"), "never been on the list other"),
        (("erase", "a@example.org", "--yes"), "no subscriber has the address"),
        (("erase", "known@example.org"), "add --yes"),
        (("export", "--list", "mian"), "did you mean main?"),
        (("export", "--out", "/nowhere/x.csv"), "/nowhere/x.csv: cannot be written"),
    ],
)
def test_what_was_asked_wrong_is_one_sentence_and_changes_nothing(
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    desk.do("subscribers", "add", "known@example.org")
    desk.do("lists", "create", "other")
    before = desk.dump()
    ended = desk.run("subscribers", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert sentence in ended.err
    assert desk.dump() == before


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{ 7*7 }}", "{% import os %}"])
def test_a_hostile_name_is_kept_word_for_word(desk: Desk, name: str) -> None:
    desk.do("subscribers", "add", "anna@example.org", "--name", name)
    assert desk.person("anna@example.org")["name"] == name


def test_an_erased_person_is_gone_and_does_not_come_back(desk: Desk) -> None:
    desk.do("subscribers", "add", "Anna@example.org", "--name", "Anna Smith", "--set", "k=LAC")
    desk.do("suppressions", "add", "anna@example.org", "--reason", "complaint")
    ended = desk.do("subscribers", "erase", "ANNA@example.org", "--yes")
    assert "anna" not in (ended.out + ended.err).lower()
    everything = repr(desk.dump()).lower()
    for trace in ("anna", "smith", "lac"):
        assert trace not in everything
    assert desk.run("subscribers", "show", "anna@example.org").code == 2
    refused = desk.run("subscribers", "add", "anna@EXAMPLE.org", "--resubscribe")
    assert refused.code == 2
    assert "was erased" in refused.err
    assert "newsletter suppressions remove" in refused.err
    path = desk.file("people.csv", "email\nanna@example.org\nben@example.org\n")
    assert desk.import_counts(path) == {"rows": 2, "added": 1, "suppressed": 1}
    desk.do("suppressions", "remove", "anna@example.org")
    desk.do("subscribers", "add", "anna@example.org")
    assert [one["email"] for one in desk.people()] == ["ben@example.org", "anna@example.org"]


def test_an_erased_person_stays_out_after_the_key_was_rotated(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    desk.do("subscribers", "erase", "anna@example.org", "--yes")
    dotenv = desk.path / ".env"
    old = dotenv.read_text().partition("=")[2]
    dotenv.write_text(f"NEWSLETTER_SECRET_KEY=a newer and better key,{old}")
    assert desk.run("subscribers", "add", "anna@example.org").code == 2


def test_erasing_leaves_every_list_and_keeps_what_was_sent_countable(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    desk.query(
        "INSERT INTO issues (id, slug, digest, frozen_at) VALUES (1, 'summer', 'd', '2023-07-01')"
    )
    desk.query(
        "INSERT INTO deliveries (issue_id, subscriber_id, list_id, state, due_at, reply) "
        "VALUES (1, 1, 1, 5, '2023-07-01', '550 5.1.1 <ANNA@example.org>: unknown')"
    )
    assert desk.person("anna@example.org")["deliveries"][0]["issue"] == "summer"
    assert "summer" in desk.do("subscribers", "show", "anna@example.org").out
    desk.do("subscribers", "erase", "anna@example.org", "--yes")
    assert desk.query("SELECT reply FROM deliveries") == [("550 5.1.1 <(erased)>: unknown",)]
    assert desk.query("SELECT state FROM subscriptions") == [(2,)]
    assert desk.query("SELECT kind FROM consent_events ORDER BY id") == [("joined",), ("left",)]


def test_an_export_is_a_table_that_a_spreadsheet_can_open(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org", "--name", "=1+1", "--set", "region=LAC")
    desk.do("subscribers", "add", "ben@example.org", "--name", "Ben, B.", "--set", "role=@x")
    desk.do("subscribers", "add", "cleo@example.org")
    desk.do("suppressions", "add", "cleo@example.org")
    out = desk.path / "people.csv"
    ended = desk.do("subscribers", "export", "--out", out)
    assert ended.out == ""
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:8] == [
        "email", "name", "first_name", "last_name", "language", "list", "state", "joined_at",
    ]  # fmt: skip
    assert [row["name"] for row in rows] == ["'=1+1", "Ben, B.", ""]
    assert [row["attributes.role"] for row in rows] == ["", "'@x", ""]
    assert [row["state"] for row in rows] == ["active", "active", "suppressed"]


@pytest.mark.parametrize("name", ["=1+1", "'=1", "-", "O'Neill", 'a "b", c; d', "李 小龙", "x y"])
def test_an_export_comes_back_as_it_was(desk: Desk, tmp_path: Path, name: str) -> None:
    desk.do(
        "subscribers", "add", "+tag@example.org", "--name", name, "--last-name", "Smith",
        "--language", "zh-Hant", "--set", "notes=@one\n'=two",
        "--set", "email=x", "--set", "list=y",
    )  # fmt: skip
    out = tmp_path / "out.csv"
    desk.do("subscribers", "export", "--out", out)
    other = Desk.make(tmp_path / "other")
    assert other.import_counts(out) == {"rows": 1, "added": 1}
    kept = [{**person, "joined_at": ""} for person in desk.people()]
    assert [{**person, "joined_at": ""} for person in other.people()] == kept


def test_an_export_does_not_bring_back_who_has_left(desk: Desk, tmp_path: Path) -> None:
    for email in ("anna@example.org", "ben@example.org", "cleo@example.org"):
        desk.do("subscribers", "add", email)
    desk.do("subscribers", "unsubscribe", "ben@example.org")
    desk.do("suppressions", "add", "cleo@example.org")
    out = tmp_path / "out.csv"
    desk.do("subscribers", "export", "--out", out)
    other = Desk.make(tmp_path / "other")
    assert other.import_counts(out) == {"rows": 3, "added": 1, "unsubscribed": 2}

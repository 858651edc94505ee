"""A first send is refused where ``check`` finds an error, unless the rule is named."""

from pathlib import Path

import pytest

from tests.integration.people import Desk

FRONT = "---\nsubject: Hello\npreheader: News\n---\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.make(tmp_path / "workspace")
    desk.file("newsletter.toml", "[sender]\npostal_address = '1 Street'\n")
    (desk.path / "issues" / "spring").mkdir(parents=True)
    desk.do("subscribers", "add", "anna@example.org", "--set", "city=None")
    return desk


def _write(desk: Desk, text: str) -> None:
    desk.file("issues/spring/issue.md", FRONT + text)


def test_an_error_refuses_a_send_and_nothing_is_planned(desk: Desk) -> None:
    _write(desk, "Text.\n\n[Our wiki](http://localhost/wiki)")
    for options in (["--yes"], ["--dry-run"]):
        ended = desk.run("send", "spring", *options)
        assert ended.code == 2
        assert "issues/spring/issue.md:7: http://localhost/wiki can only be reached" in ended.err
        assert "To send all the same: --ignore links.local" in ended.err
    assert desk.query("SELECT count(*) FROM deliveries") == [(0,)]
    assert desk.query("SELECT count(*) FROM issues") == [(0,)]


def test_an_error_of_a_rule_that_is_named_lets_it_go(desk: Desk) -> None:
    _write(desk, "Text.\n\n[Our wiki](http://localhost/wiki)")
    desk.do("send", "spring", "--yes", "--ignore", "links.local")
    assert desk.do("status", "spring", "--json").json["deliveries"]["sent"] == 1


def test_what_each_reader_would_read_counts_too(desk: Desk) -> None:
    _write(desk, "Dear people of {{ subscriber.attributes.city }}")
    ended = desk.run("send", "spring", "--yes")
    assert ended.code == 2
    assert "for anna@example.org: {{ subscriber.attributes.city }} comes out as 'None'" in ended.err
    desk.do("send", "spring", "--yes", "--ignore", "merge.none")


def test_a_warning_refuses_nothing(desk: Desk) -> None:
    _write(desk, "It is the the end.")
    desk.do("send", "spring", "--yes")


def test_a_send_that_goes_on_sends_what_was_checked(desk: Desk) -> None:
    _write(desk, "Text.\n\n[Our wiki](http://localhost/wiki)")
    desk.do("send", "spring", "--yes", "--ignore", "links.local")
    desk.do("subscribers", "add", "ben@example.org")
    desk.do("send", "spring", "--yes")
    assert desk.query("SELECT count(*) FROM deliveries") == [(2,)]


def test_a_rule_that_does_not_exist_is_asked_wrong(desk: Desk) -> None:
    _write(desk, "Text.")
    ended = desk.run("send", "spring", "--yes", "--ignore", "links.lokal")
    assert ended.code == 2
    assert "there is no rule links.lokal; did you mean links.local?" in ended.err
    assert desk.query("SELECT count(*) FROM deliveries") == [(0,)]

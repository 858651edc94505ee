from pathlib import Path

import pytest

from tests.integration.people import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "workspace")


def test_a_suppressed_address_stays_on_its_list_and_cannot_be_added(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    desk.do("suppressions", "add", "ANNA@example.org", "--reason", "hard_bounce")
    person = desk.person("anna@example.org")
    assert person["suppressed"] == "hard_bounce"
    assert person["lists"][0]["state"] == "active"
    refused = desk.run("subscribers", "add", "anna@example.org", "--resubscribe")
    assert refused.code == 2
    assert "is suppressed (hard_bounce)" in refused.err
    assert "newsletter suppressions remove" in refused.err
    desk.do("suppressions", "remove", "anna@example.org")
    assert desk.person("anna@example.org")["suppressed"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "known@example.org"), "is suppressed already"),
        (("add", "nobody"), "is not an email address"),
        (("add", "a@example.org", "--reason", "erased"), "newsletter subscribers erase"),
        (("remove", "a@example.org"), "is not suppressed"),
        (("import", "nothing.csv"), "there is no such file"),
    ],
)
def test_what_was_asked_wrong_changes_nothing(
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    desk.do("suppressions", "add", "known@example.org")
    before = desk.dump()
    ended = desk.run("suppressions", *arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert desk.dump() == before


@pytest.mark.parametrize(
    "content",
    [
        "a@example.org\nB@example.org\nnobody\na@example.org\n",
        "Email;x\na@example.org;\nb@example.org;1\nbad;\n",
    ],
)
def test_addresses_are_suppressed_from_a_file(desk: Desk, content: str) -> None:
    path = desk.file("dead.csv", content)
    report = desk.path / "report.csv"
    ended = desk.run("suppressions", "import", path, "--report", report)
    assert ended.code == 1
    assert "2 suppressed" in ended.out
    assert "1 rejected" in ended.out
    assert report.read_text().count("\n") == 2
    keys = desk.query("SELECT email_key, reason FROM suppressions ORDER BY 1")
    assert keys == [("a@example.org", "manual"), ("b@example.org", "manual")]
    before = desk.dump()
    assert "0 suppressed" in desk.run("suppressions", "import", path).out
    assert desk.dump() == before


def test_an_export_carries_reasons_and_erased_people_to_another_place(
    desk: Desk, tmp_path: Path
) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    desk.do("subscribers", "erase", "anna@example.org", "--yes")
    desk.do("suppressions", "add", "ben@example.org", "--reason", "complaint")
    out = tmp_path / "out.csv"
    desk.do("suppressions", "export", "--out", out)
    assert "anna" not in out.read_text()
    other = Desk.make(tmp_path / "other")
    other.do("suppressions", "import", out)
    assert other.query("SELECT email_key, reason FROM suppressions ORDER BY 1") == desk.query(
        "SELECT email_key, reason FROM suppressions ORDER BY 1"
    )
    assert "was erased" in other.run("subscribers", "add", "anna@example.org").err

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from newsletter_mail import __version__
from tests.integration.people import Desk

FRONT = "---\nsubject: Hello\n---\n"
BAD = FRONT + "One\n\n![A 100 %: picture](none.png)\n\n{{ subscriber.nme }}"
POSTAL = '[sender]\npostal_address = "1 Street"\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.make(tmp_path / "workspace")
    desk.file("newsletter.toml", POSTAL)
    return desk


def _issue(desk: Desk, content: str, slug: str = "spring", name: str = "issue.md") -> None:
    (desk.path / "issues" / slug).mkdir(parents=True, exist_ok=True)
    desk.file(f"issues/{slug}/{name}", content)


def test_a_good_issue_has_no_findings(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    assert desk.do("check", "spring").out == "spring: 0 errors, 0 warnings\n"
    assert desk.do("check", "spring", "--format", "json").json == {
        "issue": "spring",
        "errors": 0,
        "warnings": 0,
        "findings": [],
    }
    assert desk.do("check", "spring", "--format", "github").out == ""
    assert desk.do("check", "spring", "--format", "sarif").json["runs"][0]["results"] == []


def test_json_has_exactly_these_keys(desk: Desk) -> None:
    _issue(desk, BAD)
    ended = desk.run("check", "spring", "--format", "json")
    assert ended.code == 1
    document = ended.json
    assert list(document) == ["issue", "errors", "warnings", "findings"]
    assert (document["issue"], document["errors"], document["warnings"]) == ("spring", 2, 0)
    for finding in document["findings"]:
        assert list(finding) == ["rule", "level", "message", "file", "line"]
        assert finding["level"] == "error"
        assert finding["file"] == "issues/spring/issue.md"
    assert [finding["line"] for finding in document["findings"]] == [6, 8]


def test_text_is_a_line_a_finding_and_the_sum(desk: Desk) -> None:
    _issue(desk, BAD)
    ended = desk.run("check", "spring")
    assert ended.code == 1
    first, second, total = ended.out.splitlines()
    assert first.startswith("issues/spring/issue.md:6: error: ")
    assert second.startswith("issues/spring/issue.md:8: error: ")
    assert second.endswith("did you mean subscriber.name? [compile]")
    assert total == "spring: 2 errors, 0 warnings"


def test_sarif_is_what_code_hosts_read(desk: Desk) -> None:
    _issue(desk, BAD, slug="très long, 100 %/spring")
    folder = desk.path / "issues" / "très long, 100 %" / "spring"
    ended = desk.run("check", folder, "--format", "sarif")
    assert ended.code == 1
    document = json.loads(ended.out)
    # OASIS SARIF 2.1.0, sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.28 and 3.29.
    assert document["version"] == "2.1.0"
    assert document["$schema"].startswith("https://")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("newsletter-mail", __version__)
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(rules) == len(set(rules))
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert uri.isascii()
        assert " " not in uri
        assert unquote(uri) == "issues/très long, 100 %/spring/issue.md"
        assert place["region"]["startLine"] >= 1


def test_github_shows_each_finding_at_its_line(desk: Desk) -> None:
    _issue(desk, BAD.replace("none.png", "100%,a:b.png"), slug="a,b/spring")
    ended = desk.run("check", desk.path / "issues" / "a,b" / "spring", "--format", "github")
    assert ended.code == 1
    first, second = ended.out.splitlines()
    # The properties of a workflow command are split at commas and end at the second colon.
    assert first.startswith("::error file=issues/a%2Cb/spring/issue.md,line=6,title=compile::")
    assert "100%25,a:b.png" in first.partition("title=compile::")[2]
    assert second.startswith("::error file=issues/a%2Cb/spring/issue.md,line=8,title=compile::")


def test_a_warning_is_an_error_only_where_it_is_asked_to_be(desk: Desk) -> None:
    desk.file("newsletter.toml", "")
    _issue(desk, FRONT.replace("Hello", "H" * 61) + "Text.")
    ended = desk.do("check", "spring", "--format", "json")
    rules = {finding["rule"]: finding["level"] for finding in ended.json["findings"]}
    assert rules == {"sender.postal-address": "warning", "content.subject-length": "warning"}
    assert (ended.json["errors"], ended.json["warnings"]) == (0, 2)
    assert desk.run("check", "spring", "--strict").code == 1


@pytest.mark.parametrize(
    ("toml", "rules"),
    [
        ("", set()),
        ('[transport]\nurl = "smtp://127.0.0.1:25?tls=none"', {"web.base-url", "sender.from"}),
        (
            "[transport]\nurl = 'smtp://127.0.0.1:25?tls=none'\n[web]\nbase_url = 'https://n.test'",
            {"sender.from"},
        ),
    ],
)
def test_what_is_wrong_with_the_sender(toml: str, rules: set[str], desk: Desk) -> None:
    desk.file("newsletter.toml", POSTAL + toml)
    _issue(desk, FRONT + "Text.")
    found = desk.do("check", "spring", "--format", "json").json["findings"]
    assert {finding["rule"] for finding in found} == rules


def test_the_html_may_not_be_longer_than_gmail_shows(desk: Desk) -> None:
    _issue(desk, FRONT + "Words of a long paragraph.\n\n" * 100)
    assert desk.do("check", "spring", "--format", "json").json["findings"] == []
    _issue(desk, FRONT + f"{'word ' * 1_800}\n\n" * 12)
    ended = desk.run("check", "spring", "--format", "json")
    assert ended.code == 1
    (finding,) = ended.json["findings"]
    assert (finding["rule"], finding["level"]) == ("size.html", "error")
    assert "Gmail cuts a message at 102,000" in finding["message"]


def test_everybody_on_the_list_is_looked_at(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org", "--name", "Anna")
    desk.do("subscribers", "add", "ben@example.org")
    _issue(desk, FRONT + "Dear {{ subscriber.name }}")
    ended = desk.run("check", "spring", "--format", "json")
    assert ended.code == 1
    (finding,) = ended.json["findings"]
    assert finding["rule"] == "merge.value-missing"
    assert "ben@example.org" in finding["message"]
    assert "anna@example.org" not in ended.out


def test_a_check_plans_nothing(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    _issue(desk, FRONT + "Text.")
    desk.do("check", "spring")
    assert desk.query("SELECT count(*) FROM issues") == [(0,)]
    assert desk.query("SELECT count(*) FROM deliveries") == [(0,)]


def test_a_translation_is_checked_too(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    _issue(desk, "---\nsubject: Bonjour\n---\n{{ nom }}", name="issue.fr.md")
    ended = desk.run("check", "spring", "--format", "json")
    (finding,) = ended.json["findings"]
    assert (finding["file"], finding["line"]) == ("issues/spring/issue.fr.md", 4)


def test_an_issue_that_is_not_there_is_asked_wrong(desk: Desk) -> None:
    ended = desk.run("check", "spring", "--format", "json")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no issue spring; in " in ended.err
    assert "newsletter new SLUG makes one" in ended.err

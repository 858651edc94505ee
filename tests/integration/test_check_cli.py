import json
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest
from PIL import Image

from newsletter_mail import __version__
from tests.integration.people import Desk

FRONT = "---\nsubject: Hello\npreheader: News\n---\n"
SCHEMA = Path(__file__).parents[1] / "data" / "sarif-2.1.0.schema.json"
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
    assert [finding["line"] for finding in document["findings"]] == [7, 9]


def test_text_is_a_line_a_finding_and_the_sum(desk: Desk) -> None:
    _issue(desk, BAD)
    ended = desk.run("check", "spring")
    assert ended.code == 1
    first, second, total = ended.out.splitlines()
    assert first.startswith("issues/spring/issue.md:7: error: ")
    assert second.startswith("issues/spring/issue.md:9: error: ")
    assert second.endswith("did you mean subscriber.name? [content.merge-tag]")
    assert total == "spring: 2 errors, 0 warnings"


def test_sarif_is_what_code_hosts_read(desk: Desk) -> None:
    _issue(desk, BAD, slug="très long, 100 %/spring")
    folder = desk.path / "issues" / "très long, 100 %" / "spring"
    ended = desk.run("check", folder, "--format", "sarif")
    assert ended.code == 1
    document = json.loads(ended.out)
    # The schema is that of the npm package @microsoft/jest-sarif (MIT).
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)
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
    assert first.startswith("::error file=issues/a%2Cb/spring/issue.md,line=7,title=compile::")
    assert "100%25,a:b.png" in first.partition("title=compile::")[2]
    assert second.startswith(
        "::error file=issues/a%2Cb/spring/issue.md,line=9,title=content.merge-tag::"
    )


def test_a_warning_is_an_error_only_where_it_is_asked_to_be(desk: Desk) -> None:
    desk.file("newsletter.toml", "")
    _issue(desk, FRONT.replace("Hello", "Hi" * 31) + "Text.")
    ended = desk.do("check", "spring", "--format", "json")
    rules = {finding["rule"]: finding["level"] for finding in ended.json["findings"]}
    assert rules == {
        "deliverability.postal-address": "warning",
        "content.subject-length": "warning",
    }
    assert (ended.json["errors"], ended.json["warnings"]) == (0, 2)
    assert desk.run("check", "spring", "--strict").code == 1


REAL = "[transport]\nurl = 'smtp://127.0.0.1:25?tls=none'\n"
HTTPS = "[web]\nbase_url = 'https://n.test'\n"
SENDER = "[sender]\npostal_address = '1 Street'\nfrom = "


@pytest.mark.parametrize(
    ("toml", "rules"),
    [
        (POSTAL, set()),
        ("", {"postal-address"}),
        (POSTAL + REAL, {"base-url", "example-sender"}),
        (POSTAL + REAL + HTTPS, {"example-sender"}),
        (f"{SENDER}'City <city@gmail.com>'", {"free-mailer"}),
        (f"{SENDER}'City <city@gmail.example>'", set()),
        (f"{SENDER}'City <no-reply@city.example>'", {"reply-to"}),
        (f"{SENDER}'City <no-reply@city.example>'\nreply_to = 'us@city.example'", set()),
    ],
)
def test_what_is_wrong_with_the_sender(toml: str, rules: set[str], desk: Desk) -> None:
    desk.file("newsletter.toml", toml)
    _issue(desk, FRONT + "Text.")
    found = desk.do("check", "spring", "--format", "json").json["findings"]
    assert {finding["rule"] for finding in found} == {f"deliverability.{one}" for one in rules}
    assert {finding["file"] for finding in found} <= {"newsletter.toml"}


def test_a_base_url_that_no_reader_reaches_is_an_error(desk: Desk) -> None:
    desk.file("newsletter.toml", POSTAL + "[transport]\nurl = 'smtp://mail.city.example:587'\n")
    _issue(desk, FRONT + "Text.")
    found = desk.run("check", "spring", "--format", "json").json["findings"]
    levels = {finding["rule"]: finding["level"] for finding in found}
    assert levels["deliverability.base-url"] == "error"


def test_the_html_may_not_be_longer_than_gmail_shows(desk: Desk) -> None:
    _issue(desk, FRONT + "Words of a long paragraph.\n\n" * 100)
    assert desk.do("check", "spring", "--format", "json").json["findings"] == []
    _issue(desk, FRONT + f"{'some word ' * 900}\n\n## Part\n\n" * 12 + "End")
    ended = desk.run("check", "spring", "--format", "json")
    assert ended.code == 1
    (finding,) = ended.json["findings"]
    assert (finding["rule"], finding["level"]) == ("size.html", "error")
    assert "Gmail cuts a message at 102,000" in finding["message"]
    assert "The largest sections are" in finding["message"]


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


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("[a](b)", "links.no-scheme", 5),
        ("a\n\n[a](#b)", "links.anchor", 7),
        ("[](https://a.org)", "accessibility.link-text", 5),
        ("{{ subscriber.name", "content.merge-tag", 5),
        ("{{ subscriber.name | defalt('x') }}", "content.merge-tag", 5),
        ("![](a.png)", "pictures.alt-missing", 5),
        ("![a](https://t.org/a.png)", "third-party.host", 5),
        ("::: nothing\n:::", "compile", 5),
    ],
)
def test_what_composing_refuses_has_the_id_of_its_rule(
    text: str, rule: str, line: int, desk: Desk
) -> None:
    _issue(desk, FRONT + text)
    found = desk.run("check", "spring", "--format", "json").json["findings"]
    assert (rule, line) in [(finding["rule"], finding["line"]) for finding in found]


def test_an_issue_without_a_subject_has_the_id_of_its_rule(desk: Desk) -> None:
    _issue(desk, "---\npreheader: x\n---\nText.")
    (finding,) = desk.run("check", "spring", "--format", "json").json["findings"]
    assert (finding["rule"], finding["line"]) == ("content.empty-subject", 1)


CITY = "{{ subscriber.attributes.city }}"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("Paris", None),
        ("none", None),
        ("Null Island", None),
        (" ", "merge.empty-greeting"),
        ("–", "merge.empty-greeting"),
        ("None", "merge.none"),
        ("NaN", "merge.none"),
        ("{{ city }}", "merge.tag-left-over"),
        ("*|CITY|*", "merge.tag-left-over"),
    ],
)
def test_what_each_reader_would_read_is_looked_at(value: str, rule: str | None, desk: Desk) -> None:
    file = desk.file(
        "people.csv", f'email,city\nanna@example.org,Rome\nben@example.org,"{value}"\n'
    )
    desk.do("subscribers", "import", file)
    # An import takes spaces off.
    if not value.strip():
        desk.query(
            "UPDATE subscribers SET attributes = ? WHERE email LIKE 'ben%'", ['{"city": " "}']
        )
    _issue(desk, FRONT + f"News\n\nDear people of {CITY},")
    found = desk.run("check", "spring", "--format", "json").json["findings"]
    if rule is None:
        assert found == []
        return
    (finding,) = found
    assert (finding["rule"], finding["level"], finding["line"]) == (rule, "error", 7)
    assert finding["message"].startswith(f"for ben@example.org: {CITY} comes out as ")


def test_the_size_is_that_of_the_longest_values(desk: Desk) -> None:
    _issue(desk, FRONT + f"{'some word ' * 750}{CITY}\n\n" * 8)
    for name, city in (("anna", "Rome"), ("ben", "x" * 2_000)):
        desk.do("subscribers", "add", f"{name}@example.org", "--set", f"city={city}")
        found = desk.run("check", "spring", "--format", "json").json["findings"]
        sizes = [one for one in found if one["rule"] == "size.html"]
        assert bool(sizes) is (name == "ben")


@pytest.mark.parametrize(
    ("toml", "is_found"), [("", True), ("[check]\nallowed_hosts = 'cdn.city.example'\n", False)]
)
def test_a_template_that_asks_others_is_an_error_unless_allowed(
    toml: str, *, is_found: bool, desk: Desk
) -> None:
    desk.file("newsletter.toml", POSTAL + toml)
    folder = desk.path / "templates" / "default" / "styles"
    folder.mkdir(parents=True)
    (folder / "dark.css.j2").write_text("body{background:url(https://cdn.city.example/a.png)}")
    _issue(desk, FRONT + "Text.")
    found = desk.run("check", "spring", "--format", "json").json["findings"]
    assert any(one["rule"] == "third-party.host" for one in found) is is_found


def test_a_picture_that_is_not_shown_is_found(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    desk.file("issues/spring/left over.png", b"x")
    (finding,) = desk.do("check", "spring", "--format", "json").json["findings"]
    assert finding["rule"] == "pictures.unused"
    assert finding["message"].startswith("left over.png is not shown anywhere: ")


def test_a_rule_explains_itself_without_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = Desk(tmp_path).do("check", "--explain", "accessibility.body-dir").out
    assert said.startswith("accessibility.body-dir (error)\n\nWhat stands in <body> ")
    assert "EMC 2026, 1: Content inside the body should be wrapped in a dir attribute" in said
    former = Desk(tmp_path).do("check", "--explain", "sender.from").out
    assert former.startswith("deliverability.example-sender (warning)")
    clients = Desk(tmp_path).do("check", "--explain", "clients.css").out
    assert "Outlook (Windows)" in clients
    ended = Desk(tmp_path).run("check", "--explain", "links.htp")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no rule links.htp; did you mean links.http?" in ended.err


def test_without_issue_and_rule_nothing_is_checked(desk: Desk) -> None:
    ended = desk.run("check")
    assert (ended.code, ended.out) == (2, "")
    assert "say which issue" in ended.err


def test_the_sample_has_no_error_and_says_that_it_is_of_2023(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "new")
    desk.path.mkdir()
    desk.run("init", desk.path)
    found = desk.do("check", "2023-summer-updates", "--format", "json").json["findings"]
    assert {finding["rule"] for finding in found} <= {"content.date-past"}


@pytest.mark.parametrize(
    ("french", "rule"),
    [
        ("Un.\n\n## Deux\n\n[Le rapport](https://a.org/fr)", None),
        ("Un. [Le rapport](https://a.org/fr)", "section-missing"),
        ("Un.\n\n## Deux\n\nRien", "link-missing"),
    ],
)
def test_what_a_translation_lacks_is_found(french: str, rule: str | None, desk: Desk) -> None:
    _issue(desk, FRONT + "One.\n\n## Two\n\n[The report](https://a.org/en)")
    _issue(desk, FRONT + french, name="issue.fr.md")
    found = desk.do("check", "spring", "--format", "json").json["findings"]
    rules = {(one["rule"], one["level"]) for one in found if one["file"].endswith("fr.md")}
    assert rules == (set() if rule is None else {(f"translations.{rule}", "warning")})


def test_a_picture_that_a_translation_lacks_is_found(desk: Desk) -> None:
    _issue(desk, FRONT + f"{'One. ' * 40}\n\n![A river](a.png)")
    Image.new("RGB", (20, 20)).save(desk.path / "issues" / "spring" / "a.png")
    _issue(desk, FRONT + "Un.", name="issue.fr.md")
    found = desk.do("check", "spring", "--format", "json").json["findings"]
    assert {one["rule"] for one in found} == {"translations.picture-missing"}


def test_a_theme_that_cannot_be_read_is_found(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    (desk.path / "templates" / "default").mkdir(parents=True)
    desk.file("templates/default/theme.toml", '[light]\nmuted = "#cccccc"\n')
    findings = desk.do("check", "spring", "--format", "json").json["findings"]
    found = [one["message"] for one in findings if one["rule"] == "accessibility.theme-contrast"]
    assert [message.rpartition(" has ")[0] for message in found] == [
        "the theme of template default: [light] muted on surface",
        "the theme of template default: [light] muted on tint",
    ]

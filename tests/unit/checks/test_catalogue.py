import re
import runpy
from pathlib import Path

import pytest

from newsletter_mail.checks.caniemail import MAJOR, load_support
from newsletter_mail.checks.catalogue import GROUPS, all_rules, explain, find_rule
from newsletter_mail.checks.compiling import error_findings
from newsletter_mail.checks.findings import Finding, Level
from newsletter_mail.checks.registry import Scope, rule
from newsletter_mail.checks.running import refuse_on_errors
from newsletter_mail.errors import (
    ConfigError,
    InputError,
    IssueError,
    MjmlError,
    NewsletterError,
    SendRefused,
    TemplateError,
)

DOCS = Path(__file__).parents[3] / "docs"
RULES = all_rules()


@pytest.mark.parametrize("known", RULES, ids=lambda known: known.id)
def test_a_rule_has_a_group_and_says_what_to_do(known: object) -> None:
    one = find_rule(known.id)  # type: ignore[attr-defined] # parametrize gives no types
    assert one.group in GROUPS
    assert re.fullmatch(r"[a-z-]+(\.[a-z0-9-]+)?", one.id)
    assert one.says.endswith(".") or one.says[-1].isalnum() or one.says[-1] == "…"
    assert one.advice or one.id in {"compile", "merge.value-missing"}
    assert not one.advice.endswith(".")
    assert one.id in explain(one.id)


def test_an_id_is_given_once() -> None:
    with pytest.raises(ValueError, match=r"two rules size\.html"):
        rule("size.html", Level.ERROR, says="", advice="", scope=Scope.BUILD)(lambda _: ())


def test_all_ten_rules_of_the_email_markup_consortium_are_there() -> None:
    named = {match[1] for one in RULES if (match := re.match(r"EMC 2026, (\d+): ", one.source))}
    assert named == {str(number) for number in range(1, 11)}


def test_the_page_of_the_rules_is_up_to_date() -> None:
    maker = runpy.run_path(str(DOCS / "make_checks.py"))
    page = (DOCS / "checks.md").read_text("utf-8")
    assert maker["renewed"](page) == page
    assert set(re.findall(r"^\| `([a-z.-]+[a-z0-9-]*)` \|", page, re.MULTILINE)) == {
        one.id for one in RULES
    }


def test_the_major_programs_are_in_the_data() -> None:
    support = load_support()
    assert set(support.clients) >= MAJOR
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", support.updated)
    assert support.features["property", "float"].url.startswith("https://www.caniemail.com/")


def _finding(rule_id: str, level: Level = Level.ERROR) -> Finding:
    return Finding(rule=rule_id, level=level, message="it is wrong", file="i.md", line=3)


def test_a_send_is_refused_for_errors_alone() -> None:
    refuse_on_errors([])
    refuse_on_errors([_finding("size.html", Level.WARNING)])
    with pytest.raises(SendRefused) as caught:
        refuse_on_errors([_finding("size.html"), _finding("links.dead")])
    assert str(caught.value).split("\n") == [
        "the check found 2 errors:",
        "i.md:3: it is wrong [size.html]",
        "i.md:3: it is wrong [links.dead]",
        "Nothing was sent. To send all the same: --ignore links.dead --ignore size.html",
    ]


def test_a_rule_that_is_ignored_does_not_count() -> None:
    refuse_on_errors([_finding("size.html")], ["size.html"])
    refuse_on_errors([_finding("deliverability.base-url")], ["web.base-url"])
    with pytest.raises(SendRefused, match="1 error"):
        refuse_on_errors([_finding("size.html"), _finding("links.dead")], ["size.html"])
    with pytest.raises(InputError, match=r"did you mean size\.html"):
        refuse_on_errors([], ["size.htm"])


def test_not_more_is_said_than_anybody_reads() -> None:
    with pytest.raises(SendRefused) as caught:
        refuse_on_errors([_finding("links.dead")] * 100)
    assert str(caught.value).split("\n")[-2] == "… and 80 more"


@pytest.mark.parametrize(
    ("error", "rule_id"),
    [
        (IssueError("a.png is larger than 25 MB; make it smaller", path="i.md"), "pictures.heavy"),
        (IssueError("the subject is empty", path="i.md", line=2), "content.empty-subject"),
        (TemplateError("no such filter", origin="templates/x/layout.mjml.j2"), "compile"),
        (MjmlError("<mj-txt> is not an MJML tag"), "compile"),
    ],
)
def test_what_composing_refuses_becomes_a_finding(error: NewsletterError, rule_id: str) -> None:
    (finding,) = error_findings(error)
    assert (finding.rule, finding.level) == (rule_id, Level.ERROR)


def test_no_other_error_becomes_a_finding() -> None:
    with pytest.raises(ConfigError):
        error_findings(ConfigError("no workspace"))

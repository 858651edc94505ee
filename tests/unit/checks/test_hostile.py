"""Nothing that anybody writes makes a check fail."""

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.checks.compiling import error_findings
from newsletter_mail.checks.findings import Level
from newsletter_mail.checks.running import check_case
from newsletter_mail.checks.sections import section_costs
from newsletter_mail.checks.source import SourceText
from newsletter_mail.compose.build import ComposeSettings, compile_issue
from newsletter_mail.errors import IssueError
from tests.unit.checks.cases import make_case

COMPOSE = ComposeSettings(
    newsletter_name="News",
    default_language="en",
    default_template="default",
    postal_address="1 Street",
)
PIECES = st.sampled_from(
    [
        "# ", "## ", "### ", "\n", "\n\n", "- ", "> ", "*", "**", "[", "](", ")", "![", "`",
        "```\n", "https://a.org/?utm_source=x", "http://", "{{ subscriber.name | default('x') }}",
        "{.button}", "::: callout\n", ":::\n", "::: html\n<mj-text><b>x</b></mj-text>\n:::\n",
        "|a|\n|-|\n|b|\n", "the the", "TODO", "31 February 2024", "by 1 May 2020", "<!-- ", " -->",
        "&#0;", "é", "\u202e", "\u200b", "﷽", "0", "---\n", "[here](https://[::1]/)",
        "[a](mailto:b@c)", "{name}", "\\",
    ]
)  # fmt: skip
MARKDOWN = st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join)
TAGS = st.sampled_from(
    [
        "<p>", "</p>", "<a href='", "'>", '<a href="http://[">x</a>', "</a>", "<table>", "<th>",
        "<h2>", "</h2>", "<style>", "</style>", "@media (", "@import url(", "{", "}", "a:b", ";",
        "color:#", "#fff", "url(", ")", "<!--[if mso]>", "<![endif]-->", "<img src=//", ">",
        "<body>", "</body>", "</html>", "style='", "calc(((", "1e999px", "<svg>",
        "<h1 style='font-size:9px;color:red;background:url(x)'>", "<p tabindex=²>",
        "<meta http-equiv=refresh>", "@media (prefers-color-scheme: dark){::x{color:#000}",
    ]
)  # fmt: skip
HTML = st.lists(TAGS | st.text(max_size=6), max_size=40).map("".join)


@given(MARKDOWN)
def test_no_markdown_makes_a_check_fail(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        issue = Path(folder) / "issues" / "x"
        issue.mkdir(parents=True)
        whole = f"---\nsubject: s\n---\n{text}"
        (issue / "issue.md").write_text(whole, "utf-8", newline="")
        try:
            build = compile_issue(issue, workspace=Path(folder), settings=COMPOSE)
        except IssueError as error:
            refused = error_findings(error)
        else:
            refused = []
    if refused:
        assert {finding.level for finding in refused} == {Level.ERROR}
        return
    lines = tuple(whole.splitlines())
    case = make_case(source_text=SourceText("i.md", lines), build=build)
    for finding in check_case(case):
        assert finding.line is None or 1 <= finding.line <= len(lines)


@given(HTML, st.text(max_size=40))
def test_no_html_makes_a_check_fail(html: str, subject: str) -> None:
    check_case(make_case(html, subject=subject, source=html))
    check_case(make_case(html=html or " ", head=html))


@given(HTML)
def test_the_costs_of_the_sections_add_up(html: str) -> None:
    whole = make_case(html).html
    assert sum(cost.size for cost in section_costs(whole)) == len(whole.encode())


@given(st.text(max_size=60), st.dates(date(2000, 1, 1)))
def test_no_subject_and_no_day_makes_a_check_fail(text: str, today: date) -> None:
    check_case(make_case(source=f"by {text} until 2024-02-03", today=today))

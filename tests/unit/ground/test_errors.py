import re
from datetime import UTC, datetime

import pytest

from newsletter_mail import errors
from newsletter_mail.errors import (
    CompileError,
    ConnectFailed,
    HeaderInjection,
    InvalidAddress,
    IssueError,
    IssueErrors,
    NewsletterError,
    TokenExpired,
    TransportTimeout,
)

_ALL = [
    one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)
]


def test_the_drawing_shows_every_error() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"^ *[│├└─ ]*([A-Z]\w+)  ", errors.__doc__, re.MULTILINE)
    bare = re.findall(r"[├└]── ([A-Z]\w+)$", errors.__doc__, re.MULTILINE)
    assert sorted({*drawn, *bare}) == sorted(one.__name__ for one in _ALL)


@pytest.mark.parametrize("error", _ALL, ids=lambda one: one.__name__)
def test_every_error_is_ours_and_says_what_it_is_for(error: type[Exception]) -> None:
    assert issubclass(error, NewsletterError)
    assert error.__doc__


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (InvalidAddress, ValueError),
        (HeaderInjection, ValueError),
        (ConnectFailed, ConnectionError),
        (TransportTimeout, TimeoutError),
    ],
)
def test_what_the_standard_library_would_raise(
    error: type[Exception], meaning: type[Exception]
) -> None:
    assert issubclass(error, meaning)


@pytest.mark.parametrize(
    ("line", "text"),
    [(None, "issues/x/issue.md: is empty"), (14, "issues/x/issue.md:14: is empty")],
)
def test_a_finding_names_its_place(line: int | None, text: str) -> None:
    assert str(IssueError("is empty", path="issues/x/issue.md", line=line)) == text
    assert str(CompileError("is empty", origin="issues/x/issue.md", line=line)) == text
    assert str(CompileError("is empty")) == "is empty"


def test_findings_are_in_the_order_of_the_files() -> None:
    findings = [
        IssueError("c", path="b.md", line=1),
        IssueError("b", path="a.md", line=10),
        IssueError("a", path="a.md", line=9),
        IssueError("0", path="a.md"),
    ]
    error = IssueErrors(findings)
    assert str(error) == "a.md: 0\na.md:9: a\na.md:10: b\nb.md:1: c"
    assert (error.path, error.line, error.message) == ("a.md", None, "0")


def test_a_link_that_is_over_says_since_when() -> None:
    error = TokenExpired(datetime(2023, 7, 1, 23, 59, tzinfo=UTC))
    assert "2023-07-01" in str(error)

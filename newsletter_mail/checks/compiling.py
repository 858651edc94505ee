"""What composing refuses, under the ids of the rules that ask for it."""

import re
from collections.abc import Iterator

from newsletter_mail.checks.findings import Finding, Hit, Level
from newsletter_mail.checks.registry import Scope, rule
from newsletter_mail.errors import CompileError, IssueError, IssueErrors, NewsletterError

#: Whatever has no rule of its own.
COMPILE = "compile"

# By the words of the message; where two fit, the first.
_RULES = (
    ("content.empty-subject", r"subject (?:is missing|is empty)"),
    ("content.merge-tag", r"merge tag|\{\{|\}\}|\{%|there is no filter"),
    ("links.no-scheme", r"is not a whole address|has no address|is no address"),
    ("links.anchor", r"leads to a place in the mail"),
    ("accessibility.link-text", r"this link has no text"),
    ("pictures.alt-missing", r"does not say what it shows"),
    ("pictures.heavy", r"is larger than \d+ MB"),
    ("third-party.host", r"loads nothing from elsewhere|fetched from a third party"),
)
_PATTERNS = tuple((rule_id, re.compile(pattern)) for rule_id, pattern in _RULES)


@rule(
    COMPILE,
    Level.ERROR,
    scope=Scope.COMPILING,
    says="The issue and its template can be composed.",
    advice="",
)
def _compile(_: object) -> Iterator[Hit]:
    """Composing says it, one finding for each thing that is wrong."""
    return iter(())


def error_findings(error: NewsletterError) -> list[Finding]:
    """What a failed compilation says, as findings."""
    if isinstance(error, IssueErrors):
        return [finding for one in error.findings for finding in error_findings(one)]
    if isinstance(error, IssueError):
        return [_finding(error.message, error.path, error.line)]
    if isinstance(error, CompileError):
        return [_finding(error.message, error.origin or "", error.line)]
    raise error


def _finding(message: str, file: str, line: int | None) -> Finding:
    rule_id = next((one for one, pattern in _PATTERNS if pattern.search(message)), COMPILE)
    return Finding(rule=rule_id, level=Level.ERROR, message=message, file=file, line=line)

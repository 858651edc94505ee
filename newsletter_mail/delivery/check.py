"""Checks before a send, on the bytes that would be sent and for everybody who would get them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from newsletter_mail.delivery.preparation import Unfillable
from newsletter_mail.errors import CompileError, IssueError, IssueErrors, NewsletterError
from newsletter_mail.settings import Settings
from newsletter_mail.words import Build, PictureRef

#: Gmail cuts the HTML of a message at about 102 KB, and with it the unsubscribe link.
MAX_HTML_BYTES, WARN_HTML_BYTES = 102_000, 90_000
#: Longer subjects are cut on phones.
MAX_SUBJECT = 60
#: What a merge value or the address of a picture may add to the size.
_HOLE_BYTES = 160


class Level(StrEnum):
    """How bad a finding is."""

    #: The issue must not be sent like this.
    ERROR = "error"
    #: Worth a look.
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with an issue.

    Attributes:
        rule: a stable id.
        message: what is wrong and what to do.
        file: as the user would type it; "" for the settings as a whole.
        line: 1-based, or None.
    """

    rule: str
    level: Level
    message: str
    file: str = ""
    line: int | None = None


def error_findings(error: NewsletterError) -> list[Finding]:
    """What a failed compilation says, as findings."""
    if isinstance(error, IssueErrors):
        return [finding for one in error.findings for finding in error_findings(one)]
    if isinstance(error, IssueError):
        place = {"file": error.path, "line": error.line}
    elif isinstance(error, CompileError):
        place = {"file": error.origin or "", "line": error.line}
    else:
        raise error
    return [Finding(rule="compile", level=Level.ERROR, message=error.message, **place)]  # type: ignore[arg-type] # mypy joins the types of the two values


def build_findings(build: Build, file: str) -> Iterator[Finding]:
    """What is wrong with a build."""
    size = sum(len(part.encode()) if isinstance(part, str) else _HOLE_BYTES for part in build.html)
    if size > WARN_HTML_BYTES:
        is_error = size > MAX_HTML_BYTES
        yield Finding(
            rule="size.html",
            level=Level.ERROR if is_error else Level.WARNING,
            message=f"the HTML has {size:,} bytes; Gmail cuts a message at {MAX_HTML_BYTES:,}, "
            "and the unsubscribe link with it: take out or shorten a section",
            file=file,
        )
    subject = "".join(part for part in build.subject if isinstance(part, str))
    if len(subject) > MAX_SUBJECT:
        yield Finding(
            rule="content.subject-length",
            level=Level.WARNING,
            message=f"the subject has {len(subject)} characters; phones show about {MAX_SUBJECT}",
            file=file,
        )
    if not any(isinstance(part, PictureRef) for part in build.html) and build.pictures:
        yield Finding(
            rule="pictures.unused", level=Level.WARNING, message="a picture is not shown", file=file
        )


def settings_findings(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the sender, as far as it can be seen from here."""
    file = "newsletter.toml"
    sender, base_url = settings.sender, settings.web.base_url
    if not sender.postal_address:
        yield Finding(
            rule="sender.postal-address",
            level=Level.WARNING,
            message="[sender] postal_address is empty; the law of many countries wants one in "
            "each issue",
            file=file,
        )
    is_real = not settings.transport.url.startswith("maildir:")
    if is_real and not base_url.startswith("https://"):
        yield Finding(
            rule="web.base-url",
            level=Level.WARNING,
            message=f"[web] base_url is {base_url}; one-click unsubscribe (RFC 8058) wants https",
            file=file,
        )
    if is_real and sender.address.domain in ("example.org", "example.com", "example.net"):
        yield Finding(
            rule="sender.from",
            level=Level.WARNING,
            message=f"[sender] from is {sender.from_}, which is an example",
            file=file,
        )


def merge_findings(unfillable: Unfillable, file: str) -> Iterator[Finding]:
    """Those whose message cannot be made."""
    for email, reason in unfillable.named:
        yield Finding(
            rule="merge.value-missing",
            level=Level.ERROR,
            message=f"for {email}: {reason}",
            file=file,
        )
    rest = unfillable.count - len(unfillable.named)
    if rest > 0:
        yield Finding(
            rule="merge.value-missing",
            level=Level.ERROR,
            message=f"and for {rest} more subscribers",
            file=file,
        )


def count_level(findings: Sequence[Finding], level: Level) -> int:
    """How many findings are of a level."""
    return sum(finding.level is level for finding in findings)


def as_document(slug: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """As ``check --format json`` prints it."""
    return {
        "issue": slug,
        "errors": count_level(findings, Level.ERROR),
        "warnings": count_level(findings, Level.WARNING),
        "findings": [asdict(finding) for finding in findings],
    }


def as_github(findings: Sequence[Finding]) -> Iterator[str]:
    """Workflow commands: GitHub shows each at its line of the pull request."""
    for finding in findings:
        # Percent, CR and LF end or split a workflow command, colon and comma its properties.
        message = finding.message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        file = finding.file.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
        place = f"file={file},line={finding.line or 1},title={finding.rule}"
        yield f"::{finding.level.value} {place}::{message}"


def as_sarif(findings: Sequence[Finding], *, version: str) -> str:
    """SARIF 2.1.0 (OASIS), which code hosts and editors read."""
    results = [
        {
            "ruleId": finding.rule,
            "level": finding.level.value,
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(finding.file or "newsletter.toml")},
                        "region": {"startLine": finding.line or 1},
                    }
                }
            ],
        }
        for finding in findings
    ]
    rules = [{"id": rule} for rule in sorted({finding.rule for finding in findings})]
    driver = {"name": "newsletter-mail", "version": version, "rules": rules}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)

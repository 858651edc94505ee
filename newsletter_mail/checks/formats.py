"""Findings as JSON, as GitHub's workflow commands and as SARIF. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from newsletter_mail.checks.catalogue import find_rule
from newsletter_mail.checks.findings import Finding, Level, count_level

_SETTINGS_FILE = "newsletter.toml"


def as_document(slug: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """As ``check --format json`` prints it."""
    return {
        "issue": slug,
        "errors": count_level(findings, Level.ERROR),
        "warnings": count_level(findings, Level.WARNING),
        "findings": [asdict(finding) for finding in findings],
    }


def as_text(slug: str, findings: Sequence[Finding]) -> Iterator[str]:
    """A line a finding, and the sum."""
    for finding in findings:
        place = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
        yield f"{place}: {finding.level}: {finding.message} [{finding.rule}]"
    errors, warnings = (count_level(findings, level) for level in (Level.ERROR, Level.WARNING))
    yield f"{slug}: {errors} errors, {warnings} warnings"


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
    rules = sorted({finding.rule for finding in findings})
    driver = {
        "name": "newsletter-mail",
        "version": version,
        "rules": [_sarif_rule(rule_id) for rule_id in rules],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "results": [_sarif_result(finding, rules) for finding in findings],
            }
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _sarif_rule(rule_id: str) -> dict[str, Any]:
    rule = find_rule(rule_id)
    advice = f"{rule.advice[:1].upper()}{rule.advice[1:]}." if rule.advice else rule.says
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.says},
        "help": {"text": advice},
        "defaultConfiguration": {"level": rule.level.value},
    }


def _sarif_result(finding: Finding, rules: Sequence[str]) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": finding.level.value,
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.file or _SETTINGS_FILE)},
                    "region": {"startLine": finding.line or 1},
                }
            }
        ],
    }

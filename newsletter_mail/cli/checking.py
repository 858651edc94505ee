"""``check``: the linter."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from newsletter_mail import __version__
from newsletter_mail.checks.catalogue import explain
from newsletter_mail.checks.compiling import error_findings
from newsletter_mail.checks.findings import Finding, Level, count_level
from newsletter_mail.checks.formats import as_document, as_github, as_sarif, as_text
from newsletter_mail.checks.running import check_builds, check_settings, check_translations
from newsletter_mail.cli.composing import compile_all, compose_settings
from newsletter_mail.cli.exits import Exit
from newsletter_mail.cli.finding import find_issue
from newsletter_mail.cli.mailer import looking_mailer_of
from newsletter_mail.cli.output import say, say_json, shown
from newsletter_mail.cli.session import Session, session_of
from newsletter_mail.compose.build import structure_findings
from newsletter_mail.errors import CompileError, InputError, IssueError


class CheckFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def check(
    context: typer.Context,
    issue: Annotated[
        str | None,
        typer.Argument(metavar="ISSUE", help="The issue: its slug or a path.", show_default=False),
    ] = None,
    check_format: Annotated[
        CheckFormat, typer.Option("--format", help="How the findings are written.")
    ] = CheckFormat.TEXT,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the servers that the issue links to.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="A warning counts as an error.")] = False,
    rule: Annotated[
        str | None,
        typer.Option("--explain", metavar="RULE", help="Say what a rule asks for, and no more."),
    ] = None,
) -> Exit:
    """Look for everything that would be wrong with the mails, for everybody on the list."""
    if rule is not None:
        say(explain(rule))
        return Exit.DONE
    if issue is None:
        raise InputError("say which issue: newsletter check ISSUE")
    session = session_of(context)
    folder = find_issue(session.workspace, issue)
    findings = _findings(session, folder, is_online=online)
    _say_findings(folder.name, findings, check_format)
    is_bad = count_level(findings, Level.ERROR) or (strict and findings)
    return Exit.LOOK if is_bad else Exit.DONE


def _findings(session: Session, folder: Path, *, is_online: bool) -> list[Finding]:
    found = check_settings(session.settings)
    try:
        builds = compile_all(session.settings, folder)
    except (IssueError, CompileError) as error:
        return error_findings(error) + found
    if len(builds) > 1:
        compose = compose_settings(session.settings)
        lacking = structure_findings(folder, workspace=session.workspace, settings=compose)
        found += check_translations(lacking, str(folder))
    mailer = looking_mailer_of(session)
    return found + check_builds(mailer, session.settings, folder, builds, is_online=is_online)


def _say_findings(slug: str, findings: list[Finding], check_format: CheckFormat) -> None:
    match check_format:
        case CheckFormat.JSON:
            say_json(as_document(slug, findings))
        case CheckFormat.SARIF:
            say(as_sarif(findings, version=__version__))
        case CheckFormat.GITHUB:
            for line in as_github(findings):
                say(line)
        case CheckFormat.TEXT:
            for line in as_text(slug, findings):
                say(shown(line))

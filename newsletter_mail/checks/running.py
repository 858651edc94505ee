"""Applies the rules: to the settings, to each language of an issue, to everybody on the list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from newsletter_mail.checks.case import NOBODY, SOMEBODY, Case
from newsletter_mail.checks.catalogue import find_rule, rules_for
from newsletter_mail.checks.findings import Finding, Level
from newsletter_mail.checks.merge import Complaint, People, Reading
from newsletter_mail.checks.online import ask_links
from newsletter_mail.checks.registry import Scope
from newsletter_mail.checks.source import SourceText
from newsletter_mail.compose.comparison import StructureFinding
from newsletter_mail.compose.contrast import low_contrasts
from newsletter_mail.compose.source import shown_path, translations
from newsletter_mail.compose.templates import Templates
from newsletter_mail.delivery.editions import FrozenIssue, load_issue
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.plan import Audience, recipients_of_plan
from newsletter_mail.delivery.preparation import find_lists, unfrozen_issue
from newsletter_mail.delivery.recipients import recipient_of
from newsletter_mail.errors import MessageError, SendRefused
from newsletter_mail.message.scope import merge_scope
from newsletter_mail.scaffold import MAIN_FILE
from newsletter_mail.settings import FILE_NAME, Settings
from newsletter_mail.store.engine import reading
from newsletter_mail.words import Build

_MAIN_LIST = "main"
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg")
#: So many errors are said when a send is refused.
_SAID = 20


def check_settings(settings: Settings) -> list[Finding]:
    """What is wrong with the sender, as far as it can be seen from here."""
    return list(_apply(Scope.SETTINGS, settings, FILE_NAME))


def check_builds(
    mailer: Mailer,
    settings: Settings,
    folder: Path,
    builds: Sequence[Build],
    *,
    lists: Sequence[str] = (_MAIN_LIST,),
    is_online: bool = False,
    is_fillable: bool = False,
) -> list[Finding]:
    """What is wrong with an issue, in every language and for everybody who would get it.

    Args:
        folder: of the issue; its files tell the lines.
        builds: its own language first.
        lists: slugs of those that it would go to.
        is_online: ask the servers that it links to.
        is_fillable: somebody else finds out whether everybody's message can be made.

    Raises:
        NotFound: there is no such list.
    """
    sources = {build.language: _source_of(folder, build, settings.workspace) for build in builds}
    issue = unfrozen_issue(builds, now=mailer.clock())
    people = look_at_people(mailer, issue, sources, lists, is_fillable=is_fillable)
    unused = _unused_pictures(folder, sources.values())
    cases = [
        Case(
            build=build,
            settings=settings,
            source=sources[build.language],
            links=mailer.links().links(NOBODY.public_id, build.slug),
            picture_url=mailer.links().picture_url,
            today=mailer.clock().date(),
            message=_message(mailer, issue, build),
            html_bytes=people.longest.get(build.language, 0),
            unused_pictures=() if position else unused,
            low_contrasts=low_contrasts(Templates(build.template, settings.workspace).theme()),
        )
        for position, build in enumerate(builds)
    ]
    found = [finding for case in cases for finding in check_case(case)]
    found += _apply(Scope.PEOPLE, people, sources[builds[0].language].file)
    if is_online:
        found += _apply(Scope.ONLINE, ask_links(cases), sources[builds[0].language].file)
    return found


def check_translations(found: Sequence[StructureFinding], file: str) -> list[Finding]:
    """What ``compose`` found to be missing in one language or another."""
    return list(_apply(Scope.TRANSLATIONS, found, file))


def check_case(case: Case) -> list[Finding]:
    """What is wrong with one language, in the order of its lines."""
    found = list(_apply(Scope.BUILD, case, case.source.file))
    return sorted(dict.fromkeys(found), key=lambda finding: finding.line or 0)


def look_at_people(
    mailer: Mailer,
    issue: FrozenIssue,
    sources: Mapping[str, SourceText],
    lists: Sequence[str],
    *,
    is_fillable: bool = False,
) -> People:
    """Fill in the message of everybody who would get the issue; changes nothing."""
    people = People()
    maker = mailer.maker(issue, is_signing=False)
    picture_bytes = len(mailer.links().picture_url("0" * 36))
    readings = {
        build.language: Reading(build, sources[build.language], picture_bytes=picture_bytes)
        for build in issue.builds.values()
    }
    links = mailer.links().links(NOBODY.public_id, issue.slug)
    with reading(mailer.engine) as connection:
        frozen = load_issue(connection, issue.slug)
        audience = Audience(
            list_ids=find_lists(connection, lists), issue_id=None if frozen is None else frozen.id
        )
        for row in recipients_of_plan(connection, audience, now=mailer.clock(), limit=None):
            recipient = recipient_of(row)
            build = issue.build_for(recipient.language)
            try:
                if not is_fillable:
                    maker.check(recipient, build, row["list_id"])
            except MessageError as error:
                people.unfillable.add(
                    Complaint(recipient.email, str(error), file=sources[build.language].file)
                )
                continue
            readings[build.language].read(recipient, merge_scope(build, recipient, links), people)
    return people


def check_before_send(
    mailer: Mailer,
    settings: Settings,
    folder: Path,
    builds: Sequence[Build],
    *,
    lists: Sequence[str] = (),
    ignored: Sequence[str] = (),
) -> None:
    """Refuse a first send of an issue that has errors; a later one sends what was checked then.

    Args:
        lists: slugs; none for ``main``.
        ignored: rules whose errors do not count.

    Raises:
        InputError: one of them is no rule.
        NotFound: there is no such list.
        SendRefused: there are errors.
    """
    passed_over = [find_rule(rule_id).id for rule_id in ignored]
    with reading(mailer.engine) as connection:
        is_frozen = load_issue(connection, builds[0].slug) is not None
    if is_frozen:
        return
    found = check_settings(settings) + check_builds(
        mailer, settings, folder, builds, lists=lists or (_MAIN_LIST,), is_fillable=True
    )
    refuse_on_errors(found, passed_over)


def refuse_on_errors(findings: Iterable[Finding], ignored: Sequence[str] = ()) -> None:
    """Refuse a send where a check found errors.

    Args:
        ignored: rules whose errors do not count.

    Raises:
        InputError: one of them is no rule.
        SendRefused: there are errors of other rules; one line each.
    """
    passed_over = {find_rule(rule_id).id for rule_id in ignored}
    errors = [
        finding
        for finding in findings
        if finding.level is Level.ERROR and finding.rule not in passed_over
    ]
    if not errors:
        return
    rules = " ".join(f"--ignore {rule_id}" for rule_id in sorted({one.rule for one in errors}))
    lines = [f"{_place(one)}: {one.message} [{one.rule}]" for one in errors[:_SAID]]
    if len(errors) > _SAID:
        lines.append(f"… and {len(errors) - _SAID} more")
    number = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    raise SendRefused(
        "\n".join(
            [
                f"the check found {number}:",
                *lines,
                f"Nothing was sent. To send all the same: {rules}",
            ]
        )
    )


def _place(finding: Finding) -> str:
    return finding.file if finding.line is None else f"{finding.file}:{finding.line}"


def _apply(scope: Scope, looked_at: object, file: str) -> Iterator[Finding]:
    for rule in rules_for(scope):
        yield from rule.findings(looked_at, file)


def _source_of(folder: Path, build: Build, workspace: Path) -> SourceText:
    file = translations(folder).get(build.language, folder / MAIN_FILE)
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        # It has just been compiled; whoever has taken it away gets findings without lines.
        text = ""
    return SourceText(shown_path(file, workspace), tuple(text.splitlines()))


def _unused_pictures(folder: Path, sources: Iterable[SourceText]) -> list[str]:
    said = unquote("\n".join("\n".join(source.lines) for source in sources))
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _PICTURES)
    names = [file.relative_to(folder).as_posix() for file in files]
    return [name for name in names if name not in said]


def _message(mailer: Mailer, issue: FrozenIssue, build: Build) -> bytes:
    """The message for a reader who is nobody; empty where somebody's values are needed for it."""
    maker = mailer.maker(issue, is_signing=False)
    list_id = min(maker.lists)
    ref = mailer.tokens.message_ref(issue.digest, NOBODY.public_id)
    for person in (NOBODY, SOMEBODY):
        with suppress(MessageError):
            made = maker.make(person, build, list_id, ref=ref, date=mailer.clock())
            return b"".join(made.content)
    return b""

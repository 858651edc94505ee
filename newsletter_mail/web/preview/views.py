"""An issue as its files are at this moment: what compiles, what does not, and where.

Nothing that an author can do to a file is an error here; it is a finding.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from newsletter_mail.checks.compiling import error_findings
from newsletter_mail.checks.findings import Finding, Level
from newsletter_mail.checks.running import check_builds, check_settings, check_translations
from newsletter_mail.compose.build import (
    ComposeSettings,
    compile_issue,
    issue_languages,
    structure_findings,
)
from newsletter_mail.compose.source import shown_path, translations
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.errors import (
    CompileError,
    ConfigError,
    IssueError,
    NewsletterError,
    StoreError,
)
from newsletter_mail.scaffold import MAIN_FILE
from newsletter_mail.settings import FILE_NAME
from newsletter_mail.web.preview.opening import (
    OpenWorkspace,
    PreviewSettings,
    settings_findings,
)
from newsletter_mail.web.preview.watching import Watch
from newsletter_mail.words import Build, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What can be shown of an issue.

    Attributes:
        digest: of the files that it was made from.
        exists: there is such an issue.
        languages: its own first, its translations after it.
        files: by language.
        builds: by language; of one that does not compile, the last that did.
        outdated: languages whose build is not of the files as they are.
        findings: errors first; those of the last check where this view was not checked yet.
        is_checked: False where everything compiles, and nobody has waited for the check.
        opened: None where the settings have never been read.
    """

    slug: str
    digest: str
    exists: bool = True
    languages: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    builds: Mapping[str, Build] = field(default_factory=dict)
    outdated: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    is_checked: bool = True
    opened: OpenWorkspace | None = None

    @property
    def mailer(self) -> Mailer | None:
        """To look at subscribers."""
        mailer = None if self.opened is None else self.opened.mailer
        return mailer if isinstance(mailer, Mailer) else None

    def language_for(self, asked: str, reader_language: str) -> str:
        """The language to show: the one asked for, or the one that the reader would get."""
        for tag in (asked, reader_language, reader_language.partition("-")[0]):
            if tag in self.languages:
                return tag
        return self.languages[0] if self.languages else ""


class Views:
    """Makes views, and keeps the last one of each issue."""

    def __init__(self, settings: PreviewSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._check_lock = threading.Lock()
        self._kept: dict[str, View] = {}
        self._opened: OpenWorkspace | None = None

    def watch(self, slug: str) -> Watch:
        """The files that an issue is made of."""
        workspace = self._settings.workspace
        kept = self._kept.get(slug)
        known = [file.parent for file in kept.files.values()] if kept else []
        folder = self._folder(slug) or (known[0] if known else workspace / "issues" / slug)
        return Watch((folder, workspace / "templates", workspace / FILE_NAME, workspace / ".env"))

    def view(self, slug: str) -> View:
        """The issue as it is now."""
        # Taken before the files are read: what is saved in between makes another one.
        digest = self.watch(slug).digest()
        with self._lock:
            kept = self._kept.get(slug)
            if kept is None or kept.digest != digest:
                kept = self._kept[slug] = self._read(slug, digest, kept)
            return kept

    def checked_view(self, slug: str) -> View:
        """The same, checked: this takes its time where a list is long."""
        with self._check_lock:
            view = self.view(slug)
            folder = self._folder(slug)
            if view.is_checked or view.opened is None or folder is None:
                return view
            builds = [view.builds[language] for language in view.languages]
            found = self._check(view.opened, folder, builds)
            checked = replace(view, findings=_in_order(found), is_checked=True)
            with self._lock:
                if self._kept[slug] is view:
                    self._kept[slug] = checked
            return checked

    def picture(self, name: str) -> Picture | None:
        """A picture of an issue that was shown."""
        for view in list(self._kept.values()):
            for build in view.builds.values():
                for picture in build.pictures:
                    if picture.name == name:
                        return picture
        return None

    def source_file(self, view: View, language: str, named: str) -> tuple[str, Path] | None:
        """A file whose text may be shown: of the issue, or one that a finding is about.

        Args:
            named: as a finding names it; "" for that of the language.
        """
        if not named:
            file = view.files.get(language)
            return None if file is None else (self.path_to_show(file), file)
        if named not in {finding.file for finding in view.findings}:
            known = {self.path_to_show(file): file for file in view.files.values()}
            return (named, known[named]) if named in known else None
        root = self._settings.workspace.resolve()
        file = (root / named).resolve()
        is_ours = file.is_relative_to(root) and not file.name.startswith(".")
        return (named, file) if is_ours and file.is_file() else None

    def path_to_show(self, file: Path) -> str:
        """A file as the author would type it."""
        return shown_path(file, self._settings.workspace)

    def _folder(self, slug: str) -> Path | None:
        with suppress(OSError):
            return self._settings.folders().get(slug)
        return None

    def _read(self, slug: str, digest: str, before: View | None) -> View:
        found: list[Finding] = []
        try:
            self._opened = self._settings.open_workspace()
        except ConfigError as error:
            found += settings_findings(error, self._settings.workspace)
        opened = self._opened
        folder = self._folder(slug)
        if folder is None or opened is None:
            if folder is None:
                found.append(self._no_issue(slug))
            return View(
                slug=slug,
                digest=digest,
                exists=folder is not None,
                languages=before.languages if before else (),
                files=before.files if before else {},
                builds=before.builds if before else {},
                outdated=frozenset(before.languages if before else ()),
                findings=tuple(found),
                opened=opened,
            )
        files = self._files(folder, opened.compose, before)
        builds, errors = self._compile(folder, opened.compose, tuple(files))
        needs_check = not errors and not found
        if needs_check and before and before.is_checked and not before.outdated:
            found += before.findings
        kept = before.builds if before else {}
        return View(
            slug=slug,
            digest=digest,
            languages=tuple(files),
            files=files,
            builds={tag: kept[tag] for tag in files if tag in kept} | builds,
            outdated=frozenset(files) - frozenset(builds),
            findings=_in_order(errors + found),
            is_checked=not needs_check,
            opened=opened,
        )

    def _files(
        self, folder: Path, compose: ComposeSettings, before: View | None
    ) -> dict[str, Path]:
        """The files by language, also of an issue that cannot be read."""
        translated = translations(folder)
        try:
            languages = issue_languages(
                folder, workspace=self._settings.workspace, settings=compose
            )
        except IssueError:
            own = before.languages[0] if before and before.languages else compose.default_language
            languages = [own, *(tag for tag in translated if tag != own)]
        return {tag: translated.get(tag, folder / MAIN_FILE) for tag in languages}

    def _compile(
        self, folder: Path, compose: ComposeSettings, languages: tuple[str, ...]
    ) -> tuple[dict[str, Build], list[Finding]]:
        builds: dict[str, Build] = {}
        errors: list[Finding] = []
        for language in languages:
            try:
                builds[language] = compile_issue(
                    folder,
                    workspace=self._settings.workspace,
                    settings=compose,
                    language=language,
                )
            except (IssueError, CompileError) as error:
                errors += error_findings(error)
        return builds, list(dict.fromkeys(errors))

    def _check(self, opened: OpenWorkspace, folder: Path, builds: list[Build]) -> list[Finding]:
        workspace = self._settings.workspace
        found = check_settings(opened.settings)
        try:
            if len(builds) > 1:
                lacking = structure_findings(folder, workspace=workspace, settings=opened.compose)
                found += check_translations(lacking, self.path_to_show(folder / MAIN_FILE))
            if isinstance(opened.mailer, NewsletterError):
                raise opened.mailer
            return found + check_builds(opened.mailer, opened.settings, folder, builds)
        except (IssueError, CompileError) as error:
            return found + error_findings(error)
        except (ConfigError, StoreError) as error:
            return found + list(settings_findings(error, self._settings.workspace))

    def _no_issue(self, slug: str) -> Finding:
        file = self._settings.workspace / "issues" / slug / MAIN_FILE
        return Finding(
            rule="compile",
            level=Level.ERROR,
            message="there is no such file; the preview comes back with it",
            file=self.path_to_show(file),
        )


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.level is not Level.ERROR))

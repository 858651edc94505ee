"""From the folder of an issue to a build: the steps in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from newsletter_mail.compose.blocks import Block, plain
from newsletter_mail.compose.calendar_files import CalendarWriter
from newsletter_mail.compose.comparison import StructureFinding, compare_outlines
from newsletter_mail.compose.dates import DateWriter
from newsletter_mail.compose.document import Document, arrange
from newsletter_mail.compose.findings import Findings
from newsletter_mail.compose.inlines import InlineReader
from newsletter_mail.compose.markdown import read_markdown
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.merging import Merger
from newsletter_mail.compose.outline import Outline, outline_of
from newsletter_mail.compose.page import Page, RenderedPage
from newsletter_mail.compose.patterns import header_pattern, html_pattern, text_pattern
from newsletter_mail.compose.phrases import phrases_for
from newsletter_mail.compose.pictures import (
    LoadedPicture,
    PictureCache,
    PictureLoader,
    ShownPictures,
    show_pictures,
)
from newsletter_mail.compose.sealing import sealed
from newsletter_mail.compose.source import Source, read_source, shown_path, translations
from newsletter_mail.compose.templates import Templates
from newsletter_mail.compose.text import Frame, make_text
from newsletter_mail.compose.to_html import make_html
from newsletter_mail.errors import CompileError, IssueError, TemplateError
from newsletter_mail.words import Build, Picture

_MAIN_FILE = "issue.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeSettings:
    """What a compilation takes from the workspace's settings.

    Attributes:
        newsletter_name: stands in the masthead and in the footer.
        default_language: of an issue that names none.
        default_template: of an issue that names none.
        postal_address: of the sender; CAN-SPAM and CASL want it in every mail.
        sender_name: before the postal address, where it is not the newsletter's.
        pictures: of an issue that does not say: fetched from the sender's host, or in the message.
    """

    newsletter_name: str
    default_language: str
    default_template: str
    postal_address: str
    sender_name: str = ""
    pictures: Literal["host", "embed"] = "host"


def issue_languages(folder: Path, *, workspace: Path, settings: ComposeSettings) -> list[str]:
    """The languages of an issue: that of ``issue.md`` first, then its translations.

    Raises:
        IssueError: ``issue.md`` cannot be read.
    """
    main = _main_language(folder, workspace, settings)
    return [main, *(language for language in translations(folder) if language != main)]


def compile_issue(
    folder: Path, *, workspace: Path, settings: ComposeSettings, language: str | None = None
) -> Build:
    """Compile one issue in one language.

    Args:
        folder: of the issue; pictures are taken from nowhere else.
        workspace: templates are looked for in its ``templates/``, paths are shown relative to it.
        settings: of the workspace.
        language: None for ``issue.md``, else that or ``issue.<language>.md``.

    Raises:
        IssueErrors: everything that is wrong with the file, each with its line.
        IssueError: the file cannot be read at all.
        CompileError: a file of the template is broken.
    """
    compilation, tag = _begin(folder, workspace, settings, language)
    return compilation.run(tag)


def structure_findings(
    folder: Path, *, workspace: Path, settings: ComposeSettings
) -> list[StructureFinding]:
    """What the languages of an issue lack of one another: a section, a link, a picture.

    Args:
        folder: of the issue.
        workspace: paths are shown relative to it.
        settings: of the workspace.

    Raises:
        IssueErrors: something else is wrong with one of the files.
        IssueError: one of them cannot be read at all.
    """
    outlines: list[Outline] = []
    for language in issue_languages(folder, workspace=workspace, settings=settings):
        compilation, tag = _begin(folder, workspace, settings, language)
        outlines.append(compilation.outline(tag))
    return compare_outlines(outlines)


def _begin(
    folder: Path, workspace: Path, settings: ComposeSettings, language: str | None
) -> tuple["_Compilation", str]:
    file = _file_of(folder, workspace, settings, language)
    findings = Findings(shown_path(file, workspace))
    source = read_source(file, findings)
    compilation = _Compilation(folder, workspace, settings, source, findings)
    return compilation, _language_of(file, source, settings, findings)


def _file_of(
    folder: Path, workspace: Path, settings: ComposeSettings, language: str | None
) -> Path:
    translated = translations(folder).get(language) if language is not None else None
    if translated is not None:
        return translated
    if language is not None and language != _main_language(folder, workspace, settings):
        raise IssueError(f"there is no issue.{language}.md", path=shown_path(folder, workspace))
    return folder / _MAIN_FILE


def _main_language(folder: Path, workspace: Path, settings: ComposeSettings) -> str:
    file = folder / _MAIN_FILE
    findings = Findings(shown_path(file, workspace))
    source = read_source(file, findings)
    findings.raise_if_any()
    return source.entry("language") or settings.default_language


def _language_of(file: Path, source: Source, settings: ComposeSettings, findings: Findings) -> str:
    said = source.entry("language")
    if file.name == _MAIN_FILE:
        return said or settings.default_language
    named = file.name.split(".")[1]
    if said and said != named:
        findings.add(f"the file is named for {named}, and says {said}", source.line_of("language"))
    return named


class _Compilation:
    """One issue on its way; everything that is wrong is noted before anything is raised."""

    def __init__(
        self,
        folder: Path,
        workspace: Path,
        settings: ComposeSettings,
        source: Source,
        findings: Findings,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._source = source
        self._findings = findings
        texts = [source.body, *(entry.text for entry in source.front_matter.values())]
        texts += [settings.newsletter_name, settings.postal_address, settings.sender_name]
        self._marks = Marks("\n".join(texts))
        findings.reword = self._marks.readable
        self._merger = Merger(marks=self._marks, findings=findings)
        self._templates = self._find_templates(workspace)
        self._loader = PictureLoader(folder)
        self._cache = PictureCache(workspace)
        self._calendars: list[Picture] = []

    def run(self, language: str) -> Build:
        subject = self._front_text("subject")
        preheader = self._front_text("preheader")
        inlines = InlineReader(marks=self._marks, findings=self._findings, load=self._loader.load)
        document = self._document(inlines, language)
        title = self._title(document)
        if not document.blocks and self._findings.is_empty:
            self._findings.add("the issue is empty", self._source.first_line)
        try:
            page = self._render(document, inlines, language, title, preheader)
        except CompileError:
            self._findings.raise_if_any()
            raise
        self._findings.raise_if_any()
        shown = self._show_pictures(page)
        self._findings.raise_if_any()
        text = make_text(document, self._frame(title), phrases_for(language))
        build = Build(
            slug=self._folder.resolve().name,
            language=language,
            title=title,
            subject=header_pattern(subject, self._marks),
            html=shown.named(html_pattern(shown.html, self._marks)),
            text=shown.named(text_pattern(text, self._marks)),
            pictures=shown.pictures,
            digest="",
            embeds_pictures=self._embeds_pictures,
            template=self._templates.name,
        )
        return sealed(build, shown.identities)

    def outline(self, language: str) -> Outline:
        inlines = InlineReader(marks=self._marks, findings=self._findings, load=self._loader.load)
        document = self._document(inlines, language)
        self._findings.raise_if_any()
        return outline_of(
            document, self._marks, file=self._findings.path, first_line=self._source.first_line
        )

    def _document(self, inlines: InlineReader, language: str) -> Document:
        body = self._merger.body(self._source.body, self._source.first_line)
        dates = DateWriter(language=language, findings=self._findings)
        blocks = dates.blocks(read_markdown(body, self._source.first_line, inlines))
        if not self._embeds_pictures:
            blocks = self._with_calendars(blocks, language)
        return arrange(blocks, self._findings)

    @property
    def _embeds_pictures(self) -> bool:
        return (self._source.entry("pictures") or self._settings.pictures) == "embed"

    def _with_calendars(self, blocks: Sequence[Block], language: str) -> list[Block]:
        """The blocks with a link to a calendar file in each event; it is fetched from our host."""
        writer = CalendarWriter(
            marks=self._marks,
            newsletter_name=self._settings.newsletter_name,
            language=language,
            source=self._folder.resolve().name,
        )
        found = writer.blocks(blocks)
        self._calendars = writer.made
        return found

    def _show_pictures(self, page: RenderedPage) -> ShownPictures:
        loaded = self._loader.loaded
        if page.logo is not None:
            loaded = (*loaded, LoadedPicture(source=page.logo, line=None))
        shown = show_pictures(
            make_html(page.mjml, page.css, self._marks),
            self._marks,
            loaded,
            page_width=page.width,
            cache=self._cache,
            findings=self._findings,
        )
        return shown.with_files(self._calendars)

    def _find_templates(self, workspace: Path) -> Templates:
        name = self._source.entry("template")
        if name:
            try:
                return Templates(name, workspace)
            except TemplateError as error:
                self._findings.add(error.message, self._source.line_of("template"))
        return Templates(self._settings.default_template, workspace)

    def _front_text(self, key: str) -> str:
        return self._merger.line(self._source.entry(key), self._source.line_of(key))

    def _title(self, document: Document) -> str:
        """Of the masthead: the ``#`` of the text, or the front matter's, or the subject."""
        text, line = self._front_text("title"), self._source.line_of("title")
        if document.masthead is not None:
            text, line = plain(document.masthead.children), document.masthead.line
        if self._marks.merge_pattern.search(text):
            self._findings.add("the title is the same for all; it cannot have a merge tag", line)
        if text:
            return text
        subject = self._front_text("subject")
        is_same_for_all = not self._marks.merge_pattern.search(subject)
        return subject if is_same_for_all else self._settings.newsletter_name

    def _render(
        self,
        document: Document,
        inlines: InlineReader,
        language: str,
        title: str,
        preheader: str,
    ) -> RenderedPage:
        page = Page(
            templates=self._templates,
            marks=self._marks,
            inlines=inlines,
            language=language,
            newsletter_name=self._settings.newsletter_name,
            sender=self._sender(),
        )
        page_title = self._front_text("title") or title
        return page.render(document, title=title, page_title=page_title, preheader=preheader)

    def _sender(self) -> str:
        name = self._settings.sender_name or self._settings.newsletter_name
        return f"{name}\n{self._settings.postal_address}".strip()

    def _frame(self, title: str) -> Frame:
        return Frame(
            newsletter_name=self._settings.newsletter_name,
            title=title,
            sender=self._sender(),
            unsubscribe_url=self._marks.merge("unsubscribe_url"),
            preferences_url=self._marks.merge("preferences_url"),
            web_url=self._marks.merge("web_url"),
        )

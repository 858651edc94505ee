"""One issue as MJML: the layout, and what stands around the blocks."""

from dataclasses import asdict, dataclass
from html import escape

from newsletter_mail.compose.blocks import Paragraph, plain
from newsletter_mail.compose.document import Document
from newsletter_mail.compose.inlines import InlineReader
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.phrases import phrases_for
from newsletter_mail.compose.pictures import PictureLoader, PictureRefused, SourcePicture
from newsletter_mail.compose.prose import inline_html
from newsletter_mail.compose.render import Renderer
from newsletter_mail.compose.templates import Templates
from newsletter_mail.errors import TemplateError
from newsletter_mail.phrases import direction_of

# What a mail program shows beside the subject, and no more.
_PREHEADER_LENGTH = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPage:
    """A page on its way to HTML.

    Attributes:
        css: rules to be written into the elements.
        logo: of the template, or None.
        width: of the mail, CSS pixels.
    """

    mjml: str
    css: str
    logo: SourcePicture | None
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Renders the page of one issue.

    Attributes:
        sender: name and postal address, in lines.
    """

    templates: Templates
    marks: Marks
    inlines: InlineReader
    language: str
    newsletter_name: str
    sender: str

    def render(
        self, document: Document, *, title: str, page_title: str, preheader: str
    ) -> RenderedPage:
        """The page; what is wrong in the issue is noted.

        Raises:
            TemplateError: a file of the template or the theme is broken.
            MjmlError: a file of the template makes MJML that would be broken in silence.
        """
        shared = self._shared()
        renderer = Renderer(
            templates=self.templates,
            marks=self.marks,
            inlines=self.inlines,
            findings=self.inlines.findings,
            shared=shared,
        )
        theme = self.templates.theme()
        logo = self._logo(str(theme["logo"]["file"]))
        masthead, html = document.masthead, self.marks.content
        mjml = renderer.layout(
            document,
            {
                "page_title": html(escape(page_title)),
                "title": html(inline_html(masthead.children) if masthead else escape(title)),
                "newsletter_name": self._name_above(title),
                "preheader": html(_preheader_html(preheader or self._first_words(document))),
                "logo": self.marks.picture(logo.key) if logo else "",
                "logo_width": _logo_width(logo),
                "sender": html(_lines_html(self.sender)),
                "phone_css": html(self._styles("phone", shared)),
                "dark_css": html(self._styles("dark", shared)),
                **{
                    name: self.marks.merge(name)
                    for name in ("unsubscribe_url", "preferences_url", "web_url")
                },
            },
        )
        return RenderedPage(
            mjml=mjml,
            css=self._styles("inline", shared),
            logo=logo,
            width=int(theme["layout"]["width"]),
        )

    def _shared(self) -> dict[str, object]:
        """What every file of the template may use."""
        direction = direction_of(self.language)
        phrases = asdict(phrases_for(self.language))
        phrases["why"] = phrases["why"].format(name=self.newsletter_name)
        return {
            "theme": self.templates.theme(),
            "phrase": {name: self.marks.content(escape(text)) for name, text in phrases.items()},
            "language": self.language,
            "direction": direction,
            "start": "right" if direction == "rtl" else "left",
            "end": "left" if direction == "rtl" else "right",
        }

    def _first_words(self, document: Document) -> str:
        """What stands beside the subject where the author says nothing: the first real words."""
        paragraphs = (plain(b.children) for b in document.blocks if isinstance(b, Paragraph))
        same_for_all = (text for text in paragraphs if not self.marks.found_in(text))
        shown = ""
        for word in next(same_for_all, "").split(" "):
            if len(shown) + len(word) > _PREHEADER_LENGTH:
                return f"{shown} …"
            shown = f"{shown} {word}".strip()
        return shown

    def _styles(self, name: str, shared: dict[str, object]) -> str:
        return str(self.templates.render(f"styles/{name}.css.j2", shared))

    def _name_above(self, title: str) -> str:
        """The newsletter's name, where the title does not say it already."""
        is_said = self.newsletter_name.casefold() in title.casefold()
        return "" if is_said else self.marks.content(escape(self.newsletter_name))

    def _logo(self, file: str) -> SourcePicture | None:
        if not file:
            return None
        origin = self.templates.origin("theme.toml")
        folder = next((f for f in self.templates.folders if (f / file).is_file()), None)
        if folder is None:
            raise TemplateError(f"there is no logo {file}", origin=origin)
        try:
            return PictureLoader(folder).load(file)
        except PictureRefused as refused:
            raise TemplateError(f"the logo {refused}", origin=origin) from refused


def _logo_width(logo: SourcePicture | None) -> int:
    """Pixels of the file, twice as many as are shown; a drawing has no pixels yet."""
    if logo is None:
        return 0
    return 2 * logo.width if logo.kind == "SVG" else logo.width


def _lines_html(text: str) -> str:
    """Lines, each in the direction of its own letters: an address stays in its order."""
    return "<br>".join(f'<span dir="auto">{escape(line)}</span>' for line in text.split("\n"))


def _preheader_html(preheader: str) -> str:
    """The preheader, and letters without width that keep the mail's text from following it."""
    filler = "&#847;&#8203;&#160;" * max(20, _PREHEADER_LENGTH - len(preheader))
    return f"{escape(preheader)}{filler}"

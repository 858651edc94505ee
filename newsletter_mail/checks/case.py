"""One language of an issue under check: the build, filled in for a reader, with its source."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from lxml.html import HtmlElement

from newsletter_mail.checks.css import Stylesheet, parse_stylesheet
from newsletter_mail.checks.html import elements, own_text, parse_html
from newsletter_mail.checks.source import SourceText
from newsletter_mail.compose.contrast import LowContrast
from newsletter_mail.errors import MessageError
from newsletter_mail.message.patterns import fill_hole, picture_attribute
from newsletter_mail.message.scope import Links, merge_scope
from newsletter_mail.settings import Settings
from newsletter_mail.words import Build, Hole, Pattern, Recipient

#: For whom a build is filled in: every merge tag shows its default.
NOBODY = Recipient(public_id="reader", email="reader@example.org")
#: Where a tag has no default.
SOMEBODY = replace(NOBODY, name="Alex Reader", first_name="Alex", last_name="Reader")
#: Where not even this person has a value.
_VALUE = "something"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a rule looks at.

    Attributes:
        links: of the reader for whom the build is filled in.
        picture_url: makes the address of a picture from its name.
        today: dates before it are past.
        message: the bytes that the reader would get; empty where they cannot be made.
        html_bytes: of the longest HTML that anybody gets.
        unused_pictures: files in the folder of the issue that no language shows.
        low_contrasts: colours of the theme that not everybody can read on one another.
    """

    build: Build
    settings: Settings
    source: SourceText
    links: Links
    picture_url: Callable[[str], str]
    today: date
    message: bytes = b""
    html_bytes: int = 0
    unused_pictures: Sequence[str] = ()
    low_contrasts: Sequence[LowContrast] = ()

    @cached_property
    def html(self) -> str:
        """The HTML part."""
        return self._filled(self.build.html)

    @cached_property
    def text(self) -> str:
        """The plain-text part."""
        return self._filled(self.build.text)

    @cached_property
    def subject(self) -> str:
        """The subject."""
        return self._filled(self.build.subject)

    @cached_property
    def tree(self) -> HtmlElement:
        """The HTML part, read."""
        return parse_html(self.html)

    @property
    def body(self) -> HtmlElement:
        """The ``<body>``."""
        found = self.tree.find("body")
        return self.tree if found is None else found

    @cached_property
    def stylesheets(self) -> tuple[Stylesheet, ...]:
        """What stands in ``<style>``, each with the medium that its element names."""
        return tuple(
            parse_stylesheet(style.text or "")
            for style in elements(self.tree, "style")
            if not style.get("media")
        )

    @cached_property
    def pictures(self) -> tuple[HtmlElement, ...]:
        """Every ``<img>``."""
        return tuple(elements(self.tree, "img"))

    @property
    def own_links(self) -> frozenset[str]:
        """The addresses that the program itself puts in: to leave, to change, to read."""
        return frozenset(self.links[:3])

    def author_links(self) -> Iterator[tuple[str, HtmlElement]]:
        """Each link with its address, but the program's own."""
        for link in elements(self.tree, "a"):
            href = (link.get("href") or "").strip()
            if href and href not in self.own_links:
                yield href, link

    def line_of_link(self, href: str) -> int | None:
        """Where a link stands in the source, as far as it can be found again."""
        return self.source.line_with(href) or self.source.line_with(href.replace("&amp;", "&"))

    def line_of_text(self, element: HtmlElement) -> int | None:
        """Where the text of an element stands in the source."""
        first = (element.text or "").strip()
        return self.source.line_with(own_text(element)[:40]) or self.source.line_with(first[:40])

    def line_of_picture(self, picture: HtmlElement) -> int | None:
        """Where a picture stands in the source."""
        alt = picture.get("alt") or ""
        return self.source.line_with(f"![{alt}") if alt else None

    def _filled(self, pattern: Pattern) -> str:
        parts: list[str] = []
        for part in pattern:
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, Hole):
                parts.append(self._value(part))
            else:
                parts.append(picture_attribute(part, self.picture_url))
        return "".join(parts)

    def _value(self, hole: Hole) -> str:
        for person in (NOBODY, SOMEBODY):
            try:
                return fill_hole(hole, merge_scope(self.build, person, self.links))
            except MessageError:
                continue
        return _VALUE

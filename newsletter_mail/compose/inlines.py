"""The inline half of Markdown: emphasis, links, pictures. Notes what a mail cannot have."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from markdown_it.tree import SyntaxTreeNode

from newsletter_mail.compose.blocks import (
    Code,
    Image,
    Inline,
    LineBreak,
    Link,
    Styled,
    Text,
    plain,
    squeeze,
)
from newsletter_mail.compose.findings import Findings, did_you_mean
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.pictures import PictureRefused, SourcePicture

_SCHEMES = ("https", "http", "mailto", "tel")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LINK_CLASSES = ("button", "secondary")
_IMAGE_CLASSES = ("decoration",)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
# Entities such as &#13; bring in what would break a line of plain text or an attribute.
_BREAKS = re.compile("[\t\n\r\f\v\x85\u2028\u2029]+")


@dataclass(slots=True, kw_only=True)
class InlineReader:
    """Makes our records of markdown-it's inline tree.

    Attributes:
        load: gives the picture at a path that stands on a line, or raises ``PictureRefused``.
    """

    marks: Marks
    findings: Findings
    load: Callable[[str, int], SourcePicture]
    _line: int = field(default=0, init=False)
    #: Names of the HTML tags that were refused in the text at hand.
    _refused_tags: set[str] = field(default_factory=set, init=False)

    def read(self, node: SyntaxTreeNode, line: int) -> tuple[Inline, ...]:
        """The children of an inline node that begins on a line of the file."""
        self._line = line
        self._refused_tags.clear()
        return self._read_all(node.children)

    def refuse_html(self, content: str, line: int) -> None:
        """Note raw HTML; a comment alone is for the author's eyes, and stays out of the mail."""
        content = content.strip()
        if content.startswith("<!--") and content.find("-->") == len(content) - 3:
            return
        shown = content.split("\n")[0][:40]
        self.findings.add(
            f"raw HTML is not put into a mail: {shown}; write it in Markdown, or as MJML in "
            "::: html",
            line,
        )

    def address(self, href: str, line: int) -> str:
        """Check the address of a link and give it back; what is wrong is noted."""
        problem = self._problem_with(href)
        if problem:
            self.findings.add(problem, line)
        return href

    def _problem_with(self, href: str) -> str:  # noqa: PLR0911  one for each kind
        if self.marks.merge_pattern.fullmatch(href):
            return ""
        shown = self.marks.readable(href)[:80]
        scheme = _SCHEME.match(href)
        if not href:
            return "this link has no address"
        if scheme is None:
            if href.startswith("#"):
                return f"{shown} leads to a place in the mail; mail programs do not go there"
            return f"{shown} is not a whole address; write https://… or mailto:…"
        if scheme[1].lower() not in _SCHEMES:
            return f"a link cannot have the scheme {scheme[1]}:; use https:, mailto: or tel:"
        if scheme[1].lower() not in ("http", "https"):
            return "" if href[scheme.end() :].strip("/ ") else f"{shown} is not a whole address"
        try:
            host = urlsplit(href).hostname
        except ValueError:
            host = None
        is_whole = host and href[scheme.end() :].startswith("//") and " " not in href
        return "" if is_whole else f"{shown} is no address"

    def _read_all(self, nodes: Sequence[SyntaxTreeNode]) -> tuple[Inline, ...]:
        found: list[Inline] = []
        for node in nodes:
            child = self._read_one(node)
            match child, found[-1:]:
                case Text(text=text), [Text(text=before)]:
                    found[-1] = Text(before + text)
                case None, _:
                    pass
                case _:
                    found.append(child)
        return tuple(found)

    def _read_one(self, node: SyntaxTreeNode) -> Inline | None:  # noqa: PLR0911  one for each kind
        match node.type:
            case "text" | "text_special":
                return Text(_BREAKS.sub(" ", node.content)) if node.content else None
            case "softbreak":
                self._line += 1
                # mjml-python drops white space that begins with a line end.
                return Text(" ")
            case "hardbreak":
                self._line += 1
                return LineBreak()
            case "code_inline":
                return Code(_BREAKS.sub(" ", node.content))
            case "em" | "strong":
                children = self._read_all(node.children)
                return Styled("em" if node.type == "em" else "strong", children)
            case "link":
                return self._link(node)
            case "image":
                return self._image(node)
            case "html_inline":
                self._refuse_tag(node.content)
                return None
        raise AssertionError(node.type)

    def _refuse_tag(self, content: str) -> None:
        """Note a tag in running text, and of a pair the opening one only."""
        tag = _TAG.match(content)
        if tag is not None and tag[1] and tag[2].lower() in self._refused_tags:
            return
        if tag is not None:
            self._refused_tags.add(tag[2].lower())
        self.refuse_html(content, self._line)

    def _link(self, node: SyntaxTreeNode) -> Inline:
        href = self.address(str(node.attrs.get("href", "")), self._line)
        line = self._line
        children = self._read_all(node.children)
        classes = self._classes(node, "a link", _LINK_CLASSES, line)
        if "secondary" in classes and "button" not in classes:
            self.findings.add("secondary is for buttons: {.button .secondary}", line)
        # Of a picture that cannot be loaded its own finding is said.
        has_picture = any(child.type == "image" for child in node.walk())
        if not plain(children) and not has_picture:
            self.findings.add("this link has no text to click on", line)
        return Link(href=href, children=children, classes=classes)

    def _image(self, node: SyntaxTreeNode) -> Inline | None:
        classes = self._classes(node, "a picture", _IMAGE_CLASSES, self._line)
        alt = plain(tuple(self._alt(node.children)))
        reference = str(node.attrs.get("src", ""))
        if not alt and "decoration" not in classes:
            self.findings.add(
                f"the picture {reference} does not say what it shows: ![what it shows]"
                f"({reference}); mark mere decoration as ![]({reference}){{.decoration}}",
                self._line,
            )
        if self.marks.found_in(reference):
            self.findings.add("the path of a picture cannot have a merge tag", self._line)
            return None
        try:
            source = self.load(reference, self._line)
        except PictureRefused as refused:
            self.findings.add(str(refused), self._line)
            return None
        return Image(
            address=self.marks.picture(source.key),
            alt="" if "decoration" in classes else alt,
            caption=squeeze(str(node.attrs.get("title", ""))),
            width=source.width,
            height=source.height,
        )

    def _alt(self, nodes: Sequence[SyntaxTreeNode]) -> list[Inline]:
        """The words in a picture's brackets: no links are made and no pictures loaded of them."""
        parts: list[Inline] = []
        for node in nodes:
            if node.children:
                parts.extend(self._alt(node.children))
            elif node.type in ("text", "text_special", "code_inline"):
                parts.append(Text(_BREAKS.sub(" ", node.content)))
            else:
                parts.append(Text(" "))
        return parts

    def _classes(
        self, node: SyntaxTreeNode, what: str, known: Sequence[str], line: int
    ) -> frozenset[str]:
        classes = frozenset(str(node.attrs.get("class", "")).split())
        for name in sorted(classes.difference(known)):
            self.findings.add(f"{what} has no class {name}; {did_you_mean(name, known)}", line)
        for name in sorted(node.meta.get("insecure_attrs", {})):
            self.findings.add(f"{what} cannot have {name}=…; it has classes: {{.{known[0]}}}", line)
        return classes.intersection(known)

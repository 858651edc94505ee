"""The HTML of a mail as a tree, and what can be asked of it. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lxml.etree import ParserError
from lxml.html import HtmlElement, document_fromstring

from newsletter_mail.checks.css import declarations_of

_WHITE_SPACE = re.compile(r"\s+")
_ZERO_WIDTH = re.compile("[\u00ad\u034f\u200b-\u200f\u2060\ufeff\u00a0]")
_SILENT = frozenset({"head", "style", "script", "title", "template"})


class Style(NamedTuple):
    """The declarations of a ``style`` attribute."""

    values: Mapping[str, str]

    @property
    def is_hidden(self) -> bool:
        """Nobody sees the element."""
        values = self.values
        return (
            values.get("display") == "none"
            or values.get("visibility") == "hidden"
            or values.get("mso-hide") == "all"
            or (values.get("max-height") in {"0", "0px"} and values.get("overflow") == "hidden")
        )


def parse_html(html: str) -> HtmlElement:
    """The document as a tree; of nothing, an empty one."""
    try:
        return document_fromstring(html)
    except (ParserError, ValueError):
        return document_fromstring("<html><body></body></html>")


def elements(root: HtmlElement, *tags: str) -> Iterator[HtmlElement]:
    """The elements below and with ``root`` in the order of the document; comments are none."""
    for element in root.iter(*tags):
        if isinstance(element.tag, str):
            yield element


def style_of(element: HtmlElement) -> Style:
    """The declarations of the element's own ``style``; of a property twice, the last."""
    text = element.get("style")
    return Style({name: value for name, value, _ in declarations_of(text)} if text else {})


def is_hidden(element: HtmlElement) -> bool:
    """Neither the element nor what is in it is seen."""
    if element.tag in _SILENT or element.get("hidden") is not None:
        return True
    return style_of(element).is_hidden


def is_seen(element: HtmlElement) -> bool:
    """Neither the element nor one around it is hidden."""
    return not any(is_hidden(one) for one in (element, *element.iterancestors()))


def words(element: HtmlElement) -> str:
    """What a screen reader would read of an element: its text, with the alt of its pictures."""
    return squeezed("".join(_words(element)))


def squeezed(text: str) -> str:
    """On one line, without letters that have no width."""
    return _WHITE_SPACE.sub(" ", _ZERO_WIDTH.sub(" ", text)).strip()


def _words(element: HtmlElement) -> Iterator[str]:
    if not isinstance(element.tag, str):
        return
    if is_hidden(element):
        return
    if element.tag == "img":
        yield element.get("alt") or ""
    elif element.tag == "br":
        yield " "
    yield element.text or ""
    for child in element:
        yield from _words(child)
        yield child.tail or ""


def own_text(element: HtmlElement) -> str:
    """The text that stands directly in an element."""
    return squeezed(" ".join([element.text or "", *(child.tail or "" for child in element)]))


def seen_text(root: HtmlElement) -> str:
    """All that is read of a document, alt texts left out."""
    body = root.find("body")
    return squeezed("".join(_seen(root if body is None else body)))


def _seen(element: HtmlElement) -> Iterator[str]:
    if not isinstance(element.tag, str) or is_hidden(element):
        return
    yield element.text or ""
    for child in element:
        yield from _seen(child)
        yield f" {child.tail or ''}"


def pixels(value: str | None) -> float | None:
    """A length in pixels, or None where it is none."""
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)(?:px)?\s*", value or "")
    return float(match[1]) if match else None

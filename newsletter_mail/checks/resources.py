"""Which addresses a reader's program asks by itself when it shows a mail. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml.html import HtmlElement

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.css import addresses_in
from newsletter_mail.checks.html import elements

# Element and attribute whose address is loaded without a click.
_LOADED = {
    ("img", "src"),
    ("img", "lowsrc"),
    ("img", "longdesc"),
    ("input", "src"),
    ("link", "href"),
    ("script", "src"),
    ("iframe", "src"),
    ("frame", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("source", "src"),
    ("track", "src"),
    ("image", "href"),
    ("image", "xlink:href"),
    ("use", "href"),
}
# Outlook reads what stands in these comments.
_CONDITIONAL = re.compile(r"<!--\[if.*?<!\[endif\]-->", re.DOTALL)
_IN_COMMENT = re.compile(r"\b(?:src|background)\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)


class Resource(NamedTuple):
    """An address, and what loads it."""

    address: str
    by: str


def resources_of(case: Case) -> Iterator[Resource]:
    """Every address that is asked when the mail is shown."""
    for element in elements(case.tree):
        yield from _of_attributes(element)
        if element.tag == "style" and element.text:
            for address in addresses_in(element.text):
                yield Resource(address, "CSS")
    for comment in _CONDITIONAL.findall(case.html):
        for address in _IN_COMMENT.findall(comment):
            yield Resource(address, "Outlook's part of the page")


def _of_attributes(element: HtmlElement) -> Iterator[Resource]:
    tag = str(element.tag)
    for name, value in element.attrib.items():
        attribute, text = str(name), str(value).strip()
        if attribute == "background" or (tag, attribute) in _LOADED:
            yield Resource(text, f"<{tag} {attribute}>")
        elif attribute == "srcset":
            for part in text.split(","):
                yield Resource(part.strip().partition(" ")[0], f"<{tag} srcset>")
        elif attribute == "style" and "(" in text:
            for address in addresses_in(text):
                yield Resource(address, "CSS")

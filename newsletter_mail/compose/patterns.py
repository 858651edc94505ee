"""Takes a finished text apart at its marks: the pattern that is filled in for each recipient. Pure.

Where a merge tag stands decides how its value is escaped, so it is looked up in the finished HTML
and not guessed from the Markdown.
"""

import re
from collections.abc import Callable

from newsletter_mail.compose.marks import Marks
from newsletter_mail.words import Hole, HoleContext, Pattern, PictureRef

# Quotes are respected, since ">" may stand in an attribute. In HTML that lxml wrote, "<" in text
# is always escaped, so nothing in running text looks like a tag.
_TAG = re.compile(r"""<[A-Za-z][^\s>"'/]*(?:[^>"']|"[^"]*"|'[^']*')*>""")
_ADDRESS = re.compile(
    r"""\s(?:href|src|background|action)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)
_BEFORE_IN_URL = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>]*\Z")


def html_pattern(html: str, marks: Marks) -> Pattern:
    """The pattern of a document."""
    contexts: dict[int, HoleContext] = {}
    for tag in _TAG.finditer(html):
        if not marks.merge_pattern.search(tag[0]):
            continue
        for address in _ADDRESS.finditer(tag[0]):
            group = 1 if address[1] is not None else 2
            value, start = address[group], tag.start() + address.start(group)
            for mark in marks.merge_pattern.finditer(value):
                is_whole = mark[0] == value
                contexts[start + mark.start()] = (
                    HoleContext.URL if is_whole else HoleContext.URL_PART
                )
    return _split(html, marks, lambda at: contexts.get(at, HoleContext.HTML))


def text_pattern(text: str, marks: Marks) -> Pattern:
    """The pattern of a plain text."""

    def context(at: int) -> HoleContext:
        # An address has no white space, and is not longer than this before its merge tag.
        is_in_url = _BEFORE_IN_URL.search(text, max(0, at - 2000), at) is not None
        return HoleContext.TEXT_URL_PART if is_in_url else HoleContext.TEXT

    return _split(text, marks, context)


def header_pattern(text: str, marks: Marks) -> Pattern:
    """The pattern of a header, such as the subject."""
    return _split(text, marks, lambda _: HoleContext.HEADER)


def _split(text: str, marks: Marks, context: Callable[[int], HoleContext]) -> Pattern:
    parts: list[str | Hole | PictureRef] = []
    position = 0
    for match in marks.pattern.finditer(text):
        parts.append(text[position : match.start()])
        value = marks.value(match[0])
        is_merge = match[1] == "m"
        parts.append(Hole(value, context(match.start())) if is_merge else PictureRef(value))
        position = match.end()
    parts.append(text[position:])
    return tuple(part for part in parts if part != "")

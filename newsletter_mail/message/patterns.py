"""Fills the merge tags of a compiled text, each value escaped for where it lands. Pure.

A value is never read again after it was put in: ``{{ 7*7 }}`` and ``<script>`` in a name come out
as these very characters.
"""

import html
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from newsletter_mail.errors import MessageError
from newsletter_mail.merge import Scope, parse_merge_tag
from newsletter_mail.message.headers import clean_header
from newsletter_mail.words import Hole, HoleContext, Pattern, PictureRef

# Cc, and the two separators that some programs break a line at. A line break is one character.
_CONTROL = re.compile("\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# JSON can hold half a surrogate pair; no bytes can.
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://[^/?#\s]|mailto:[^\s])", re.IGNORECASE)


def fill_pattern(pattern: Pattern, scope: Scope, *, picture_url: Callable[[str], str]) -> str:
    """The text for one reader: a web page, a preview, a file.

    Args:
        pattern: the subject, the HTML or the text of a build.
        scope: of ``merge_scope``.
        picture_url: makes the address of a picture from its name.

    Raises:
        MergeValueMissing: a merge tag without value and without default.
        HeaderInjection: a line break in a value, in a header.
        MessageError: a value that should be a link and is none.
    """
    return "".join(
        part
        if isinstance(part, str)
        else fill_hole(part, scope)
        if isinstance(part, Hole)
        else picture_attribute(part, picture_url)
        for part in pattern
    )


def fill_hole(hole: Hole, scope: Scope) -> str:
    """The escaped value of one merge tag; raises what ``fill_pattern`` raises."""
    return escape(parse_merge_tag(hole.expression).value(scope), hole.context)


def picture_attribute(picture: PictureRef, picture_url: Callable[[str], str]) -> str:
    """The address of a picture as it stands in an HTML attribute."""
    return html.escape(picture_url(picture.name), quote=True)


def escape(value: str, context: HoleContext) -> str:
    """Make a value harmless where it lands.

    A control character, and with it a line break, becomes a space: a value must not end the line
    of a plain text, nor start a header in a ``mailto:`` link.

    Raises:
        HeaderInjection: CR, LF or NUL for a header.
        MessageError: not an http, https or mailto link where a whole link goes.
    """
    if context is HoleContext.HEADER:
        return clean_header(value)
    return MARKUP[context](clean_text(value))


def clean_text(value: str) -> str:
    """A value as it may stand in a body: one line, and characters that can be encoded."""
    if value.isascii() and value.isprintable():
        return value
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", value))


def _link_in_html(value: str) -> str:
    return html.escape(_link(value), quote=True)


def _part_of_link(value: str) -> str:
    return quote(value, safe="")


#: What ``escape`` does to a cleaned value in each context of a body.
MARKUP: Mapping[HoleContext, Callable[[str], str]] = {
    HoleContext.HTML: html.escape,
    HoleContext.URL: _link_in_html,
    HoleContext.URL_PART: _part_of_link,
    HoleContext.TEXT: str,
    HoleContext.TEXT_URL_PART: _part_of_link,
}


def _link(value: str) -> str:
    value = value.strip()
    if not _LINK.match(value):
        raise MessageError(
            f"{value[:80]!r} is not a link: it must start with https://, http:// or mailto:"
        )
    return value.replace(" ", "%20")

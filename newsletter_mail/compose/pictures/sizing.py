"""How wide each picture is shown, read from the finished HTML, and written into it. Pure.

The HTML knows best: it has gone through the columns of the template, paddings and all.
"""

import re
from collections.abc import Iterator, Mapping

from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.pictures.inspection import SourcePicture

# Quotes are respected, since ">" may stand in an attribute.
_IMG = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
_SRC = re.compile(r"""\ssrc\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_SIZES = re.compile(r"""\s(?:width|height)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+)""", re.IGNORECASE)
_WIDTH = re.compile(r"""\swidth\s*=\s*["']?([0-9]+(?:\.[0-9]+)?)["'\s/>]""", re.IGNORECASE)


def shown_widths(
    html: str, marks: Marks, sources: Mapping[str, SourcePicture], *, page_width: int
) -> dict[str, int]:
    """The largest width, CSS pixels, at which each picture is shown.

    Args:
        html: with marks where the addresses of pictures go.
        marks: what they stand for.
        sources: the pictures by key.
        page_width: of the mail; nothing is wider, and nothing whose width is not said.
    """
    widths = dict.fromkeys(sources, 0)
    for tag, key in _images(html, marks):
        shown = _shown_width(tag[0], sources[key], page_width)
        widths[key] = max(widths[key], shown)
    # A background has no <img>; one in the source that is not shown needs no file.
    in_html = {marks.value(mark) for mark in marks.found_in(html)}
    return {
        key: width or min(sources[key].width, page_width)
        for key, width in widths.items()
        if key in in_html
    }


def set_sizes(
    html: str, marks: Marks, sources: Mapping[str, SourcePicture], *, page_width: int
) -> str:
    """The HTML with width and height on each picture, in its own proportions.

    Outlook goes by the attributes, and a mail that knows the height does not jump while it loads.
    """
    parts: list[str] = []
    position = 0
    for tag, key in _images(html, marks):
        source = sources[key]
        width = _shown_width(tag[0], source, page_width)
        height = max(1, round(width * source.height / source.width))
        bare = _SIZES.sub("", tag[0]).removesuffix(">").removesuffix("/").rstrip()
        parts += [html[position : tag.start()], f'{bare} width="{width}" height="{height}">']
        position = tag.end()
    return "".join([*parts, html[position:]])


def _images(html: str, marks: Marks) -> Iterator[tuple[re.Match[str], str]]:
    for tag in _IMG.finditer(html):
        src = _SRC.search(tag[0])
        mark = src and marks.pattern.fullmatch(src[1])
        if mark and mark[1] == "p":
            yield tag, marks.value(mark[0])


def _shown_width(tag: str, source: SourcePicture, page_width: int) -> int:
    said = _WIDTH.search(tag)
    width = round(float(said[1])) if said else source.width
    return max(1, min(width, page_width))

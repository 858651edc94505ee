"""The copy of a mail that a frame of the preview shows. Pure.

The frame is sandboxed, so nothing can be told to it once it is loaded: what a reader's device would
decide is decided in the copy.
"""

import math
import re
from enum import StrEnum

from lxml.html import HtmlElement

from newsletter_mail.checks.html import elements, parse_html

_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_MEDIA = re.compile(r'(<(?:style|source|link)\b[^>]*\smedia=")([^"]*)(")', re.IGNORECASE)
_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_SCHEMES = re.compile(r"(?<![\w-])color-scheme\s*:\s*(?:light\s+dark|dark\s+light)", re.IGNORECASE)
_META = re.compile(
    r'(<meta\b[^>]*\bname="(?:supported-color-schemes|color-scheme)"[^>]*\bcontent=")[^"]*(")',
    re.IGNORECASE,
)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_IMAGE = re.compile(r'<img\b(?:[^>"]|"[^"]*")*>', re.IGNORECASE)
_SOURCE = re.compile(r'\s(?:src|srcset)="[^"]*"', re.IGNORECASE)
# Media queries that hold for every frame, and for none.
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"
# A link that was followed would put another page into the frame, and the mail would be gone; one
# that asks for a new window is refused by the sandbox.
_BASE = '<base target="_blank">'
_INVERTED = (
    "<style>html{filter:invert(1) hue-rotate(180deg)}"
    "img,[background]{filter:invert(1) hue-rotate(180deg)}</style>"
)
_OUTLINED = "<style>img{outline:1px dashed #8a8f94!important;outline-offset:-1px!important}</style>"
# How large letters are in a mail, CSS pixels, about: for a guess, and rather too large.
_LETTER_WIDTH, _LINE_HEIGHT, _PARAGRAPH_GAP, _MARGIN = 8.4, 26, 22, 72
_PARAGRAPHS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "blockquote", "pre", "div")


class Scheme(StrEnum):
    """The colours of the reader's device."""

    #: Light.
    LIGHT = "light"
    #: Dark, in a program that lets the mail choose its dark colours (Apple Mail).
    DARK = "dark"
    #: Dark, in a program that turns the light colours round (Gmail's app on an iPhone, about).
    INVERTED = "inverted"


def framed_copy(html: str, *, scheme: Scheme, has_pictures: bool) -> str:
    """The mail as one device shows it, whatever device the author sits at.

    Args:
        html: as it is sent; attributes in double quotes.
        scheme: rules for the other one are switched off.
        has_pictures: False shows what stands for each picture.
    """
    copy = _with_scheme(html, "dark" if scheme is Scheme.DARK else "light")
    extra = _BASE
    if scheme is Scheme.INVERTED:
        extra += _INVERTED
    if not has_pictures:
        copy = _IMAGE.sub(lambda image: _SOURCE.sub("", image[0]), copy)
        extra += _OUTLINED
    end = _HEAD_END.search(copy)
    at = end.start() if end else 0
    return f"{copy[:at]}{extra}{copy[at:]}"


def guessed_height(html: str, width: int) -> int:
    """How high a frame of that width must be for the whole mail, CSS pixels; rather too high.

    A sandboxed frame does not tell. Where all of the mail fits, the page scrolls and not the frame,
    and a mail that is loaded again stays where it was.
    """
    inner = max(1, width - _MARGIN)
    height = float(4 * _MARGIN)
    for element in elements(parse_html(html), *_PARAGRAPHS, "td", "th", "a", "img"):
        if element.tag == "img":
            height += _image_height(element.get("width"), element.get("height"), inner)
            continue
        if "display:none" in (element.get("style") or "").replace(" ", ""):
            continue
        own = len(" ".join(_own_text(element).split()))
        height += math.ceil(own * _LETTER_WIDTH / inner) * _LINE_HEIGHT
        if own and element.tag in _PARAGRAPHS:
            height += _PARAGRAPH_GAP
    return math.ceil(height / 20) * 20


def _own_text(element: HtmlElement) -> str:
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _image_height(width: str | None, height: str | None, inner: int) -> float:
    if not (width or "").isdigit() or not (height or "").isdigit():
        return 0
    wide, high = int(width or 0), int(height or 0)
    return high * min(1, inner / wide) + _PARAGRAPH_GAP if wide else 0


def _with_scheme(html: str, scheme: str) -> str:
    def decided(query: re.Match[str]) -> str:
        return _ALWAYS if query[1].lower() == scheme else _NEVER

    def restyled(style: re.Match[str]) -> str:
        rules = _SCHEMES.sub(f"color-scheme:{scheme}", _QUERY.sub(decided, style[2]))
        return f"{style[1]}{rules}{style[3]}"

    copy = _STYLE.sub(restyled, html)
    copy = _MEDIA.sub(lambda media: f"{media[1]}{_QUERY.sub(decided, media[2])}{media[3]}", copy)
    return _META.sub(rf"\g<1>{scheme}\g<2>", copy)

"""Drawings (SVG), which few mail programs show: checked, and made pixels.

Rendering runs in a process of its own, with a limit of time and memory: a file of a few lines can
keep a renderer busy for days (elements that use one another), or run it out of its stack.
"""

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

from newsletter_mail.compose.pictures.refusal import PictureRefused

_ROOT = "{http://www.w3.org/2000/svg}svg"
_MAX_BYTES = 2_000_000
_MAX_DEPTH = 200
_TIME_S = 20
# Sizes of the file are CSS pixels; without any, a drawing is as large as browsers make it.
_DEFAULT_SIZE = (300.0, 150.0)
_MAX_SIDE = 10_000
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_LENGTH = re.compile(r"\s*\+?([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([a-z]*)\s*")
_START = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE\s+svg|<svg\b|<[a-z]+:svg\b)")
# Fonts are not the same on two machines, and other pictures are other files.
_REFUSED = {
    "text": "has text in it, which looks different on every machine; turn it into paths "
    "(Inkscape: Path, Object to Path)",
    "image": "has another picture in it; draw with shapes only, or save it as a PNG",
    "feImage": "has another picture in it; draw with shapes only, or save it as a PNG",
}
_RENDER = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
except (ImportError, OSError, ValueError):
    pass
from resvg_py import svg_to_bytes
sys.stdout.buffer.write(
    svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode("utf-8-sig"),
        width=int(sys.argv[1]),
        height=int(sys.argv[2]),
        skip_system_fonts=True,
        languages=["en"],
    )
)
"""


def looks_like_svg(content: bytes) -> bool:
    """Whether the first bytes are those of a drawing."""
    return _START.match(content) is not None and b"svg" in content[:4096]


def svg_size(content: bytes, reference: str) -> tuple[int, int]:
    """Width and height in pixels of a drawing that can be rendered.

    Raises:
        PictureRefused: it is no SVG, or would not look the same everywhere.
    """
    root = _parse(content, reference)
    _check(root, reference)
    box = [
        float(part) for part in re.findall(r"-?[0-9.]+(?:e[+-]?[0-9]+)?", root.get("viewBox", ""))
    ]
    box_size = (box[2], box[3]) if len(box) == 4 and min(box[2:]) > 0 else None
    width, height = _pixels(root.get("width")), _pixels(root.get("height"))
    if box_size:
        ratio = box_size[0] / box_size[1]
        width = width or (height * ratio if height else box_size[0])
        height = height or width / ratio
    width, height = width or _DEFAULT_SIZE[0], height or _DEFAULT_SIZE[1]
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
        raise PictureRefused(
            f"{reference} is {width:.0f} × {height:.0f} pixels; a side has 1 to {_MAX_SIDE:,}"
        )
    return round(width), round(height)


def render_svg(content: bytes, size: tuple[int, int], reference: str) -> bytes:
    """The drawing as a PNG of that size.

    Raises:
        PictureRefused: it cannot be rendered, or not in time.
    """
    command = [sys.executable, "-I", "-c", _RENDER, *map(str, size)]
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter, and our own words
            command, input=content, capture_output=True, timeout=_TIME_S, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise PictureRefused(
            f"{reference} takes longer than {_TIME_S} seconds to draw; save it as a PNG"
        ) from error
    except (subprocess.CalledProcessError, OSError) as error:
        raise PictureRefused(f"{reference} cannot be drawn; save it as a PNG") from error
    return done.stdout


def _parse(content: bytes, reference: str) -> ET.Element:
    if len(content) > _MAX_BYTES:
        raise PictureRefused(
            f"{reference} is larger than {_MAX_BYTES / 1e6:.0f} MB; save it as a PNG"
        )
    if b"<!ENTITY" in content:
        raise PictureRefused(f"{reference} declares entities; save it as a plain SVG")
    try:
        # Entities are refused above, and expat reads no other files.
        root = ET.fromstring(content.decode("utf-8-sig"))  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise PictureRefused(f"{reference} is no SVG that can be read: {error}") from error
    if root.tag != _ROOT:
        raise PictureRefused(f"{reference} is no SVG that can be read")
    return root


def _check(root: ET.Element, reference: str) -> None:
    level = [root]
    for _ in range(_MAX_DEPTH):
        for element in level:
            if reason := _REFUSED.get(_name(element)):
                raise PictureRefused(f"{reference} {reason}")
        level = [child for element in level for child in element]
        if not level:
            return
    raise PictureRefused(f"{reference} nests too deeply; save it as a PNG")


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _pixels(value: str | None) -> float:
    """A length in pixels; 0 where there is none that says something by itself."""
    match = _LENGTH.fullmatch(value or "")
    return float(match[1]) * _UNITS[match[2]] if match and match[2] in _UNITS else 0.0

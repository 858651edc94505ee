"""Looks at the file of a picture: what it is, how large, and whether it can go into a mail. Pure.

Only headers are read: nothing is unpacked before its size is known.
"""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass, field
from typing import Literal, TypeGuard

from newsletter_mail.compose.pictures.refusal import PictureRefused
from newsletter_mail.compose.pictures.svg import looks_like_svg, svg_size

#: A file of a few kilobytes can unpack to gigabytes; cameras of phones make 24 million.
MAX_PIXELS = 36_000_000
#: Of a file that goes out as it is.
MAX_ANIMATION_BYTES = 5_000_000
#: What a picture's file may be called.
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg")

Kind = Literal["PNG", "JPEG", "GIF", "WEBP", "AVIF", "SVG"]
#: What Pillow may take a file for.
RASTER: tuple[Kind, ...] = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")

_EXIF_ORIENTATION = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What every mail program shows, by the format: other ones are made these.
_PLAIN_MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "JPEG": ("L", "RGB"), "GIF": ()}
#: What Pillow's readers raise on files that are cut or made up.
BROKEN = (
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePicture:
    """A picture as the author saved it.

    Attributes:
        reference: the path as the author wrote it.
        key: hex digest of the bytes.
        width: pixels, upright.
        height: pixels, upright.
        is_animated: more than one frame; only a GIF is let through.
        is_plain: mail programs show it as it is, once its metadata is taken out.
        has_palette: few colours, which resampling would make many.
    """

    reference: str
    key: str
    kind: Kind
    width: int
    height: int
    is_animated: bool
    is_plain: bool
    has_palette: bool
    content: bytes = field(repr=False)


def inspect(content: bytes, reference: str) -> SourcePicture:
    """Look at the bytes of a file.

    Args:
        content: all of it.
        reference: the path, for messages.

    Raises:
        PictureRefused: it has too many pixels, moves and is no GIF, or is no picture.
    """
    if looks_like_svg(content):
        width, height = svg_size(content, reference)
        return SourcePicture(
            reference=reference,
            key=hashlib.sha256(content).hexdigest(),
            kind="SVG",
            width=width,
            height=height,
            is_animated=False,
            is_plain=False,
            has_palette=False,
            content=content,
        )
    return _inspect_raster(content, reference)


def _inspect_raster(content: bytes, reference: str) -> SourcePicture:
    # 10 ms, which a command that meets no picture must not wait for.
    from PIL import Image as PillowImage  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; the limit below is lower and refuses.
            warnings.simplefilter("ignore")
            with PillowImage.open(io.BytesIO(content), formats=RASTER) as image:
                width, height = image.size
                refuse_bomb(width, height, reference)
                # A JPEG of a phone may have a second one behind it (MPO, CIPA DC-007).
                kind: Kind = next((one for one in RASTER if one == image.format), "JPEG")
                # Pillow unpacks a PNG to look behind its pixels for what stands before them.
                is_told = kind != "PNG" or "exif" in image.info
                orientation = image.getexif().get(_EXIF_ORIENTATION, 1) if is_told else 1
                is_animated = kind != "JPEG" and getattr(image, "n_frames", 1) > 1
                is_plain = (
                    orientation in (0, 1)
                    and image.mode in _PLAIN_MODES.get(kind, ())
                    and not has_other_colours(image.info.get("icc_profile"))
                )
                mode = image.mode
    except PillowImage.DecompressionBombError as error:
        raise PictureRefused(f"{reference} has too many pixels") from error
    except BROKEN as error:
        raise PictureRefused(
            f"{reference} is no PNG, JPEG, GIF, WebP, AVIF or SVG that can be read; save it again "
            "as one of these"
        ) from error
    _refuse_motion(content, kind, reference, is_animated=is_animated)
    if orientation in _SIDEWAYS:
        width, height = height, width
    return SourcePicture(
        reference=reference,
        key=hashlib.sha256(content).hexdigest(),
        kind=kind,
        width=width,
        height=height,
        is_animated=is_animated,
        is_plain=is_plain or kind == "GIF",
        has_palette=kind == "GIF" or mode in ("P", "1"),
        content=content,
    )


def refuse_bomb(width: int, height: int, reference: str) -> None:
    """Refuse a picture that would unpack to too many pixels.

    Raises:
        PictureRefused: it would.
    """
    if width * height > MAX_PIXELS:
        raise PictureRefused(
            f"{reference} has {width} × {height} pixels; {MAX_PIXELS / 1e6:.0f} million are the "
            "most"
        )


def has_other_colours(icc_profile: object) -> TypeGuard[bytes]:
    """Whether a colour profile says something else than sRGB, which is meant without one."""
    if not isinstance(icc_profile, bytes) or not icc_profile:
        return False
    # Its description is ASCII up to version 2 of ICC.1, and UTF-16 from version 4 on.
    return b"sRGB" not in icc_profile and "sRGB".encode("utf-16-be") not in icc_profile


def _refuse_motion(content: bytes, kind: Kind, reference: str, *, is_animated: bool) -> None:
    if not is_animated:
        return
    if kind != "GIF":
        raise PictureRefused(
            f"{reference} moves, and mail programs show a moving {kind} badly; save it as a GIF"
        )
    if len(content) > MAX_ANIMATION_BYTES:
        raise PictureRefused(
            f"{reference} moves and is larger than {MAX_ANIMATION_BYTES / 1e6:.0f} MB; make it "
            "shorter or smaller"
        )

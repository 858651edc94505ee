"""Makes the file that goes out: twice as wide as it is shown, in a format that mail programs show.

The pixels that come out depend on the file, the width and the versions of the libraries, and on
nothing of the machine.
"""

import hashlib
import io
import warnings
from typing import TYPE_CHECKING

from newsletter_mail.compose.pictures.inspection import (
    BROKEN,
    RASTER,
    SourcePicture,
    has_other_colours,
)
from newsletter_mail.compose.pictures.metadata import without_metadata
from newsletter_mail.compose.pictures.refusal import PictureRefused
from newsletter_mail.compose.pictures.svg import render_svg
from newsletter_mail.words import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

#: To be raised when the same file should come out otherwise: it is part of the digest of a build.
RECIPE = 1
#: Screens of phones and most laptops have twice the pixels of the page.
DENSITY = 2
_JPEG_QUALITY = 82
#: A picture of few colours stays as it is up to this much over its width: resampling would make
#: its colours many, and its file several times larger.
_PALETTE_SLACK = 1.5
_MAX_PALETTE = 256
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}


def identity(source: SourcePicture, shown_width: int) -> str:
    """Names what ``make_picture`` makes, on every machine, whatever its libraries compress to."""
    return f"{source.key}:{target_width(source, shown_width)}:{RECIPE}"


def target_width(source: SourcePicture, shown_width: int) -> int:
    """Pixels of the file for a picture that is shown so wide; none is made larger."""
    wanted = DENSITY * shown_width
    if source.kind == "SVG":
        return wanted
    is_fit = source.is_animated or (source.has_palette and source.width <= _PALETTE_SLACK * wanted)
    return source.width if is_fit else min(source.width, wanted)


def make_picture(source: SourcePicture, shown_width: int) -> Picture:
    """The picture as it goes out.

    Args:
        source: as the author saved it.
        shown_width: CSS pixels.

    Raises:
        PictureRefused: its pixels cannot be read.
    """
    width = target_width(source, shown_width)
    try:
        with warnings.catch_warnings():
            # Of a profile or an EXIF that is odd; the pixels decide.
            warnings.simplefilter("ignore")
            return _made(source, width)
    except BROKEN as error:
        raise PictureRefused(
            f"{source.reference} is cut or broken; save it again, or fetch it once more"
        ) from error


def _made(source: SourcePicture, width: int) -> Picture:
    # 10 ms, which a command that meets no picture must not wait for.
    from PIL import Image as PillowImage  # noqa: PLC0415

    size = (width, max(1, round(width * source.height / source.width)))
    content = source.content
    if source.kind == "SVG":
        content = render_svg(content, size, source.reference)
    with PillowImage.open(io.BytesIO(content), formats=RASTER) as opened:
        opened.load()
        if source.is_plain and width == source.width:
            plain = without_metadata(content, source.kind)
            return named_picture(plain, f"image/{source.kind.lower()}")
        image = _upright(opened)
    if image.size != size:
        image = image.resize(size, PillowImage.Resampling.LANCZOS)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    if _is_photograph(image, source):
        return named_picture(_jpeg(image), "image/jpeg")
    return named_picture(_png(image), "image/png")


def named_picture(content: bytes, media_type: str) -> Picture:
    """A picture under the digest of its bytes.

    Raises:
        KeyError: mail programs do not show that type.
    """
    name = hashlib.sha256(content).hexdigest()[:32] + _SUFFIXES[media_type]
    return Picture(name=name, media_type=media_type, content=content)


def _upright(opened: "Image") -> "Image":
    """Turned as its EXIF says, in sRGB, in a mode that can be resampled."""
    from PIL import ImageOps  # noqa: PLC0415

    image = ImageOps.exif_transpose(opened)
    image = _in_srgb(image)
    if image.mode.startswith("I") or image.mode == "F":
        # 16 bits of grey; the upper 8 are all that a screen shows.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    has_alpha = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    if has_alpha:
        return image.convert("RGBA")
    return image if image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: "Image") -> "Image":
    from PIL import ImageCms  # noqa: PLC0415

    profile = image.info.get("icc_profile")
    if not has_other_colours(profile):
        return image
    is_grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
    alpha = image.getchannel("A") if "A" in image.mode else None
    colours = image if image.mode == "CMYK" else image.convert("L" if is_grey else "RGB")
    try:
        converted = ImageCms.profileToProfile(
            colours,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A profile that is broken, or is for other colours than the picture has.
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _is_photograph(image: "Image", source: SourcePicture) -> bool:
    """Whether it goes out as a JPEG: what came as one, and what has no other way to be small."""
    if source.kind == "JPEG":
        return True
    if source.kind not in ("WEBP", "AVIF") or image.mode == "RGBA":
        return False
    return image.getcolors(_MAX_PALETTE) is None


def _jpeg(image: "Image") -> bytes:
    buffer = io.BytesIO()
    colours = image if image.mode == "L" else image.convert("RGB")
    colours.info = {}
    colours.save(buffer, "JPEG", quality=_JPEG_QUALITY, progressive=True, optimize=True)
    return buffer.getvalue()


def _png(image: "Image") -> bytes:
    image = _with_palette(image)
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _with_palette(image: "Image") -> "Image":
    """The same pixels by number, where their colours are few enough for that to lose nothing."""
    from PIL import Image as PillowImage  # noqa: PLC0415

    if image.mode != "RGB" or image.getcolors(_MAX_PALETTE) is None:
        return image
    fewer = image.quantize(
        _MAX_PALETTE, method=PillowImage.Quantize.MEDIANCUT, dither=PillowImage.Dither.NONE
    )
    return fewer if fewer.convert("RGB").tobytes() == image.tobytes() else image

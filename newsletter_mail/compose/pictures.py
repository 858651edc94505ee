"""Pictures of an issue: local files, looked at before anything is done with them."""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from PIL import Image as PillowImage

from newsletter_mail.compose.findings import did_you_mean
from newsletter_mail.words import Picture

MAX_PICTURE_BYTES = 5_000_000
#: A file of a few kilobytes can unpack to gigabytes.
MAX_PICTURE_PIXELS = 40_000_000

_TYPES = {
    "PNG": ("image/png", ".png"),
    "JPEG": ("image/jpeg", ".jpg"),
    "GIF": ("image/gif", ".gif"),
}
_EXIF_ORIENTATION = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What Pillow's readers raise on files that are cut or made up.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error)


class PictureRefused(Exception):
    """A picture that cannot go into a mail; ``str()`` says why. Becomes an ``IssueError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPicture:
    """A picture and its size in pixels, as it is shown."""

    picture: Picture
    width: int
    height: int


class PictureLoader:
    """Loads pictures from one folder, and from nowhere else.

    Args:
        folder: of the issue, or of the template.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[Path, LoadedPicture] = {}

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All that were loaded, in the order of their names; each once."""
        by_name = {loaded.picture.name: loaded.picture for loaded in self._loaded.values()}
        return tuple(by_name[name] for name in sorted(by_name))

    def load(self, reference: str) -> LoadedPicture:
        """The picture at a path as it stands in Markdown.

        Raises:
            PictureRefused: it is elsewhere, not there, too large, or no PNG, JPEG or GIF.
        """
        file = self._locate(reference)
        if file not in self._loaded:
            self._loaded[file] = _look_at(_read(file, reference), reference)
        return self._loaded[file]

    def _locate(self, reference: str) -> Path:
        path = unquote(reference)
        if not path.isprintable() or not path:
            raise PictureRefused(f"{reference!r} is not the path of a picture")
        if "://" in path or path.startswith(("//", "data:", "cid:")):
            raise PictureRefused(
                f"{path[:80]} is not a file of this issue; a mail of ours loads nothing from "
                "elsewhere: save the picture in the folder of the issue"
            )
        if path.startswith(("/", "~")) or "\\" in path or ":" in path[:3]:
            raise PictureRefused(
                f"{path[:80]} must be a path inside the folder of the issue, such as photo.jpg"
            )
        try:
            folder = self._folder.resolve()
            file = (folder / path).resolve()
            if not file.is_relative_to(folder):
                raise PictureRefused(f"{path[:80]} lies outside the folder of the issue")
            if not file.is_file():
                raise PictureRefused(f"there is no picture {path[:80]}{self._hint(path)}")
        except (OSError, RuntimeError) as error:
            raise PictureRefused(f"{path[:80]} cannot be read") from error
        return file

    def _hint(self, path: str) -> str:
        suffixes = (".png", ".jpg", ".jpeg", ".gif")
        names = [
            file.relative_to(self._folder).as_posix()
            for file in sorted(self._folder.rglob("*"))
            if file.suffix.lower() in suffixes
        ]
        return f"; {did_you_mean(path, names[:50])}" if names else ""


def _read(file: Path, reference: str) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise PictureRefused(f"{reference} cannot be read: {error.strerror}") from error
    if len(content) > MAX_PICTURE_BYTES:
        raise PictureRefused(
            f"{reference} is larger than {MAX_PICTURE_BYTES / 1e6:.0f} MB; make it smaller: "
            "1,200 pixels of width are enough for every screen"
        )
    return content


def _look_at(content: bytes, reference: str) -> LoadedPicture:
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; the limit below is lower and refuses.
            warnings.simplefilter("ignore")
            with PillowImage.open(io.BytesIO(content), formats=tuple(_TYPES)) as image:
                width, height = image.size
                _refuse_bomb(width, height, reference)
                media_type, suffix = _TYPES[str(image.format)]
                if suffix == ".jpg" and image.getexif().get(_EXIF_ORIENTATION) in _SIDEWAYS:
                    width, height = height, width
                image.verify()
    except PillowImage.DecompressionBombError as error:
        raise PictureRefused(f"{reference} has too many pixels") from error
    except _BROKEN as error:
        raise PictureRefused(
            f"{reference} is no PNG, JPEG or GIF that can be read; save it again as one of these"
        ) from error
    name = hashlib.sha256(content).hexdigest()[:32] + suffix
    return LoadedPicture(
        picture=Picture(name=name, media_type=media_type, content=content),
        width=width,
        height=height,
    )


def _refuse_bomb(width: int, height: int, reference: str) -> None:
    if width * height > MAX_PICTURE_PIXELS:
        raise PictureRefused(
            f"{reference} has {width} × {height} pixels; {MAX_PICTURE_PIXELS / 1e6:.0f} million "
            "are the most"
        )

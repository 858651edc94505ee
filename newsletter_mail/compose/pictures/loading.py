"""Finds the pictures of an issue in its folder, and nowhere else."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from newsletter_mail.compose.findings import did_you_mean
from newsletter_mail.compose.pictures.inspection import SUFFIXES, SourcePicture, inspect
from newsletter_mail.compose.pictures.refusal import PictureRefused

#: A photograph as a camera saves it; what goes out is smaller.
MAX_FILE_BYTES = 25_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPicture:
    """A picture that somebody asked for.

    Attributes:
        line: of the file that asked first, or None.
    """

    source: SourcePicture
    line: int | None


class PictureLoader:
    """Loads pictures from one folder, and from nowhere else.

    Args:
        folder: of the issue, or of the template.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[Path, LoadedPicture] = {}

    @property
    def loaded(self) -> tuple[LoadedPicture, ...]:
        """All that were loaded; the same bytes once."""
        by_key = {one.source.key: one for one in reversed(self._loaded.values())}
        return tuple(by_key[key] for key in sorted(by_key))

    def load(self, reference: str, line: int | None = None) -> SourcePicture:
        """The picture at a path as it stands in Markdown.

        Args:
            reference: the path.
            line: where it stands.

        Raises:
            PictureRefused: it is elsewhere, not there, too large, or no picture.
        """
        file = self._locate(reference)
        if file not in self._loaded:
            source = inspect(_read(file, reference), reference)
            self._loaded[file] = LoadedPicture(source=source, line=line)
        return self._loaded[file].source

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
        names = [
            file.relative_to(self._folder).as_posix()
            for file in sorted(self._folder.rglob("*"))
            if file.suffix.lower() in SUFFIXES
        ]
        return f"; {did_you_mean(path, names[:50])}" if names else ""


def _read(file: Path, reference: str) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PictureRefused(f"{reference} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise PictureRefused(
            f"{reference} is larger than {MAX_FILE_BYTES / 1e6:.0f} MB; make it smaller: "
            "1,200 pixels of width are enough for every screen"
        )
    return content

"""Keeps pictures that were made, so that a build of the same files makes none again.

The folder can be deleted at any time. What is in it is used only if it is whole.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from newsletter_mail.compose.pictures.conversion import named_picture
from newsletter_mail.words import Picture

#: In the workspace.
FOLDER = ".cache/pictures"
_MAKERS = ("pillow", "resvg-py")


class PictureCache:
    """Pictures by what they were made of.

    Args:
        workspace: the folder; where it cannot be written, nothing is kept.
    """

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / FOLDER

    def get(self, identity: str, make: Callable[[], Picture]) -> Picture:
        """The picture of that identity; made, and kept, where it is not there yet."""
        file = self._folder / _file_name(identity)
        kept = _read(file)
        if kept is not None:
            return kept
        picture = make()
        # A workspace that cannot be written, or is full, compiles all the same.
        with suppress(OSError):
            self._keep(file, picture)
        return picture

    def _keep(self, file: Path, picture: Picture) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True)
            # Git does not look into a folder that says so itself.
            ignoring = self._folder.parent / ".gitignore"
            if not ignoring.exists():
                ignoring.write_text("*\n", encoding="utf-8")
        head = f"{picture.media_type}\n{hashlib.sha256(picture.content).hexdigest()}\n"
        descriptor, temporary = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as written:
                written.write(head.encode() + picture.content)
            Path(temporary).replace(file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def _file_name(identity: str) -> str:
    makers = ",".join(f"{name} {_version(name)}" for name in _MAKERS)
    return hashlib.sha256(f"{identity},{makers}".encode()).hexdigest()[:40]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _read(file: Path) -> Picture | None:
    try:
        media_type, digest, content = file.read_bytes().split(b"\n", 2)
        if hashlib.sha256(content).hexdigest().encode() == digest:
            return named_picture(content, media_type.decode())
    except (OSError, ValueError, LookupError):
        pass
    return None

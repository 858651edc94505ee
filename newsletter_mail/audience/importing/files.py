"""Is this a file of text, and in which encoding? Refuses what is not, by its first bytes."""

import codecs
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from newsletter_mail.errors import InputError

#: What is read before a file of another kind is refused.
_HEAD_BYTES = 8192
_BLOCK_BYTES = 1 << 20

# First bytes of what people take for CSV, or name .csv by mistake.
_OTHER_KINDS = (
    (b"PK\x03\x04", "a zip or Excel file: unpack it, or save the sheet as CSV UTF-8"),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\x1f\x8b", "a gzip file: unpack it first"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file: save the sheet as CSV UTF-8"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file: unpack it first"),
    (b"Rar!", "a RAR file: unpack it first"),
    (b"BZh", "a bzip2 file: unpack it first"),
    (b"\xfd7zXZ", "an xz file: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file: unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database"),
)
_BYTE_ORDER_MARKS = (
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_STRAY_BYTE = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file that has been found to be text.

    Attributes:
        encoding: for ``codecs``.
        warning: what may be wrong with it, or "".
    """

    path: Path
    encoding: str
    warning: str = ""

    def open(self) -> TextIO:
        """The text with its line ends as they are.

        A byte that is not text in this encoding becomes half of a surrogate pair, so that only
        the row that has it is refused.

        Raises:
            InputError: the file has gone, or may not be read.
        """
        try:
            return self.path.open(encoding=self.encoding, errors="surrogateescape", newline="")
        except OSError as error:
            raise _unreadable(self.path, error) from error


def examine_file(path: Path) -> TextFile:
    """Find out the encoding of a file.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252.

    Raises:
        InputError: it is missing, empty, a folder, a pipe, or of another kind (a zip, a PDF …);
            said after a few KB have been read.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name a file in it")
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: can be read only once; save it as a file first")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        encoding = _encoding_of(path, head)
        if encoding is not None:
            return TextFile(path=path, encoding=encoding)
        return _without_mark(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _encoding_of(path: Path, head: bytes) -> str | None:
    """The encoding that the first bytes name; None where they name none."""
    if not head.strip(b"\x00 \t\r\n" + codecs.BOM_UTF8):
        if b"\0" in head:
            raise InputError(f"{path}: is not text: its first bytes are zeros")
        raise InputError(f"{path}: is empty")
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic):
            raise InputError(f"{path}: is not a CSV file but {kind}")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            if encoding is None:
                raise InputError(f"{path}: is UTF-32; save it as CSV UTF-8")
            return encoding
    if b"\0" in head:
        raise InputError(f"{path}: is not text: it has zero bytes in it. Save it as CSV UTF-8")
    return None


def _without_mark(path: Path) -> TextFile:
    """UTF-8 if the whole file is; else what most of its bytes beyond ASCII speak for."""
    stray = genuine = 0
    for text in _decoded_blocks(path):
        if not text.isascii():
            stray += len(_STRAY_BYTE.findall(text))
            genuine += len(_BEYOND_ASCII.findall(text))
    if not stray:
        return TextFile(path=path, encoding="utf-8")
    if genuine > stray:
        return TextFile(
            path=path,
            encoding="utf-8",
            warning=f"{path}: is UTF-8, but for {stray} bytes; rows that have them are refused",
        )
    return TextFile(
        path=path,
        encoding="cp1252",
        warning=f"{path}: is not UTF-8; read as Windows-1252. Look whether names with accents "
        "came out right, or save it as CSV UTF-8",
    )


def _decoded_blocks(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: there is no such file")
    return InputError(f"{path}: cannot be read: {error.strerror or error}")

"""Takes out of a picture what is not shown, and touches no pixel of it. Pure.

A photograph may say where it was taken, with which camera, and hold a smaller copy of what was cut
off. Only what is needed to show it stays.
"""

import re
import struct

_PNG_START = b"\x89PNG\r\n\x1a\n"
# Critical chunks (PNG 3rd edition, section 5) and the transparency of a palette.
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

_MARKER, _SOS, _EOI = 0xFF, 0xDA, 0xD9
_APP0, _APP14, _APP15, _COMMENT = 0xE0, 0xEE, 0xEF, 0xFE
# Without a length: RST0 to RST7, and TEM.
_BARE_MARKERS = frozenset({*range(0xD0, 0xD8), 0x01})
# In a scan 0xFF is written as 0xFF00, and restart markers belong to it.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def without_metadata(content: bytes, kind: str) -> bytes:
    """The same picture without EXIF, XMP, comments, colour profile and thumbnails.

    Args:
        content: a whole file that a reader has accepted.
        kind: ``PNG`` or ``JPEG``; others come back as they are.

    Raises:
        ValueError: the file is cut or not what it says.
    """
    try:
        if kind == "PNG":
            return _png(content)
        return _jpeg(content) if kind == "JPEG" else content
    except (struct.error, IndexError) as error:
        raise ValueError("the file is cut") from error


def _png(content: bytes) -> bytes:
    kept = [_PNG_START]
    position = len(_PNG_START)
    while position < len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if end > len(content):
            raise ValueError("the file is cut")
        if name in _PNG_KEPT:
            kept.append(content[position:end])
        if name == b"IEND":
            break
        position = end
    return b"".join(kept)


def _jpeg(content: bytes) -> bytes:
    """ITU T.81 annex B: every segment but those that say things of their own, up to the end."""
    kept = [content[:2]]
    position = 2
    while position < len(content):
        if content[position] != _MARKER:
            raise ValueError("a segment is not where it should be")
        marker = content[position + 1]
        if marker == _MARKER or marker in _BARE_MARKERS:
            # Fill bytes may stand before a marker.
            position += 1 if marker == _MARKER else 2
            continue
        if marker == _EOI:
            # What stands behind it is another picture, or something else altogether.
            kept.append(content[position : position + 2])
            break
        end = position + 2 + struct.unpack_from(">H", content, position + 2)[0]
        if marker == _SOS:
            after = _MARKER_AFTER_SCAN.search(content, end)
            end = after.start() if after else len(content)
        if _is_kept(marker):
            kept.append(content[position:end])
        position = end
    return b"".join(kept)


def _is_kept(marker: int) -> bool:
    """JFIF, and Adobe's word on how the colours are to be read; no other application data."""
    if marker in (_APP0, _APP14):
        return True
    return not (_APP0 <= marker <= _APP15 or marker == _COMMENT)

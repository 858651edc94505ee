"""Reads the body of a POST: at most 64 KB of it, and never fails.

RFC 8058 section 3.2: the pair ``List-Unsubscribe=One-Click`` comes as multipart/form-data
(RFC 7578) or as application/x-www-form-urlencoded, whichever the mail provider likes.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

if TYPE_CHECKING:
    # It does not exist when the program runs.
    from python_multipart.multipart import MultipartCallbacks

#: What is looked at; the rest is read and thrown away.
MAX_BODY_BYTES = 64 * 1024
# Who answers while the client still writes may see the answer lost to a reset connection, so
# what comes after is taken off the wire, up to here.
_MAX_DRAINED_BYTES = 16 * 1024 * 1024
#: How long a body may take to arrive, seconds.
BODY_TIMEOUT_S = 20.0


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form; the first value of each.

    Empty where the body is no form, where it did not arrive whole, or where it is damaged before
    its first field.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    body = await _read_body(request)
    if media_type == b"multipart/form-data":
        return parse_multipart(body, options.get(b"boundary", b""))
    # A client of HTTP/1.0 need not name the type.
    if media_type in (b"application/x-www-form-urlencoded", b""):
        return parse_urlencoded(body)
    return {}


async def _read_body(request: Request) -> bytes:
    kept = bytearray()
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                size += len(chunk)
                kept += chunk[: MAX_BODY_BYTES - len(kept)]
                if size > _MAX_DRAINED_BYTES:
                    break
    except (ClientDisconnect, TimeoutError):
        return b""
    return bytes(kept)


def parse_urlencoded(body: bytes) -> Mapping[str, str]:
    """The fields of an application/x-www-form-urlencoded body."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(body.decode("latin-1"), keep_blank_values=True):
        fields.setdefault(name, value)
    return fields


def parse_multipart(body: bytes, boundary: bytes) -> Mapping[str, str]:
    """The fields of a multipart/form-data body, as far as it is whole."""
    if not boundary:
        return {}
    fields = _Fields()
    # What came whole before a damage, or before the cut, counts.
    with contextlib.suppress(FormParserError):
        MultipartParser(boundary, fields.callbacks()).write(body)
    return fields.found


class _Fields:
    """Collects what the parser calls out."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._name: str | None = None
        self._value = bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser is to call."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_begin": self._begin_header,
            "on_header_field": self._extend(self._header_name),
            "on_header_value": self._extend(self._header_value),
            "on_header_end": self._end_header,
            "on_part_data": self._extend(self._value),
            "on_part_end": self._end_part,
        }

    @staticmethod
    def _extend(buffer: bytearray) -> Callable[[bytes, int, int], None]:
        def extend(chunk: bytes, start: int, end: int) -> None:
            buffer.extend(chunk[start:end])

        return extend

    def _begin_part(self) -> None:
        self._name = None
        self._value.clear()

    def _begin_header(self) -> None:
        self._header_name.clear()
        self._header_value.clear()

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._header_value))
            self._name = options.get(b"name", b"").decode("latin-1")

    def _end_part(self) -> None:
        if self._name is not None:
            self.found.setdefault(self._name, self._value.decode("latin-1"))

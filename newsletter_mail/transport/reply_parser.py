"""Bytes of an SMTP server to replies (RFC 5321 section 4.2). Sans-io.

A server may be broken or hostile, so everything has a limit: 2048 bytes a line (the RFC says
512, real servers go beyond), 100 lines a reply, 1024 characters of text kept.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from newsletter_mail.words import Reply

MAX_LINE_BYTES = 2048
MAX_LINES = 100
MAX_TEXT_CHARS = 1024

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=\s|$)")
# C0, C1, and what would reorder or hide text in a terminal or a log.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


_TOO_LONG = f"a line of its answer is longer than {MAX_LINE_BYTES} bytes"


class NotSmtp(ValueError):
    """What the server sent is no reply; the connection is of no use any more."""


class RawReply(NamedTuple):
    """A reply as it came: code, and its lines without code and line end."""

    code: int
    lines: tuple[bytes, ...]

    def cleaned(self) -> Reply:
        """For people and logs: control characters out, one enhanced code, at most 1 KB."""
        return clean_reply(self.code, self.lines)


def clean_reply(code: int, lines: tuple[bytes, ...]) -> Reply:
    """A reply for people and logs.

    The enhanced code that servers repeat on every line (RFC 2034 section 3) stays once.
    """
    texts = [_cleaned(line) for line in lines]
    match = _ENHANCED.match(texts[0]) if texts else None
    enhanced = match[1] if match else ""
    if enhanced:
        texts[1:] = [text.removeprefix(enhanced).lstrip() for text in texts[1:]]
    text = " ".join(filter(None, texts)) if len(texts) != 1 else texts[0]
    if len(text) > MAX_TEXT_CHARS:
        text = text[: MAX_TEXT_CHARS - 1] + "…"
    return Reply(code, text, enhanced)


def _cleaned(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    # What is printable has none of them; the search costs ten times as much as the question.
    return (text if text.isprintable() else _CONTROL.sub(" ", text)).strip()


class ReplyParser:
    """Gathers bytes into replies; how they are cut into chunks makes no difference."""

    def __init__(self) -> None:
        self._rest = b""
        self._whole: deque[bytes] = deque()
        self._code = 0
        self._lines: list[bytes] = []

    @property
    def is_empty(self) -> bool:
        """Nothing is left over: the server has said no more than was asked."""
        return not self._rest and not self._whole and not self._lines

    def read(self, received: bytes) -> Iterator[RawReply]:
        """The replies that are whole with these bytes, each taken up when it is asked for.

        Raises:
            NotSmtp: the bytes are no reply, or one without end.
        """
        *whole, self._rest = (self._rest + received).split(b"\n")
        self._whole += whole
        while self._whole:
            is_last, raw = _read_line(self._whole.popleft())
            if is_last and not self._lines:
                yield raw
            elif (reply := self._add_line(raw, is_last=is_last)) is not None:
                yield reply
        if len(self._rest) > MAX_LINE_BYTES:
            raise NotSmtp(_TOO_LONG)

    def _add_line(self, raw: RawReply, *, is_last: bool) -> RawReply | None:
        if self._lines and raw.code != self._code:
            raise NotSmtp("the lines of one answer have different codes")
        self._code = raw.code
        self._lines += raw.lines
        if is_last:
            reply = RawReply(raw.code, tuple(self._lines))
            self._lines = []
            return reply
        if len(self._lines) >= MAX_LINES:
            raise NotSmtp("its answer has more than 100 lines")
        return None


# A server says the same three lines about every message.
@lru_cache(maxsize=256)
def _read_line(line: bytes) -> tuple[bool, RawReply]:
    """Whether it is the last line of a reply, and the reply that it is alone."""
    if len(line) > MAX_LINE_BYTES:
        raise NotSmtp(_TOO_LONG)
    match = _LINE.fullmatch(line.removesuffix(b"\r"))
    if match is None:
        raise NotSmtp("its answer does not begin with a reply code")
    return match[2] != b"-", RawReply(int(match[1]), (match[3] or b"",))

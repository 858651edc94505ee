"""Bytes of an SMTP server to replies (RFC 5321 section 4.2). Sans-io.

A server may be broken or hostile, so everything has a limit: 2048 bytes a line (the RFC says
512, real servers go beyond), 100 lines a reply, 1024 characters of text kept.
"""

import re
from collections import deque
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
    texts = [_CONTROL.sub(" ", line.decode("utf-8", "replace")).strip() for line in lines]
    match = _ENHANCED.match(texts[0]) if texts else None
    enhanced = match[1] if match else ""
    if enhanced:
        texts[1:] = [text.removeprefix(enhanced).lstrip() for text in texts[1:]]
    text = " ".join(filter(None, texts))
    if len(text) > MAX_TEXT_CHARS:
        text = text[: MAX_TEXT_CHARS - 1] + "…"
    return Reply(code, text, enhanced)


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

    def feed(self, received: bytes) -> None:
        """Add bytes that came from the server."""
        *whole, self._rest = (self._rest + received).split(b"\n")
        self._whole += whole

    def next_reply(self) -> RawReply | None:
        """The next whole reply, or None until there is one.

        Raises:
            NotSmtp: the bytes are no reply, or one without end.
        """
        while self._whole:
            if (reply := self._add_line(self._whole.popleft())) is not None:
                return reply
        if len(self._rest) > MAX_LINE_BYTES:
            raise NotSmtp(_TOO_LONG)
        return None

    def _add_line(self, line: bytes) -> RawReply | None:
        if len(line) > MAX_LINE_BYTES:
            raise NotSmtp(_TOO_LONG)
        match = _LINE.fullmatch(line.removesuffix(b"\r"))
        if match is None:
            raise NotSmtp("its answer does not begin with a reply code")
        code = int(match[1])
        if self._lines and code != self._code:
            raise NotSmtp("the lines of one answer have different codes")
        self._code = code
        self._lines.append(match[3] or b"")
        if match[2] != b"-":
            reply = RawReply(code, tuple(self._lines))
            self._lines = []
            return reply
        if len(self._lines) >= MAX_LINES:
            raise NotSmtp("its answer has more than 100 lines")
        return None

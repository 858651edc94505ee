"""A calendar file for each event whose date is written in numbers (RFC 5545). Pure.

A mail links to it, as to a picture: named by the digest of its bytes, and served from ``/media``.
A time without a zone stays without one, as on a poster; ``UTC`` behind it is kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from newsletter_mail.compose.blocks import Block, Fence
from newsletter_mail.compose.marks import Marks
from newsletter_mail.words import Picture

MEDIA_TYPE = "text/calendar"

_EVENT = "event"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATE = re.compile(rf"({_DAY})(?:[T ]([0-9]{{2}}:[0-9]{{2}})(?:\s*(UTC|Z))?)?")
_DAYS = re.compile(rf"({_DAY})\s*(?:/|–|--)\s*({_DAY})")
# RFC 5545 section 3.3.11.
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
# RFC 5545 section 3.1: octets of a line, without its end.
_MAX_OCTETS = 75


@dataclass(slots=True, kw_only=True)
class CalendarWriter:
    """Makes the calendar files of one issue.

    Attributes:
        source: what names the issue, for the identity of its events: an event that is sent again,
            corrected or in another language, takes the place of the first in a reader's calendar.
        made: the files, in the order of their events.
    """

    marks: Marks
    newsletter_name: str
    language: str
    source: str
    made: list[Picture] = field(default_factory=list)
    _number: int = field(default=0, init=False)

    def blocks(self, blocks: Sequence[Block]) -> list[Block]:
        """The same blocks, with the address of its file in each event that has one."""
        return [self._fence(block) if isinstance(block, Fence) else block for block in blocks]

    def _fence(self, block: Fence) -> Fence:
        if block.name != _EVENT:
            return replace(block, children=tuple(self.blocks(block.children)))
        self._number += 1
        content = self._content(block)
        if content is None:
            return block
        name = f"{sha256(content).hexdigest()[:32]}.ics"
        self.made.append(Picture(name=name, media_type=MEDIA_TYPE, content=content))
        return replace(block, calendar=self.marks.picture(name))

    def _content(self, block: Fence) -> bytes | None:
        options = block.options
        times = _times(block.date)
        said = " ".join(options.get(name, "") for name in ("title", "place"))
        # The file is the same for all.
        if times is None or self.marks.merge_pattern.search(said):
            return None
        link = options.get("link", "")
        texts = {
            "SUMMARY": options.get("title") or self.newsletter_name,
            "LOCATION": options.get("place", ""),
        }
        is_same_for_all = not self.marks.merge_pattern.search(link)
        # RFC 5545 wants a DTSTAMP. No clock is asked: the same issue gives the same bytes.
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//newsletter-mail//newsletter-mail//EN",
            "BEGIN:VEVENT",
            f"UID:{uuid5(NAMESPACE_URL, f'{self.newsletter_name}/{self.source}/{self._number}')}",
            f"DTSTAMP:{block.date[:10].replace('-', '')}T000000Z",
            *times,
            *(
                f"{name};LANGUAGE={self.language}:{text.translate(_ESCAPES)}"
                for name, text in texts.items()
                if text
            ),
            *([f"URL:{link}"] if link and is_same_for_all else []),
            "END:VEVENT",
            "END:VCALENDAR",
        ]
        return b"".join(_folded(line) for line in lines)


def _times(text: str) -> list[str] | None:
    """DTSTART and DTEND, or None where the text is no date of the calendar."""
    text = text.strip()
    try:
        if match := _DAYS.fullmatch(text):
            # RFC 5545 section 3.6.1: the end is the first day that is not a part of the event.
            after = date.fromisoformat(match[2]) + timedelta(days=1)
            return [_day("DTSTART", date.fromisoformat(match[1])), _day("DTEND", after)]
        if match := _DATE.fullmatch(text):
            day, time, zone = match.groups()
            if time is None:
                return [_day("DTSTART", date.fromisoformat(day))]
            start = datetime.fromisoformat(f"{day}T{time}")
            return [f"DTSTART:{_basic(start.isoformat())}{'Z' if zone else ''}"]
    except (OverflowError, ValueError):
        return None
    return None


def _day(name: str, day: date) -> str:
    return f"{name};VALUE=DATE:{_basic(day.isoformat())}"


def _basic(moment: str) -> str:
    """ISO 8601 without its hyphens and colons; ``strftime`` would not fill up early years."""
    return moment.replace("-", "").replace(":", "")


def _folded(line: str) -> bytes:
    """A line of at most 75 octets, and its continuations; no letter is cut in two."""
    parts: list[bytes] = []
    part = b""
    for letter in line:
        octets = letter.encode()
        # A continuation begins with a space.
        if len(part) + len(octets) > _MAX_OCTETS - bool(parts):
            parts.append(part)
            part = b""
        part += octets
    return b"\r\n ".join([*parts, part]) + b"\r\n"

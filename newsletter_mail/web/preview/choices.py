"""What the author has chosen to look at: it stands in the address of the page. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Self
from urllib.parse import quote, urlencode

from newsletter_mail.web.preview.frames import Scheme


class Show(StrEnum):
    """One way to look at an issue."""

    #: A wide screen.
    DESKTOP = "desktop"
    #: Most phones.
    PHONE = "phone"
    #: The smallest phone that is still about.
    SMALL = "small"
    #: A wide screen and a phone beside each other.
    BOTH = "both"
    #: As wide as the window.
    FULL = "full"
    #: The plain-text part.
    TEXT = "text"
    #: The file that the author writes.
    SOURCE = "source"


#: Widths of the frames, CSS pixels; that of ``FULL`` is for the guess of its height.
WIDTHS = {Show.DESKTOP: 640, Show.PHONE: 375, Show.SMALL: 320, Show.FULL: 860}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is looked at, and how.

    Attributes:
        language: "" for the one that the reader would get.
        reader: the address of a subscriber, or "" for nobody in particular.
        show: the way.
        scheme: colours of the reader's device.
        pictures: "on" or "off".
        file: of the source, as a finding names it; "" for that of the language.
        line: to jump to, or 0.
    """

    language: str = ""
    reader: str = ""
    show: Show = Show.DESKTOP
    scheme: Scheme = Scheme.LIGHT
    pictures: str = "on"
    file: str = ""
    line: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """The choice that an address names; what it cannot mean counts as not said."""
        show, scheme, line = (query.get(name, "") for name in ("show", "scheme", "line"))
        return cls(
            language=query.get("language", ""),
            reader=query.get("reader", "").strip(),
            show=Show(show) if show in list(Show) else Show.DESKTOP,
            scheme=Scheme(scheme) if scheme in list(Scheme) else Scheme.LIGHT,
            pictures="off" if query.get("pictures") == "off" else "on",
            file=query.get("file", ""),
            line=int(line) if line.isascii() and line.isdigit() and len(line) < 8 else 0,
        )

    @property
    def is_framed(self) -> bool:
        """The mail itself is shown."""
        return self.show not in (Show.TEXT, Show.SOURCE)

    @property
    def frames(self) -> tuple[Show, ...]:
        """The frames to show, by their width."""
        if self.show is Show.BOTH:
            return (Show.DESKTOP, Show.PHONE)
        return (self.show,) if self.is_framed else ()

    def link(self, slug: str, page: str = "issue", **changes: object) -> str:
        """The address of this choice with some of it changed."""
        if "line" not in changes:
            changes = {"file": "", "line": 0, **changes}
        changed = replace(self, **changes)  # type: ignore[arg-type] # the page's templates name fields
        plain = type(self)()
        said = {
            field.name: str(value)
            for field in fields(self)
            if (value := getattr(changed, field.name)) != getattr(plain, field.name)
        }
        query = f"?{urlencode(said)}" if said else ""
        anchor = f"#L{changed.line}" if changed.line and page == "issue" else ""
        return f"/{page}/{quote(slug)}{query}{anchor}"

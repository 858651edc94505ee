"""For whom the preview fills in a mail: a subscriber, or nobody in particular."""

from dataclasses import dataclass, field

from newsletter_mail.audience.subscribers import find_subscriber
from newsletter_mail.checks.case import NOBODY
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.errors import (
    InvalidAddress,
    MergeValueMissing,
    MessageError,
    NotFound,
    StoreError,
)
from newsletter_mail.merge import Scope
from newsletter_mail.message.patterns import escape, fill_hole, picture_attribute
from newsletter_mail.message.scope import Links, merge_scope
from newsletter_mail.words import Build, Hole, HoleContext, Pattern, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who reads.

    Attributes:
        recipient: what merge tags see.
        trouble: why it is not the person who was asked for, or "".
    """

    recipient: Recipient = NOBODY
    trouble: str = ""

    @property
    def is_somebody(self) -> bool:
        """A subscriber, and not nobody in particular."""
        return self.recipient is not NOBODY


def find_reader(mailer: Mailer | None, address: str) -> Reader:
    """The subscriber with an address; nobody in particular where there is none."""
    if not address:
        return Reader()
    if mailer is None:
        return Reader(trouble="the database cannot be read")
    try:
        return Reader(recipient=find_subscriber(mailer.engine, address).recipient)
    except (InvalidAddress, NotFound, StoreError) as error:
        return Reader(trouble=str(error))


@dataclass(slots=True, kw_only=True)
class Filling:
    """Fills in the texts of one build for one reader.

    A merge tag without value shows its name: the author sees where it stands.

    Attributes:
        base_url: of the public pages; the links of the copy lead to nobody's.
        missing: expressions that had no value, in their order.
    """

    build: Build
    reader: Reader
    base_url: str
    missing: dict[str, None] = field(default_factory=dict)

    def fill(self, pattern: Pattern) -> str:
        """A subject, an HTML or a text."""
        links = Links(
            unsubscribe_url=f"{self.base_url}/u/preview",
            preferences_url=f"{self.base_url}/p/preview",
            web_url=f"{self.base_url}/i/{self.build.slug}",
        )
        scope = merge_scope(self.build, self.reader.recipient, links)
        parts: list[str] = []
        for part in pattern:
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, Hole):
                parts.append(self._value(part, scope))
            else:
                parts.append(picture_attribute(part, "/media/{}".format))
        return "".join(parts)

    def _value(self, hole: Hole, scope: Scope) -> str:
        try:
            return fill_hole(hole, scope)
        except MergeValueMissing as error:
            self.missing[error.expression] = None
        except MessageError:
            self.missing[hole.expression] = None
        if hole.context in (HoleContext.URL, HoleContext.URL_PART, HoleContext.TEXT_URL_PART):
            return ""
        return escape(f"[{hole.expression}]", hole.context)

"""The words of the domain: enumerations and small records; no I/O, no clock.

The glossary is in ``docs/glossary.md``; one word means one thing in code, tables, commands
and documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands. ``newsletter_mail.delivery.states`` owns the transitions."""

    #: Planned; nothing has been handed to a server.
    PENDING = "pending"
    #: Claimed by a sender that is alive; its message may be on the wire.
    SENDING = "sending"
    #: The server accepted the message. It says nothing about the mailbox.
    SENT = "sent"
    #: The server said "later"; due again at ``due_at``.
    DEFERRED = "deferred"
    #: Handed over, answer not heard. Never counted as sent, never tried again in silence.
    UNCERTAIN = "uncertain"
    #: The server said no, or every try was used up.
    FAILED = "failed"
    #: Not to be sent any more: unsubscribed, suppressed or cancelled since it was planned.
    SKIPPED = "skipped"
    #: Accepted at first, and refused later by a bounce.
    BOUNCED = "bounced"


class SubscriptionState(StrEnum):
    """Whether a subscriber is on a list."""

    #: Asked to join and has not confirmed; gets nothing but the question.
    PENDING = "pending"
    #: Gets every issue that is sent to the list.
    ACTIVE = "active"
    #: Has left.
    UNSUBSCRIBED = "unsubscribed"


class SuppressionReason(StrEnum):
    """Why an address must never be written to again."""

    #: The mailbox or its domain does not exist.
    HARD_BOUNCE = "hard_bounce"
    #: Somebody pressed "this is spam".
    COMPLAINT = "complaint"
    #: The person asked to be erased.
    ERASED = "erased"
    #: By hand, or by an import.
    MANUAL = "manual"


class ConsentKind(StrEnum):
    """What happened to the consent of one subscriber for one list; the record is append-only."""

    #: Came onto the list.
    JOINED = "joined"
    #: Confirmed a double opt-in.
    CONFIRMED = "confirmed"
    #: Left the list.
    LEFT = "left"
    #: Took the leaving back.
    UNDONE = "undone"


class Stage(StrEnum):
    """The part of an SMTP conversation in which an answer was given (RFC 5321 section 4)."""

    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    #: After the final dot.
    BODY = "body"


class Verdict(StrEnum):
    """What an answer of the server means for a delivery, and for the send as a whole."""

    #: The message is the server's now.
    ACCEPTED = "accepted"
    #: The address or its domain does not exist: never write to it again.
    ADDRESS_DEAD = "address_dead"
    #: The address exists and takes nothing now (full, suspended): later issues may try.
    MAILBOX_UNAVAILABLE = "mailbox_unavailable"
    #: The address needs SMTPUTF8 and a server on the way does not have it (RFC 6531).
    ADDRESS_UNSUPPORTED = "address_unsupported"
    #: Refused for what is in the message, or by a policy; says nothing about the address.
    MESSAGE_REFUSED = "message_refused"
    #: "Later", about this recipient: greylisting, a mailbox that is full for now.
    TRY_LATER = "try_later"
    #: "Later", because we are too fast: everything slows down.
    THROTTLED = "throttled"
    #: We are refused, whoever the recipient is: the send must stop.
    WE_ARE_REFUSED = "we_are_refused"
    #: The connection ended before the message was handed over; it is safe to try again.
    NOT_HANDED_OVER = "not_handed_over"
    #: The connection ended after the message was handed over and before the answer.
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a server, word for word.

    Attributes:
        code: three digits (RFC 5321 section 4.2), or 0 where it was not SMTP that answered.
        text: the lines of it, joined by one space, control characters taken out; with its
            enhanced code.
        enhanced: class.subject.detail (RFC 3463), or "".
    """

    code: int
    text: str
    enhanced: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}" if self.code else self.text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try to deliver one message."""

    verdict: Verdict
    reply: Reply
    stage: Stage


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a message goes, apart from what it says (RFC 5321 section 2.3.1).

    Attributes:
        sender: the return path; names the delivery (VERP).
        recipient: one address, its domain in A-labels.
        needs_smtputf8: the recipient's local part is not ASCII (RFC 6531).
    """

    sender: str
    recipient: str
    needs_smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready for a transport.

    Attributes:
        key: the subscriber's row number, or the place in a list of test addresses: whatever the
            caller knows it by.
        ref: names the message among all; letters and digits only; the same at every try.
        envelope: where it goes.
        content: header and body in pieces, CRLF line ends, ending in CRLF. No line starts
            with a dot, so that a server needs no dot-stuffing (RFC 5321 section 4.5.2).
        is_ascii: whoever made it knows that the content is ASCII; to look costs 5 µs.
    """

    key: int
    ref: str
    envelope: Envelope
    content: tuple[bytes, ...]
    is_ascii: bool = False

    @property
    def size(self) -> int:
        """Bytes of the content, for SIZE (RFC 1870)."""
        return sum(map(len, self.content))


class HoleContext(StrEnum):
    """Where a merge value lands, which decides how it is escaped."""

    #: Text or an attribute that is no address, in HTML.
    HTML = "html"
    #: A whole link in an HTML attribute: must be http, https or mailto.
    URL = "url"
    #: A part of a link in an HTML attribute: percent-encoded.
    URL_PART = "url_part"
    #: Plain text.
    TEXT = "text"
    #: A part of a link in plain text: percent-encoded.
    TEXT_URL_PART = "text_url_part"
    #: A header, such as the subject.
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Hole:
    """A merge tag in a compiled text, filled in for each recipient."""

    expression: str
    context: HoleContext


@dataclass(frozen=True, slots=True)
class PictureRef:
    """The place in a compiled text where the address of a picture goes; ``name`` is the file's."""

    name: str


#: A compiled text: what is the same for all, merge tags, and addresses of pictures.
Pattern = tuple[str | Hole | PictureRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of an issue, or the calendar file of an event in it.

    Attributes:
        name: hex digest of the bytes and a suffix, ``0123abcd….png``: safe in a path and a URL.
        media_type: such as ``image/png``.
        content: the bytes.
    """

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One issue in one language, compiled. The same inputs give the same digest everywhere.

    Attributes:
        slug: the issue's.
        language: BCP 47 tag, such as ``en`` or ``pt-BR``.
        title: the masthead's, plain text.
        subject: one line, plain text.
        html: a whole document.
        text: the plain-text part, lines ended by LF.
        pictures: each that ``html`` refers to, and the calendar files of events.
        digest: SHA-256, hex, over all of this.
        embeds_pictures: they travel inside the message; else readers fetch them from the sender's
            own host.
        template: that it was compiled with; "" where that is not known any more.
    """

    slug: str
    language: str
    title: str
    subject: Pattern
    html: Pattern
    text: Pattern
    pictures: tuple[Picture, ...]
    digest: str
    embeds_pictures: bool = False
    template: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What a message may say about the person whom it goes to.

    Attributes:
        public_id: random, unguessable, stable; stands for the person in links.
        email: as the person gave it.
        language: BCP 47 tag, or "" where it is not known.
        attributes: free ones; values as in JSON.
    """

    public_id: str
    email: str
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)

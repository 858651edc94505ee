"""A message compiled once and filled for each recipient. Pure: no I/O, no clock.

Static text is encoded when the template is made. ``fill`` evaluates each merge tag once, encodes
its value and puts the pieces in their places; it copies no body.

Measured with Python 3.11 on one busy core: a message of 89 KB with 10 places for values takes 17 µs
to fill and its template 5 ms to make; to check that it can be filled takes 8 µs.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from newsletter_mail.addresses import Address
from newsletter_mail.errors import MessageError
from newsletter_mail.merge import Scope, parse_merge_tag
from newsletter_mail.message.body import Body
from newsletter_mail.message.dkim import Signer, TemplateSigner
from newsletter_mail.message.headers import (
    addr_spec,
    ascii_label,
    language_header,
    list_id_header,
    list_unsubscribe_header,
    mailbox_header,
    text_header,
)
from newsletter_mail.message.identity import Identity
from newsletter_mail.message.multipart import content_url, frame_of
from newsletter_mail.message.patterns import fill_hole, picture_attribute
from newsletter_mail.message.scope import Links, full_name, issue_scope, merge_scope
from newsletter_mail.message.verp import envelope_sender
from newsletter_mail.words import Build, Envelope, Hole, Outgoing, Pattern, Recipient


class _OwnParts(NamedTuple):
    """What only one recipient's message says; to make it is all of ``fill`` that can fail."""

    to: str
    subject: str
    leaving: str
    sender: str
    values: list[bytes]


class MessageTemplate:
    """One build, as one sender sends it; makes the message of each recipient.

    Args:
        build: what is sent.
        identity: who sends.
        picture_url: makes the address of a picture from its name, unless the build embeds them.
        is_test: mark the subject with ``[Test]``.
        signer: signs each message (DKIM); None: they go unsigned.

    Raises:
        HeaderInjection: CR, LF or NUL in a name or an address of the sender, or no language tag in
            the build.
        InvalidAddress: an address of the sender that cannot stand in a header.
        MergeValueMissing: a merge tag about the issue, the same for all, has no value.
        MergeTagError: a merge tag that composing should have refused.
        MessageError: a picture to embed is not there.
    """

    def __init__(
        self,
        build: Build,
        *,
        identity: Identity,
        picture_url: Callable[[str], str],
        is_test: bool = False,
        signer: Signer | None = None,
    ) -> None:
        self._build = build
        addr_spec(identity.bounce_address)
        self._bounce_address = identity.bounce_address
        self._domain = addr_spec(identity.from_address).rpartition("@")[2].lower()
        mark = ("[Test] ",) if is_test else ()
        self._subject = tuple(_constant_parts((*mark, *build.subject), build, picture_url))
        is_constant = all(isinstance(part, str) for part in self._subject)
        self._subject_line = _subject_header(self._subject, {}) if is_constant else ""
        self._before_to = mailbox_header("From", identity.from_name, identity.from_address)
        self._after_to = (
            mailbox_header("Reply-To", "", identity.reply_to) if identity.reply_to else ""
        )
        list_label = ascii_label(identity.list_slug)
        self._list_id = list_id_header(identity.list_name, f"{list_label}.{self._domain}")
        feedback_id = f"{ascii_label(build.slug)}:{list_label}:newsletter:{identity.sender_id}"
        frame = frame_of(build, domain=self._domain)
        if build.embeds_pictures:
            picture_url = content_url(self._domain)
        self._after_list_unsubscribe = (
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            "Precedence: bulk\r\n"
            f"Feedback-ID: {feedback_id}\r\n"
            f"{language_header(build.language)}"
            "X-Auto-Response-Suppress: OOF, AutoReply\r\n"
            "MIME-Version: 1.0\r\n"
            f"{frame.content_type}"
            "\r\n"
        )
        self._body = Body(
            frame.opening.encode() + _opening(frame.boundary, "plain"),
            tuple(_constant_parts(build.text, build, picture_url)),
            b"\r\n" + _opening(frame.boundary, "html"),
            tuple(_constant_parts(build.html, build, picture_url)),
            f"\r\n--{frame.boundary}--\r\n".encode() + frame.closing,
        )
        self._signer = signer and TemplateSigner(
            signer,
            fixed_headers=(
                f"{self._before_to}{self._after_to}{self._list_id}{self._after_list_unsubscribe}"
            ),
            body=self._body.pieces,
            places=self._body.places,
        )

    def fill(
        self,
        recipient: Recipient,
        *,
        address: Address,
        links: Links,
        ref: str,
        date: datetime,
        key: int = 0,
    ) -> Outgoing:
        """Make the message for one recipient. The same arguments give the same bytes.

        Args:
            recipient: whom the merge tags speak of.
            address: where it goes; in a test not the recipient's own.
            links: the recipient's.
            ref: names the message in Message-ID and envelope sender; letters and digits.
            date: aware; when the delivery was first tried.
            key: comes back in the result.

        Raises:
            MergeValueMissing: a merge tag without value and without default.
            HeaderInjection: CR, LF or NUL in something that stands in a header.
            InvalidAddress: ``address`` cannot stand in a header, or the ref leaves no room for
                itself in the envelope sender.
            MessageError: a value that should be a link and is none, or an empty subject.
            ValueError: ``date`` is naive.
        """
        own = self._own_parts(recipient, address=address, links=links, ref=ref)
        date_line = _date_header(date)
        message_id = f"Message-ID: <{ref}@{self._domain}>\r\n"
        signature = ""
        if self._signer:
            varying = (own.to, own.subject, date_line, message_id, own.leaving)
            signature = self._signer.header(varying, own.values, date=date)
        head = (
            signature,
            self._before_to,
            own.to,
            self._after_to,
            own.subject,
            date_line,
            message_id,
            self._list_id,
            own.leaving,
            self._after_list_unsubscribe,
        )
        header = "".join(head).encode()
        return Outgoing(
            key=key,
            ref=ref,
            envelope=Envelope(
                sender=own.sender,
                recipient=address.wire,
                needs_smtputf8=address.needs_smtputf8,
            ),
            content=(header, *self._body.fill(own.values)),
            # The body is quoted-printable or base64.
            is_ascii=header.isascii(),
        )

    def check(self, recipient: Recipient, *, address: Address, links: Links, ref: str) -> None:
        """Raise what ``fill`` would raise: it is the part of ``fill`` that can fail.

        Args:
            links: of the length of the recipient's own. They stand in for those in everybody's
                check, so that nothing has to be signed and they are encoded once.
            ref: of the length of a real one.

        Raises:
            MessageError: the message cannot be made for this recipient.
        """
        self._own_parts(recipient, address=address, links=links, ref=ref)

    def _own_parts(
        self, recipient: Recipient, *, address: Address, links: Links, ref: str
    ) -> _OwnParts:
        scope = merge_scope(self._build, recipient, links)
        return _OwnParts(
            to=mailbox_header("To", full_name(recipient), address),
            subject=self._subject_line or _subject_header(self._subject, scope),
            leaving=list_unsubscribe_header(links.unsubscribe_url, links.unsubscribe_mailto),
            # The ref is checked here, before it stands in Message-ID.
            sender=envelope_sender(self._bounce_address, ref),
            values=self._body.values(scope),
        )


def _subject_header(parts: Sequence[str | Hole], scope: Scope) -> str:
    subject = "".join([part if isinstance(part, str) else fill_hole(part, scope) for part in parts])
    if not subject.strip():
        raise MessageError("the subject is empty")
    return text_header("Subject", subject)


# All deliveries that are claimed together have the same date, and this costs 4 µs.
@lru_cache(maxsize=64)
def _date_header(date: datetime) -> str:
    if date.tzinfo is None:
        raise ValueError("the date of a message must know its time zone")
    return f"Date: {format_datetime(date.astimezone(UTC))}\r\n"


def _opening(boundary: str, subtype: str) -> bytes:
    return (
        f"--{boundary}\r\n"
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
    ).encode()


def _constant_parts(
    pattern: Pattern, build: Build, picture_url: Callable[[str], str]
) -> Iterator[str | Hole]:
    """The pattern with pictures and tags about the issue filled in, neighbouring texts joined."""
    scope: Scope = {"issue": issue_scope(build)}
    text = ""
    for part in pattern:
        if isinstance(part, str):
            text += part
        elif not isinstance(part, Hole):
            text += picture_attribute(part, picture_url)
        elif all(name.startswith("issue.") for name in parse_merge_tag(part.expression).names):
            text += fill_hole(part, scope)
        else:
            if text:
                yield text
            yield part
            text = ""
    if text:
        yield text

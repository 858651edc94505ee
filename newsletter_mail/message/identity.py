"""Who sends. Pure."""

import re
from dataclasses import dataclass
from hashlib import sha256

from newsletter_mail.addresses import Address
from newsletter_mail.errors import InvalidAddress, MessageError
from newsletter_mail.message.headers import ascii_label

_SENDER_ID = re.compile(r"[A-Za-z0-9-]{5,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends: the same for all recipients of a list.

    Attributes:
        from_name: for people; may be "".
        from_address: its domain also names the messages (Message-ID) and the list (List-ID).
        reply_to: where answers go, or None for the From address.
        bounce_address: what the envelope sender is made from (``verp``).
        list_slug: the list's, stable for its life.
        list_name: for people.
        sender_id: the last field of Feedback-ID; 5 to 15 letters, digits or ``-``, the same in
            everything that this sender ever sends (``sender_id_for`` makes one).

    Raises:
        InvalidAddress: one of our own addresses has a local part that is not ASCII: nobody
            without SMTPUTF8 could get or answer the message.
        MessageError: the sender id has another form.
    """

    from_name: str
    from_address: Address
    reply_to: Address | None
    bounce_address: Address
    list_slug: str
    list_name: str
    sender_id: str

    def __post_init__(self) -> None:
        for address in (self.from_address, self.reply_to, self.bounce_address):
            if address is not None and address.needs_smtputf8:
                raise InvalidAddress(
                    address.display, "a sender's address must be ASCII before the @"
                )
        if not _SENDER_ID.fullmatch(self.sender_id):
            raise MessageError(
                f"{self.sender_id!r} is not a sender id for Feedback-ID: "
                "it has 5 to 15 letters, digits or hyphens"
            )


def sender_id_for(domain: str) -> str:
    """A sender id for Feedback-ID that is always the same for a domain.

    >>> sender_id_for("example.org")
    'example-org'
    """
    label = ascii_label(domain)
    if 5 <= len(label) <= 15:
        return label
    return f"{label[:6]}-{sha256(domain.encode()).hexdigest()[:8]}"

"""Envelope senders that name the delivery (VERP), so that a bounce says which one. Pure.

``bounces@example.org`` becomes ``bounces+REF@example.org``. REF is keyed
(``Tokens.message_ref``), so nobody can make up a bounce.
"""

import re

from newsletter_mail.addresses import Address
from newsletter_mail.errors import InvalidAddress, MessageError

#: Octets of a local part (RFC 5321 section 4.5.3.1.1).
MAX_LOCAL_PART = 64

_REF = re.compile(r"[A-Za-z0-9]{1,64}")


def check_ref(ref: str) -> str:
    """The ref itself.

    Raises:
        MessageError: anything but ASCII letters and digits in it; it goes into headers and into
            the SMTP conversation as it stands.
    """
    if not _REF.fullmatch(ref):
        raise MessageError(f"{ref!r} cannot name a message: only letters and digits can")
    return ref


def envelope_sender(bounce_address: Address, ref: str) -> str:
    """The return path of one delivery.

    Raises:
        MessageError: ``ref`` is more than letters and digits.
        InvalidAddress: there is no room for it in the local part.
    """
    local, _, domain = bounce_address.wire.rpartition("@")
    sender = f"{local}+{check_ref(ref)}@{domain}"
    if len(local) + 1 + len(ref) > MAX_LOCAL_PART:
        room = MAX_LOCAL_PART - 1 - len(ref)
        raise InvalidAddress(
            sender,
            f"the part before the @ of the bounce address may have {room} characters at most",
        )
    return sender


def read_envelope_sender(address: str, bounce_address: Address) -> str | None:
    """The ref in the recipient of a bounce, or None where the address is not one of ours.

    Case does not count: servers on the way change it. The ref comes back in lower case, as
    ``Tokens.message_ref`` makes it.
    """
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    own_local, _, own_domain = bounce_address.wire.lower().rpartition("@")
    prefix, plus, ref = local.rpartition("+")
    is_ours = domain == own_domain and prefix == own_local and plus == "+"
    return ref if is_ours and _REF.fullmatch(ref) else None

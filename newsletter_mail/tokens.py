"""Signed links: who may leave, choose or confirm without logging in. Pure.

A token is an itsdangerous signature (HMAC-SHA-256) over the random public id of the subscriber
and the slug of the issue. Each purpose has a salt of its own, so that a token made for one cannot
stand for another. Unsubscribe and preference tokens never expire (CAN-SPAM wants 30 days, CASL 60,
and people read old mail).
"""

import hashlib
import hmac
import re
from binascii import b2a_base64
from collections.abc import Sequence
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode

from newsletter_mail.errors import BadToken

#: A token longer than this is not ours; refused before anything is computed.
MAX_TOKEN_LENGTH = 512
#: Characters of a message ref: 128 bits in Base32, without padding.
REF_LENGTH = 26
# Two characters of base32 (RFC 4648 section 6) for each value of ten bits.
_PAIRS = [a + b for a, b in product("abcdefghijklmnopqrstuvwxyz234567", repeat=2)]
# Base64 forgives characters that do not belong to it and bits that it does not need, so a changed
# token could still be good. The last character of 32 bytes holds four bits.
_SHAPE = re.compile(r"[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)
_TEST = "\ntest"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(StrEnum):
    """What a token is for; also the salt of its signature."""

    UNSUBSCRIBE = "newsletter-mail.unsubscribe"
    PREFERENCES = "newsletter-mail.preferences"


class Grant(NamedTuple):
    """What a good token says.

    Attributes:
        subscriber: the public id.
        issue: the slug of the issue whose mail carried the link.
        is_test: the link was in a test message; nothing may change.
    """

    subscriber: str
    issue: str
    is_test: bool = False


class Tokens:
    """Makes and reads tokens.

    Args:
        keys: secret keys, newest first: the first signs, all verify.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous wants the oldest first.
        self._signers = {
            purpose: Signer(
                list(reversed(keys)),
                salt=purpose.value,
                key_derivation="hmac",
                digest_method=hashlib.sha256,
            )
            for purpose in Purpose
        }
        # To sign, it derives the key and hashes it anew for every token: 6 µs, twice a message.
        # A copy of a MAC that has taken in its key already costs 2 and gives the same bytes.
        self._macs = {
            purpose: _mac(signer.derive_key()) for purpose, signer in self._signers.items()
        }
        self._ref_mac = _mac(keys[0].encode())

    def sign(self, purpose: Purpose, grant: Grant) -> str:
        """A token: URL-safe, at most ``MAX_TOKEN_LENGTH`` characters."""
        subscriber, issue, is_test = grant
        payload = _base64(f"{subscriber}\n{issue}{_TEST if is_test else ''}".encode())
        mac = self._macs[purpose].copy()
        mac.update(payload)
        return f"{payload.decode()}.{_base64(mac.digest()).decode()}"

    def read(self, purpose: Purpose, token: str) -> Grant:
        """What the token grants.

        Raises:
            BadToken: forged, cut, made for another purpose or with another key.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise BadToken("the token is too long")
        if not _SHAPE.fullmatch(token):
            raise BadToken("the token has another shape")
        try:
            words = base64_decode(self._signers[purpose].unsign(token)).decode().split("\n")
        except (BadData, ValueError) as error:
            raise BadToken("the signature of the token does not hold") from error
        match words:
            case [subscriber, issue]:
                return Grant(subscriber, issue)
            case [subscriber, issue, "test"]:
                return Grant(subscriber, issue, is_test=True)
        raise BadToken("the token has another shape")

    def message_ref(self, edition: str, subscriber: str) -> str:
        """Names one message in its Message-ID and its envelope sender.

        Keyed, so that nobody can make one up (it is the MAC of the VERP address), and the same at
        every try of a delivery.

        Args:
            edition: the digest of what is sent.
            subscriber: the public id.

        Returns:
            ``REF_LENGTH`` characters a-z and 2-7.
        """
        mac = self._ref_mac.copy()
        mac.update(f"{edition}\0{subscriber}".encode())
        return _base32(mac.digest()[:16])


def _base32(sixteen: bytes) -> str:
    """In lower case and without padding; ``base64.b32encode`` takes 10 µs, this 2."""
    bits = int.from_bytes(sixteen) << 2
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(120, -1, -10)])


def _mac(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def _base64(octets: bytes) -> bytes:
    """URL-safe and without padding, as itsdangerous writes it (RFC 4648 section 5)."""
    return b2a_base64(octets, newline=False).translate(_URL_SAFE, b"=")

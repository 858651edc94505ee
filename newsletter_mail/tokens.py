"""Signed links: who may leave, choose or confirm without logging in. Pure.

A token is an itsdangerous signature (HMAC-SHA-256) over the random public id of the subscriber
and the slug of the issue. Each purpose has a salt of its own, so that a token made for one cannot
stand for another. Unsubscribe and preference tokens never expire (CAN-SPAM wants 30 days, CASL 60,
and people read old mail).
"""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadSignature, URLSafeSerializer

from newsletter_mail.errors import BadToken

#: A token longer than this is not ours; refused before anything is computed.
MAX_TOKEN_LENGTH = 512


class Purpose(StrEnum):
    """What a token is for; also the salt of its signature."""

    UNSUBSCRIBE = "newsletter-mail.unsubscribe"
    PREFERENCES = "newsletter-mail.preferences"


@dataclass(frozen=True, slots=True)
class Grant:
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
        self._serializers = {
            purpose: URLSafeSerializer(
                list(reversed(keys)),
                salt=purpose.value,
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )
            for purpose in Purpose
        }
        self._key = keys[0].encode()

    def sign(self, purpose: Purpose, grant: Grant) -> str:
        """A token: URL-safe, at most ``MAX_TOKEN_LENGTH`` characters."""
        payload: list[object] = [grant.subscriber, grant.issue]
        if grant.is_test:
            payload.append(1)
        return self._serializers[purpose].dumps(payload)

    def read(self, purpose: Purpose, token: str) -> Grant:
        """What the token grants.

        Raises:
            BadToken: forged, cut, made for another purpose or with another key.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise BadToken("the token is too long")
        try:
            payload = self._serializers[purpose].loads(token)
        except (BadSignature, ValueError) as error:
            raise BadToken("the signature of the token does not hold") from error
        match payload:
            case [str() as subscriber, str() as issue]:
                return Grant(subscriber, issue)
            case [str() as subscriber, str() as issue, 1]:
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
            26 characters a-z and 2-7 (128 bits).
        """
        digest = hmac.digest(self._key, f"{edition}\0{subscriber}".encode(), "sha256")
        return b32encode(digest[:16]).decode().rstrip("=").lower()

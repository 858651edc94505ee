"""What an SMTP server can do, as its answer to EHLO says (RFC 5321 section 4.1.1.1). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The service extensions that matter for sending.

    Attributes:
        pipelining: commands may be sent in groups (RFC 2920).
        eight_bit: content that is not ASCII (RFC 6152).
        smtputf8: addresses that are not ASCII (RFC 6531).
        starttls: RFC 3207.
        announces_size: MAIL may name the size (RFC 1870).
        max_size: bytes of a message at most, or 0 where no limit is named.
        auth: the mechanisms (RFC 4954), upper case.
    """

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    starttls: bool = False
    announces_size: bool = False
    max_size: int = 0
    auth: frozenset[str] = frozenset()


def parse_extensions(lines: Iterable[bytes]) -> Extensions:
    """Read the lines of the answer to EHLO that follow the first.

    What is not understood is passed over: a server may announce anything.
    """
    params: dict[str, list[str]] = {}
    for line in lines:
        # "AUTH=LOGIN" is how servers spelled it for clients of the last century.
        words = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ", 1).split()
        if words:
            params.setdefault(words[0], []).extend(words[1:])
    size = "".join(params.get("SIZE", [])[:1])
    return Extensions(
        pipelining="PIPELINING" in params,
        eight_bit="8BITMIME" in params,
        smtputf8="SMTPUTF8" in params,
        starttls="STARTTLS" in params,
        announces_size="SIZE" in params,
        # Twenty digits at most (RFC 1870 section 3).
        max_size=int(size) if size.isascii() and size.isdigit() and len(size) <= 20 else 0,
        auth=frozenset(params.get("AUTH", [])),
    )

"""What an SMTP session tells the one who drives it. No I/O."""

from dataclasses import dataclass

from newsletter_mail.errors import TransportError
from newsletter_mail.words import Outcome, Outgoing


@dataclass(frozen=True, slots=True)
class Ready:
    """Messages can be submitted from now on."""


@dataclass(frozen=True, slots=True)
class TlsWanted:
    """Upgrade the connection, then call ``tls_started``."""


@dataclass(frozen=True, slots=True)
class Answered:
    """It is known what became of a message."""

    outgoing: Outgoing
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Returned:
    """The connection ended, and it is certain that the server does not have the message.

    Attributes:
        outcome: what to report if it is not tried again.
        was_next: the server's answer to this message was being waited for, so that the message
            itself may be what ended the connection.
    """

    outgoing: Outgoing
    outcome: Outcome
    was_next: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is over and to be closed; no event follows. ``error`` is None after QUIT."""

    error: TransportError | None


Event = Ready | TlsWanted | Answered | Returned | Ended

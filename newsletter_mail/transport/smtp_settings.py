"""What the SMTP transport has to know. No I/O."""

import ipaddress
import ssl
from dataclasses import dataclass, field

from newsletter_mail.transport.opening import Security
from newsletter_mail.words import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a server, in seconds, by phase.

    RFC 5321 section 4.5.3.2 allows a server 5 minutes for the greeting, MAIL and RCPT, 2 for
    DATA and 10 after the final dot. A relay that needs more than a minute for a command will not
    carry a newsletter; after the dot it gets its 10, because giving up makes a message uncertain.
    """

    connect: float = 30.0
    banner: float = 60.0
    command: float = 60.0
    data: float = 60.0
    body: float = 600.0

    def capped(self, seconds: float) -> "Timeouts":
        """None longer than ``seconds``."""
        return Timeouts(
            connect=min(self.connect, seconds),
            banner=min(self.banner, seconds),
            command=min(self.command, seconds),
            data=min(self.data, seconds),
            body=min(self.body, seconds),
        )

    def for_stage(self, stage: Stage) -> float:
        """The wait for the answer of this stage."""
        if stage is Stage.BODY:
            return self.body
        if stage is Stage.DATA:
            return self.data
        return self.banner if stage is Stage.CONNECT else self.command

    @property
    def shortest(self) -> float:
        """The least of them."""
        return min(self.connect, self.banner, self.command, self.data, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """An SMTP server and the manners to use with it.

    Attributes:
        security: checked before a login or a message leaves.
        user: "" for no login.
        password: never shown.
        helo: our name in EHLO, or "" to say the address that we come from.
        connections: at most so many at once.
        messages_per_connection: then a new one; many servers want that.
        backoff: waits before each new try to connect, in seconds; after the last the way is
            taken to be broken.
        quit_wait: seconds to wait for an answer to QUIT.
        tls: the trust in certificates; None for the system's.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    helo: str = ""
    connections: int = 10
    messages_per_connection: int = 100
    timeouts: Timeouts = Timeouts()
    backoff: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    quit_wait: float = 1.0
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def peer(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine. No look-up is made."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

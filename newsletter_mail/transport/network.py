"""What sockets and TLS say, in words that a user can act on. Pure, but for the host's own name."""

import os
import socket
import ssl

from newsletter_mail.errors import TlsFailed
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp_settings import SmtpSettings


def own_name(sockname: object) -> str:
    """A domain if the host has one, else an address literal (RFC 5321 section 4.1.3)."""
    name = socket.gethostname()
    if "." in name.strip(".") and name.isascii():
        return name
    address = sockname[0] if isinstance(sockname, tuple) else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def reason_of(error: Exception) -> str:
    """Why there is no connection; goes behind a colon."""
    if isinstance(error, socket.gaierror):
        return "there is no host of this name, or the name service does not answer"
    if isinstance(error, ssl.SSLError):  # an OSError too, with numbers of its own
        return _tls_reason(error)
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        # asyncio puts addresses into its text; the plain reason reads better.
        return os.strerror(error.errno or 0).lower()
    return str(error) or type(error).__name__


def tls_failed(settings: SmtpSettings, error: ssl.SSLError) -> TlsFailed:
    """What to do about a handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"the certificate of {settings.peer} is not good: {error.verify_message}; for an own "
            "certificate authority set SSL_CERT_FILE to its certificate"
        )
    if settings.security is Security.IMPLICIT and _tls_reason(error) == "WRONG_VERSION_NUMBER":
        return TlsFailed(
            f"{settings.peer} does not speak TLS from the start; for STARTTLS write smtp:// "
            "with its port (587)"
        )
    return TlsFailed(f"no TLS with {settings.peer}: {_tls_reason(error)}")


def _tls_reason(error: ssl.SSLError) -> str:
    # Only errors of OpenSSL itself have the attribute.
    reason: str | None = getattr(error, "reason", None)
    return reason or str(error)

"""Connections and TLS on asyncio, with errors that a user can act on."""

import asyncio
import ssl

from newsletter_mail.errors import ConnectFailed, TransportTimeout
from newsletter_mail.transport.network import reason_of, tls_failed
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp_settings import SmtpSettings


async def connect(settings: SmtpSettings, protocol: asyncio.BufferedProtocol) -> None:
    """Connect a protocol to the server; under TLS if that comes first.

    Raises:
        ConnectFailed, TransportTimeout, TlsFailed.
    """
    loop = asyncio.get_running_loop()
    is_tls = settings.security is Security.IMPLICIT
    try:
        async with asyncio.timeout(settings.timeouts.connect):
            await loop.create_connection(
                lambda: protocol,
                settings.host,
                settings.port,
                ssl=_trust(settings) if is_tls else None,
                server_hostname=settings.host if is_tls else None,
            )
    except TimeoutError as error:
        raise TransportTimeout(
            f"{settings.peer} did not take a connection within {settings.timeouts.connect:g} s"
        ) from error
    except ssl.SSLError as error:
        raise tls_failed(settings, error) from error
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(f"cannot connect to {settings.peer}: {reason_of(error)}") from error


async def start_tls(
    settings: SmtpSettings, transport: asyncio.Transport, protocol: asyncio.BufferedProtocol
) -> asyncio.Transport:
    """Put TLS on a connection; the protocol goes on with the transport that comes back.

    Raises:
        ConnectFailed, TransportTimeout, TlsFailed.
    """
    loop, seconds = asyncio.get_running_loop(), settings.timeouts.command
    try:
        async with asyncio.timeout(seconds):
            encrypted = await loop.start_tls(
                transport, protocol, _trust(settings), server_hostname=settings.host
            )
    except TimeoutError as error:
        raise TransportTimeout(
            f"{settings.peer} did not finish the TLS handshake within {seconds:g} s"
        ) from error
    except ssl.SSLError as error:
        raise tls_failed(settings, error) from error
    except OSError as error:
        raise ConnectFailed(
            f"{settings.peer} closed the connection in the TLS handshake: {reason_of(error)}"
        ) from error
    if encrypted is None:
        raise ConnectFailed(f"{settings.peer} closed the connection in the TLS handshake")
    return encrypted


def _trust(settings: SmtpSettings) -> ssl.SSLContext:
    return settings.tls or ssl.create_default_context()

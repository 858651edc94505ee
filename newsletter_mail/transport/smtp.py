"""The SMTP transport."""

import ssl
from dataclasses import replace

from newsletter_mail.transport.base import Feed, Report
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp_dispatch import Dispatcher
from newsletter_mail.transport.smtp_settings import SmtpSettings


class SmtpTransport:
    """Delivers to one SMTP server; see ``transport.base.Transport``."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings

    @property
    def connections(self) -> int:
        """At most twice as many messages are in its hands at once."""
        return self.settings.connections

    @property
    def description(self) -> str:
        """Such as ``smtp://mail.example.org:587 (STARTTLS, as USER)``."""
        settings = self.settings
        scheme = "smtps" if settings.security is Security.IMPLICIT else "smtp"
        login = f", as {settings.user}" if settings.user else ""
        return f"{scheme}://{settings.peer} ({settings.security.value}{login})"

    async def run(self, feed: Feed, report: Report) -> None:
        """Deliver what the feed gives, until it gives None; see ``Transport.run``."""
        settings = self.settings
        if settings.security is not Security.NONE and settings.tls is None:
            # Reading the system's authorities takes 15 ms: once, not for each connection.
            settings = replace(settings, tls=ssl.create_default_context())
        await Dispatcher(settings, feed, report).deliver()

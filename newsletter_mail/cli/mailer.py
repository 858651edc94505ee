"""From settings to what the delivery floor needs."""

from newsletter_mail.cli.session import Session, now
from newsletter_mail.cli.signing import signer_of
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.errors import ConfigError
from newsletter_mail.message.dkim import Signer
from newsletter_mail.settings import Settings
from newsletter_mail.tokens import Tokens
from newsletter_mail.transport.base import Transport
from newsletter_mail.transport.urls import open_transport

#: Signs the links of files that are only looked at, where there is no key yet.
_KEY_OF_A_LOOK = "not a secret: for looking only"


def transport_of(settings: Settings) -> Transport:
    """The transport of the settings; nothing is connected yet.

    Raises:
        ConfigError: its URL cannot be used.
    """
    section = settings.transport
    return open_transport(
        section.url,
        workspace=settings.workspace,
        password=settings.smtp_password.get_secret_value() or None,
        connections=section.connections,
    )


def mailer_of(session: Session) -> Mailer:
    """What sends messages from this workspace.

    Raises:
        ConfigError: no secret key, or a transport or a DKIM key that cannot be used.
    """
    settings = session.settings
    return _mailer(session, Tokens(settings.secret_keys), signer_of(settings))


def looking_mailer_of(session: Session) -> Mailer:
    """The same for what only looks: works without keys; its links may grant nothing."""
    try:
        keys = session.settings.secret_keys
    except ConfigError:
        keys = (_KEY_OF_A_LOOK,)
    return _mailer(session, Tokens(keys), None)


def _mailer(session: Session, tokens: Tokens, signer: Signer | None) -> Mailer:
    settings = session.settings
    return Mailer(
        engine=session.database,
        transport=transport_of(settings),
        newsletter_name=settings.newsletter.name,
        base_url=settings.web.base_url,
        tokens=tokens,
        sender=settings.sender,
        pacing=settings.transport,
        delivery=settings.delivery,
        clock=now,
        signer=signer,
    )

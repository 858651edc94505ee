"""From settings to the key that signs the messages."""

from newsletter_mail.cli.output import warn
from newsletter_mail.errors import ConfigError
from newsletter_mail.message.dkim import GOOD_RSA_BITS, Signer, is_aligned
from newsletter_mail.settings import Settings


def signer_of(settings: Settings) -> Signer | None:
    """What signs the messages of this workspace (DKIM), or None where nothing is set.

    Raises:
        ConfigError: the key cannot be used, or receivers would not hold its signature for the
            sender's.
    """
    section = settings.dkim
    if not section.domain:
        return None
    sender = settings.sender.address.domain
    if not is_aligned(section.domain, sender):
        raise ConfigError(
            f"[dkim] domain {section.domain} does not sign for the sender's {sender}: "
            "it must be that domain, or one above or below it"
        )
    path, pem = settings.read_dkim_key()
    signer = Signer.from_pem(
        pem, domain=section.domain, selector=section.selector, origin=str(path)
    )
    if signer.is_short:
        warn(f"{path}: some receivers ignore so short a key; make one of {GOOD_RSA_BITS} bits")
    return signer

"""What the merge tags of a message can read. Pure: no I/O, no clock."""

from typing import NamedTuple

from newsletter_mail.merge import Scope
from newsletter_mail.words import Build, Recipient


class Links(NamedTuple):
    """The addresses that are one recipient's own.

    Attributes:
        unsubscribe_url: of the page that also takes the one-click POST (RFC 8058).
        preferences_url: where the person changes what they get.
        web_url: the issue on the web.
        unsubscribe_mailto: ``mailto:…``, or "" where nobody reads such mail.
    """

    unsubscribe_url: str
    preferences_url: str
    web_url: str
    unsubscribe_mailto: str = ""


def issue_scope(build: Build) -> Scope:
    """The part of the scope that is the same for all recipients."""
    return {"slug": build.slug, "title": build.title, "language": build.language}


def full_name(recipient: Recipient) -> str:
    """The name of a person, put together from its parts where it was not given whole."""
    return recipient.name or f"{recipient.first_name} {recipient.last_name}".strip()


def merge_scope(build: Build, recipient: Recipient, links: Links) -> Scope:
    """Everything that a merge tag can name (``merge.KNOWN_NAMES``), for one recipient."""
    return {
        "subscriber": {
            "email": recipient.email,
            "first_name": recipient.first_name,
            "last_name": recipient.last_name,
            "name": full_name(recipient),
            "language": recipient.language,
            "attributes": recipient.attributes,
        },
        "issue": issue_scope(build),
        "unsubscribe_url": links.unsubscribe_url,
        "preferences_url": links.preferences_url,
        "web_url": links.web_url,
    }

"""Settings of a workspace: ``newsletter.toml``, overridden by ``.env`` and the environment.

The names are in ``docs/settings.md``. Each floor gets only the section that it needs.
"""

from newsletter_mail.settings.loading import (
    FILE_NAME,
    SECRETS,
    Settings,
    find_workspace,
    is_env_file_open,
)
from newsletter_mail.settings.sections import (
    CheckSection,
    DatabaseSection,
    DeliverySection,
    DkimSection,
    NewsletterSection,
    Section,
    SenderSection,
    TransportSection,
    WebSection,
)

__all__ = [
    "FILE_NAME",
    "SECRETS",
    "CheckSection",
    "DatabaseSection",
    "DeliverySection",
    "DkimSection",
    "NewsletterSection",
    "Section",
    "SenderSection",
    "Settings",
    "TransportSection",
    "WebSection",
    "find_workspace",
    "is_env_file_open",
]

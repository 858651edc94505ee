"""How the counts of an issue are told: they always add up."""

from newsletter_mail.delivery.report import IssueStatus
from newsletter_mail.words import DeliveryState

_STATES = {
    DeliveryState.SENT: "sent",
    DeliveryState.PENDING: "pending",
    DeliveryState.SENDING: "sending",
    DeliveryState.DEFERRED: "deferred",
    DeliveryState.UNCERTAIN: "uncertain",
    DeliveryState.FAILED: "failed",
    DeliveryState.SKIPPED: "skipped",
    DeliveryState.BOUNCED: "bounced",
}


def status_line(status: IssueStatus) -> str:
    """``5,000 planned = 4,990 sent + 10 failed``."""
    shown = [
        f"{status.deliveries[state]:,} {word}"
        for state, word in _STATES.items()
        if status.deliveries[state] or state is DeliveryState.SENT
    ]
    return f"{status.slug}: {status.planned:,} planned = {' + '.join(shown)}"

import pytest

from newsletter_mail.cli.statuses import status_line
from newsletter_mail.delivery.report import IssueStatus
from newsletter_mail.words import DeliveryState


def _status(**counts: int) -> IssueStatus:
    deliveries = {state: counts.get(state.value, 0) for state in DeliveryState}
    return IssueStatus(
        slug="spring",
        edition="d",
        planned=sum(deliveries.values()),
        deliveries=deliveries,
        unsubscribed=0,
        complaints=0,
    )


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ({}, "spring: 0 planned = 0 sent"),
        ({"sent": 5000}, "spring: 5,000 planned = 5,000 sent"),
        ({"sent": 4990, "failed": 10}, "spring: 5,000 planned = 4,990 sent + 10 failed"),
        ({"pending": 2}, "spring: 2 planned = 0 sent + 2 pending"),
        (
            {state.value: 1 for state in DeliveryState},
            (
                "spring: 8 planned = 1 sent + 1 pending + 1 sending + 1 deferred + 1 uncertain"
                " + 1 failed + 1 skipped + 1 bounced"
            ),
        ),
    ],
)
def test_the_counts_add_up_to_what_was_planned(counts: dict[str, int], line: str) -> None:
    assert status_line(_status(**counts)) == line

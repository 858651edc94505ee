"""Dead addresses are suppressed, unless a whole domain calls its people dead."""

import pytest
from sqlalchemy import select

from newsletter_mail.delivery.dead_addresses import suppress_dead
from newsletter_mail.store.schema import suppressions
from newsletter_mail.words import DeliveryState, Verdict
from tests.unit.delivery.town import Town

S = DeliveryState
DEAD = Verdict.ADDRESS_DEAD.value


def suppress(town: Town) -> tuple[int, list[str]]:
    return town.change(lambda c: suppress_dead(c, town.issue_id, "summer", now=town.now))


def suppressed(town: Town) -> dict[str, tuple[str, str]]:
    rows = town.look(lambda c: c.execute(select(suppressions)).mappings().all())
    return {row["email_key"]: (row["reason"], row["source"]) for row in rows}


@pytest.mark.parametrize(
    ("tried", "dead", "wanted"),
    [
        (49, 49, (49, [])),
        (50, 10, (10, [])),
        (50, 11, (0, ["example.net"])),
        (60, 12, (12, [])),
        (60, 13, (0, ["example.net"])),
    ],
)
def test_a_fifth_of_a_domain(
    town: Town, tried: int, dead: int, wanted: tuple[int, list[str]]
) -> None:
    town.add_members(tried)
    for row in range(1, tried + 1):
        if row <= dead:
            town.put(row, S.FAILED, reason=DEAD)
        else:
            town.put(row, S.SENT)
    assert suppress(town) == wanted
    assert len(suppressed(town)) == wanted[0]


def test_one_domain_does_not_speak_for_another(town: Town) -> None:
    for row in range(1, 56):
        town.add_person(row, "broken.example")
        town.put(row, S.FAILED, reason=DEAD)
    # Ends with the same letters, and is another domain; "_" and "%" mean themselves.
    for row, domain in (
        (100, "not-broken.example"),
        (101, "b_oken.example"),
        (102, "fine.example"),
    ):
        town.add_person(row, domain)
        town.put(row, S.FAILED, reason=DEAD)
    assert suppress(town) == (3, ["broken.example"])
    assert suppressed(town) == {
        f"p{row}@{domain}": ("hard_bounce", "summer")
        for row, domain in (
            (100, "not-broken.example"),
            (101, "b_oken.example"),
            (102, "fine.example"),
        )
    }
    # A second look finds nobody new.
    assert suppress(town) == (0, ["broken.example"])


def test_only_dead_is_dead(town: Town) -> None:
    reasons = [verdict.value for verdict in Verdict if verdict is not Verdict.ADDRESS_DEAD]
    town.add_members(len(reasons) + 3)
    for row, reason in enumerate(reasons, 1):
        town.put(row, S.FAILED, reason=reason)
    town.put(len(reasons) + 1, S.DEFERRED, reason=DEAD)
    town.put(len(reasons) + 2, S.FAILED, reason=DEAD)
    town.erase(len(reasons) + 2)
    assert suppress(town) == (0, [])
    assert suppressed(town) == {}


def test_who_is_suppressed_already_stays_as_it_was(town: Town) -> None:
    town.add_members(2)
    town.suppress(1)
    for row in (1, 2):
        town.put(row, S.FAILED, reason=DEAD)
    assert suppress(town) == (1, [])
    assert suppressed(town)["p1@example.net"] == ("manual", "test")

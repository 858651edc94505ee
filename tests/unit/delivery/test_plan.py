"""The sum before a send, for people in every combination of subscription, suppression, delivery."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter_mail.delivery.plan import (
    Audience,
    Plan,
    count_plan,
    lists_of_issue,
    plan_deliveries,
    recipients_of_plan,
)
from newsletter_mail.words import DeliveryState, SubscriptionState
from tests.unit.delivery.town import Town

S = DeliveryState
WAITING = (S.PENDING, S.DEFERRED)
#: The lists 1 and 2 are sent to, list 3 is not.
SENT_TO = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What may be with one person; ``delivery_list`` means nothing without a delivery."""

    subscriptions: tuple[SubscriptionState | None, ...]
    is_suppressed: bool
    is_erased: bool
    delivery: DeliveryState | None
    delivery_list: int
    is_due: bool

    @property
    def lists(self) -> list[int]:
        """Where the person is in, as far as this send looks: to be planned by the first one."""
        counted = [*SENT_TO]
        if self.delivery in WAITING and self.delivery_list == 3:
            counted.append(3)
        active = SubscriptionState.ACTIVE
        return [number for number in counted if self.subscriptions[number - 1] is active]

    @property
    def is_counted(self) -> bool:
        is_member = any(self.subscriptions[number - 1] is not None for number in SENT_TO)
        return is_member or (self.delivery in WAITING and self.delivery_list == 3)

    @property
    def standing(self) -> str:  # noqa: PLR0911 - one for each standing
        """As the design tells it, in the order of what counts most."""
        if self.delivery in (S.SENDING, S.UNCERTAIN):
            return "uncertain"
        if self.delivery is not None and self.delivery not in WAITING:
            return "already"
        if self.is_erased:
            return "unsubscribed"
        if self.is_suppressed:
            return "suppressed"
        if not self.lists:
            asked = any(
                self.subscriptions[number - 1] is SubscriptionState.PENDING for number in SENT_TO
            )
            return "unconfirmed" if asked else "unsubscribed"
        if self.delivery is None:
            return "new"
        return "waiting" if self.is_due else "later"


persons = st.builds(
    Person,
    subscriptions=st.tuples(*[st.sampled_from([None, *SubscriptionState])] * 3),
    is_suppressed=st.sampled_from([False, False, True]),
    is_erased=st.sampled_from([False, False, False, True]),
    delivery=st.sampled_from([None, None, *DeliveryState]),
    delivery_list=st.sampled_from([1, 2, 3]),
    is_due=st.booleans(),
)


def populate(town: Town, population: list[Person]) -> Audience:
    for number, slug in enumerate(("main", "partners", "press"), 1):
        town.add_list(number, slug)
    town.freeze()
    for row, person in enumerate(population, 1):
        town.add_person(row)
        for number, state in enumerate(person.subscriptions, 1):
            if state is not None:
                town.join(row, state, list_id=number)
        if person.delivery is not None:
            due = town.now + timedelta(seconds=0 if person.is_due else 1)
            town.put(row, person.delivery, list_id=person.delivery_list, due_at=due)
        if person.is_suppressed:
            town.suppress(row)
        if person.is_erased:
            town.erase(row)
    return Audience(list_ids=SENT_TO, issue_id=town.issue_id)


def count(town: Town, audience: Audience) -> Plan:
    return town.look(lambda c: count_plan(c, audience, now=town.now))


@settings(max_examples=40)
@given(st.lists(persons, max_size=12), st.one_of(st.none(), st.integers(0, 4)))
def test_the_sum_adds_up(population: list[Person], limit: int | None) -> None:
    with Town() as town:
        audience = populate(town, population)
        plan = count(town, audience)
        counted = {row: person for row, person in enumerate(population, 1) if person.is_counted}
        standings = Counter(person.standing for person in counted.values())
        assert asdict(plan) == {name: standings[name] for name in asdict(plan)}
        assert plan.on_list == len(counted)

        writes_to = [
            row for row, person in counted.items() if person.standing in {"new", "waiting"}
        ]
        recipients = town.look(
            lambda c: [
                (row["id"], row["list_id"])
                for row in recipients_of_plan(c, audience, now=town.now, limit=limit)
            ]
        )
        assert recipients == [(row, population[row - 1].lists[0]) for row in writes_to][:limit]

        before = town.rows()
        town.change(lambda c: plan_deliveries(c, audience, now=town.now, limit=limit))
        after = town.rows()
        new = [row for row, person in counted.items() if person.standing == "new"]
        assert [row for row in after if row not in before] == new[:limit]
        assert {row: after[row] for row in before} == before
        for row in new[:limit]:
            assert after[row]["state"] is S.PENDING
            assert after[row]["list_id"] == population[row - 1].lists[0]
        assert count(town, audience).on_list == plan.on_list


@settings(max_examples=25)
@given(st.lists(persons, max_size=12))
def test_what_is_claimed_is_what_was_promised(population: list[Person]) -> None:
    with Town() as town:
        audience = populate(town, population)
        town.change(lambda c: plan_deliveries(c, audience, now=town.now, limit=None))
        promised = [
            row
            for row, person in enumerate(population, 1)
            if person.is_counted
            and person.standing in {"new", "waiting"}
            # Planned by a list that the person has left for another one.
            and (person.delivery is None or person.delivery_list in person.lists)
        ]
        assert sorted(one.subscriber_id for one in town.claim(100)) == promised


def test_an_issue_that_was_never_sent() -> None:
    with Town() as town:
        town.add_list(1, "main")
        town.add_members(3)
        assert count(town, Audience(list_ids=(1,), issue_id=None)) == Plan(new=3)
        assert count(town, Audience(list_ids=(), issue_id=None)) == Plan()


@pytest.mark.parametrize("limit", [None, 0, 7, 2500])
def test_recipients_come_in_chunks(
    town: Town, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    monkeypatch.setattr("newsletter_mail.delivery.plan._CHUNK", 5)
    town.add_members(20)
    audience = Audience(list_ids=(1,), issue_id=town.issue_id)
    rows = town.look(
        lambda c: [row["id"] for row in recipients_of_plan(c, audience, now=town.now, limit=limit)]
    )
    assert rows == list(range(1, 21))[:limit]


def test_the_lists_of_an_issue(town: Town) -> None:
    town.add_list(2, "partners")
    town.add_list(3, "board")
    town.add_members(3)
    assert town.look(lambda c: lists_of_issue(c, town.issue_id)) == []
    town.put(1, S.SENT, list_id=3)
    town.put(2, S.SENT, list_id=2)
    town.put(3, S.SKIPPED, list_id=2)
    assert town.look(lambda c: lists_of_issue(c, town.issue_id)) == ["partners", "board"]

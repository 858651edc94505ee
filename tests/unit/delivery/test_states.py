"""Whatever is done to deliveries in whatever order: each change is one that the design knows."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from newsletter_mail.delivery.claims import Claim, ClaimedDelivery
from newsletter_mail.delivery.plan import Audience, count_plan, plan_deliveries
from newsletter_mail.delivery.results import Result
from newsletter_mail.delivery.states import (
    HOPELESS,
    STATE_AFTER,
    TRANSITIONS,
    cancel_open,
    change_one,
    count_for_retry,
    make_tried_due,
    mark_abandoned,
    retry_failed,
    settle_as_sent,
    settle_for_resend,
)
from newsletter_mail.errors import IllegalTransition
from newsletter_mail.store.schema import attempts
from newsletter_mail.words import DeliveryState, Reply, Verdict
from tests.unit.delivery.town import MAX_ATTEMPTS, NOW, Town, outcome

S = DeliveryState
PEOPLE = 12
people = st.integers(1, PEOPLE)


class Deliveries(RuleBasedStateMachine):
    """One sender, and people who come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town()
        self.in_hand: list[ClaimedDelivery] = []
        self.before: dict[int, dict[str, object]] = {}
        self.gone: set[int] = set()

    def teardown(self) -> None:
        self.town.__exit__()

    @initialize()
    def open_town(self) -> None:
        self.town.add_list(1, "main")
        self.town.freeze()
        self.town.add_members(PEOPLE)

    @rule(limit=st.one_of(st.none(), st.integers(0, 5)))
    def plan(self, limit: int | None) -> None:
        town = self.town
        audience = Audience(list_ids=(1,), issue_id=town.issue_id)
        new = town.look(lambda c: count_plan(c, audience, now=town.now)).new
        before = len(town.rows())
        town.change(lambda c: plan_deliveries(c, audience, now=town.now, limit=limit))
        assert len(town.rows()) - before == (new if limit is None else min(new, limit))

    @rule(limit=st.integers(1, 4), only=st.one_of(st.none(), st.lists(people, max_size=5)))
    def claim(self, limit: int, only: list[int] | None) -> None:
        claimed = self.town.claim(limit, only=only)
        assert len(claimed) <= limit
        chosen = [delivery.subscriber_id for delivery in claimed]
        assert len(set(chosen)) == len(chosen)
        assert not self.gone & set(chosen)
        assert only is None or set(chosen) <= set(only)
        if len(claimed) < limit:
            waiting = {
                key
                for key, row in self.town.rows().items()
                if row["state"] in (S.PENDING, S.DEFERRED) and row["due_at"] <= self.town.now  # type: ignore[operator] # a time
            }
            assert not (waiting if only is None else waiting & set(only))
        self.in_hand += claimed

    @precondition(lambda self: self.in_hand)
    @rule(verdicts=st.lists(st.sampled_from(Verdict), min_size=1, max_size=4))
    def record(self, verdicts: list[Verdict]) -> None:
        done = self.in_hand[: len(verdicts)]
        self.in_hand = self.in_hand[len(done) :]
        results = [
            Result(delivery=delivery, outcome=outcome(verdict))
            for delivery, verdict in zip(done, verdicts, strict=False)
        ]
        self.town.record(results)
        for result in results:
            row = self.town.rows()[result.delivery.subscriber_id]
            wanted = STATE_AFTER[result.outcome.verdict]
            if wanted is S.DEFERRED and result.delivery.attempt >= MAX_ATTEMPTS:
                wanted = S.FAILED
            assert row["state"] is wanted

    @rule()
    def die(self) -> None:
        """The sender dies, and the next one finds what it left."""
        left, self.in_hand = self.in_hand, []
        assert self.town.change(lambda c: mark_abandoned(c, now=None)) == len(left)
        if left:
            late = [Result(delivery=one, outcome=outcome(Verdict.ACCEPTED)) for one in left]
            before = self.town.rows()
            with pytest.raises(IllegalTransition):
                self.town.record(late)
            assert self.town.rows() == before

    @rule()
    def accept(self) -> None:
        town = self.town
        town.change(lambda c: settle_as_sent(c, town.issue_id, refs=None, now=town.now))

    @rule(number=people)
    def accept_one(self, number: int) -> None:
        town = self.town
        refs = [f"ref of public{number}"]
        sent = town.change(lambda c: settle_as_sent(c, town.issue_id, refs=refs, now=town.now))
        assert sent <= 1

    @rule()
    def resend(self) -> None:
        town = self.town
        town.change(lambda c: settle_for_resend(c, town.issue_id, now=town.now))

    @rule(with_failed=st.booleans())
    def retry(self, *, with_failed: bool) -> None:
        town = self.town
        number = town.look(lambda c: count_for_retry(c, town.issue_id, with_failed=with_failed))
        chosen = town.change(lambda c: make_tried_due(c, town.issue_id, now=town.now))
        if with_failed:
            chosen += town.change(lambda c: retry_failed(c, town.issue_id, now=town.now))
        assert len(set(chosen)) == len(chosen) == number

    @rule()
    def cancel(self) -> None:
        town = self.town
        town.change(lambda c: cancel_open(c, town.issue_id, now=town.now))
        assert not {S.PENDING, S.DEFERRED} & set(town.states().values())

    @precondition(lambda self: len(self.gone) < PEOPLE // 2)
    @rule(person=people, way=st.sampled_from(["leave", "suppress", "erase"]))
    def go(self, person: int, way: str) -> None:
        if person not in self.gone:
            self.gone.add(person)
            getattr(self.town, way)(person)

    @rule(minutes=st.sampled_from([1, 60, 600]))
    def wait(self, minutes: int) -> None:
        self.town.now += timedelta(minutes=minutes)

    @invariant()
    def every_change_is_known(self) -> None:
        rows = self.town.rows() if self.town.issue_id else {}
        assert set(self.before) <= set(rows), "a delivery has gone"
        for key, row in rows.items():
            old = self.before.get(key)
            state = S(str(row["state"]))
            was = S.PENDING if old is None else S(str(old["state"]))
            assert state is was or state in TRANSITIONS[was], f"{was} to {state}"
            assert (row["claim"] is not None) == (state is S.SENDING)
            assert (row["leased_until"] is not None) == (state is S.SENDING)
            tries = row["attempts"]
            assert isinstance(tries, int)
            assert tries >= 0
            for name in ("message_ref", "first_tried_at"):
                assert old is None or old[name] in (None, row[name]), f"{name} has changed"
        in_hand = {delivery.subscriber_id for delivery in self.in_hand}
        assert in_hand == {key for key, row in rows.items() if row["state"] is S.SENDING}
        self.before = rows


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(DeliveryState)
    assert set(STATE_AFTER) == set(Verdict)
    assert set(STATE_AFTER.values()) <= TRANSITIONS[S.SENDING]


@pytest.mark.parametrize("to", DeliveryState)
@pytest.mark.parametrize("start", DeliveryState)
def test_a_change_that_is_not_in_the_table_is_refused(
    start: DeliveryState, to: DeliveryState
) -> None:
    if to in TRANSITIONS[start]:
        change_one(to, from_=(start,))
    else:
        with pytest.raises(IllegalTransition, match=f"from {start} to {to}"):
            change_one(to, from_=(start,))


def test_what_is_recorded(town: Town) -> None:
    town.add_members(4)
    for row in range(1, 5):
        town.put(row, S.PENDING)
    taken = town.claim(10)
    assert [one.attempt for one in taken] == [1, 1, 1, 1]
    assert {one.first_tried_at for one in taken} == {NOW}
    verdicts = [
        Verdict.ACCEPTED,
        Verdict.TRY_LATER,
        Verdict.NOT_HANDED_OVER,
        Verdict.ADDRESS_DEAD,
    ]
    town.record(
        [
            Result(delivery=one, outcome=outcome(verdict, Reply(450, "4.0.0 said", "4.0.0")))
            for one, verdict in zip(taken, verdicts, strict=True)
        ]
    )
    rows = town.rows()
    names = ("state", "attempts", "reason", "reply", "done_at", "due_at")
    assert [[rows[key][name] for name in names] for key in (1, 2, 3, 4)] == [
        [S.SENT, 1, "", "450 4.0.0 said", NOW, NOW],
        [S.DEFERRED, 1, "try_later", "450 4.0.0 said", None, NOW + timedelta(seconds=60)],
        [S.PENDING, 0, "", "", None, NOW],
        [S.FAILED, 1, "address_dead", "450 4.0.0 said", NOW, NOW],
    ]
    tries = town.look(lambda c: c.execute(select(attempts)).mappings().all())
    assert {row["subscriber_id"]: row["verdict"] for row in tries} == {
        2: "try_later",
        4: "address_dead",
    }
    # Nobody is due but the one who was given back.
    assert [one.subscriber_id for one in town.claim(10)] == [3]


def test_the_last_try(town: Town) -> None:
    town.add_members(1)
    town.put(1, S.PENDING)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        (one,) = town.claim(1)
        assert (one.attempt, one.first_tried_at) == (attempt, NOW)
        assert town.claim(1) == []
        town.record([Result(delivery=one, outcome=outcome(Verdict.TRY_LATER))])
        town.now += timedelta(hours=5)
    row = town.rows()[1]
    assert (row["state"], row["reason"]) == (S.FAILED, "tries_used_up")
    # By hand it has all its tries again, and the same name.
    town.change(lambda c: retry_failed(c, town.issue_id, now=town.now))
    (one,) = town.claim(1)
    assert (one.attempt, one.ref, one.first_tried_at) == (1, "ref of public1", NOW)


@pytest.mark.parametrize("verdict", [v for v in Verdict if STATE_AFTER[v] is S.FAILED])
def test_what_is_worth_a_retry(town: Town, verdict: Verdict) -> None:
    town.add_members(1)
    town.put(1, S.FAILED, reason=verdict.value)
    chosen = town.change(lambda c: retry_failed(c, town.issue_id, now=town.now))
    assert chosen == ([] if verdict in HOPELESS else [1])


def test_two_runs_do_not_share(town: Town) -> None:
    town.add_members(3)
    for row in (1, 2, 3):
        town.put(row, S.PENDING)
    other = Claim(owner="another run", lease=timedelta(minutes=1))
    ours, theirs = town.claim(2), town.claim(2, claim=other)
    assert [one.subscriber_id for one in (*ours, *theirs)] == [1, 2, 3]
    with pytest.raises(IllegalTransition, match="1 of 3 deliveries"):
        town.record(
            [Result(delivery=one, outcome=outcome(Verdict.ACCEPTED)) for one in (*ours, *theirs)]
        )
    assert set(town.states().values()) == {S.SENDING}
    # Without the lock of the sender, only a lease that is over gives them up.
    later = town.now + timedelta(minutes=2)
    assert town.change(lambda c: mark_abandoned(c, now=later)) == 1
    assert town.states() == {1: S.SENDING, 2: S.SENDING, 3: S.UNCERTAIN}


@pytest.mark.parametrize(
    ("way", "reason"),
    [("leave", "unsubscribed"), ("suppress", "suppressed"), ("erase", "unsubscribed")],
)
def test_who_has_gone_is_skipped_at_the_claim(town: Town, way: str, reason: str) -> None:
    town.add_members(5)
    for row in range(1, 6):
        town.put(row, S.PENDING)
    for row in (1, 2):
        getattr(town, way)(row)
    assert [one.subscriber_id for one in town.claim(2)] == [3, 4]
    rows = town.rows()
    assert [(rows[key]["state"], rows[key]["reason"]) for key in (1, 2)] == [
        (S.SKIPPED, reason),
        (S.SKIPPED, reason),
    ]

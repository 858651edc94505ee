"""The soak finds nothing in a few rounds, and finds what is put there to be found."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.soak.faults import FAULTS, plan_round
from benchmarks.soak.invariants import Truth, Violation, check, check_end
from benchmarks.soak.mailhost import Accepted
from benchmarks.soak.rounds import Counts, play
from benchmarks.soak.totals import Totals
from benchmarks.soak.workspace import Row, Snapshot
from newsletter_mail.words import DeliveryState

S = DeliveryState


@pytest.mark.parametrize("name", ["sender: kill -9", "cut after the dot, message taken"])
def test_a_round(name: str, tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == name)
    plan = plan_round(1, 1, faults=[fault], most_people=150)
    counts = Counts()
    play(replace(plan, blows=1, issues=1), tmp_path, counts)
    assert counts.messages > 20
    assert (counts.duplicates, counts.missed, counts.lost) == (0, 0, 0)


def test_a_deck_has_every_fault_once() -> None:
    plans = [plan_round(5, n, faults=FAULTS, most_people=10) for n in range(1, len(FAULTS) + 1)]
    assert {plan.fault for plan in plans} == set(FAULTS)
    assert plans[3] == plan_round(5, 4, faults=FAULTS, most_people=10)


def test_totals_add_up() -> None:
    totals = Totals()
    totals.add("b", Counts(messages=1000, uncertain=2))
    totals.add("b", Counts(messages=1, missed=1))
    totals.add("a", Counts(messages=5))
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in totals.table({"a": 1, "b": 2, "c": 3}).splitlines()
    ]
    column = {name: number for number, name in enumerate(rows[0])}
    assert [row[0] for row in rows[2:]] == ["a", "b", "**all**"]
    assert [row[column["messages"]] for row in rows[2:]] == ["5", "1,001", "1,006"]
    assert [row[column["missed"]] for row in rows[2:]] == ["0", "1", "1"]


EMAILS = ("ok1@a.example", "ok2@a.example", "ok3@a.example", "ok4@a.example")


def snapshot_of(*states: DeliveryState, damage: str = "") -> Snapshot:
    rows = [
        Row(email=email, state=state, reason="", ref=f"ref-{email[:3]}")
        for email, state in zip(EMAILS, states, strict=False)
    ]
    return Snapshot(rows=rows, damage=damage)


def mail_to(email: str, *, message_id: str = "", time: float = 1.0) -> Accepted:
    usual = f"ref-{email[:3]}@a.example"
    return Accepted(recipient=email, message_id=message_id or usual, time=time)


def truth_of(*accepted: Accepted, audience: int = 4) -> Truth:
    return Truth(
        audience=set(EMAILS[:audience]),
        accepted=accepted,
        refused={"ok3@a.example": Counter({5: 1}), "ok4@a.example": Counter({4: 1})},
        left={},
        doubts=1,
        max_attempts=2,
        farewells=0,
        claimed=1,
    )


ONE, TWO, THREE, FOUR = map(mail_to, EMAILS)


def test_what_is_well() -> None:
    snapshot = snapshot_of(S.SENT, S.UNCERTAIN, S.FAILED, S.DEFERRED)
    check(snapshot, truth_of(ONE))
    check(snapshot, truth_of(ONE, TWO))


@pytest.mark.parametrize(
    ("snapshot", "truth", "promise"),
    [
        (snapshot_of(S.SENT, S.SENT), truth_of(ONE), "does not have it"),
        (snapshot_of(S.SENT, S.PENDING), truth_of(ONE, TWO), "marked as not sent"),
        (snapshot_of(S.SENT, S.SKIPPED), truth_of(ONE, TWO), "marked as not sent"),
        (snapshot_of(S.SENT), truth_of(ONE, ONE), "has it twice"),
        (snapshot_of(S.SENT), truth_of(ONE, TWO), "there is no row"),
        (snapshot_of(S.SENT, S.SENT), truth_of(ONE, TWO, audience=1), "was not to get it"),
        (snapshot_of(S.FAILED), truth_of(), "without a word"),
        (snapshot_of(S.DEFERRED), truth_of(), "without a word"),
        (snapshot_of(S.UNCERTAIN, S.UNCERTAIN), truth_of(), "more are uncertain"),
        (snapshot_of(S.SENDING, S.SENDING), truth_of(), "claimed at a time"),
        (snapshot_of(S.SENT, damage="row 7 missing"), truth_of(ONE), "damaged"),
        (
            snapshot_of(S.SENT),
            truth_of(mail_to(EMAILS[0], message_id="other@a.example")),
            "another Message-ID",
        ),
    ],
)
def test_what_is_broken(snapshot: Snapshot, truth: Truth, promise: str) -> None:
    with pytest.raises(Violation, match=promise):
        check(snapshot, truth)


def test_leaving_counts() -> None:
    late = [mail_to(email, time=9.0) for email in EMAILS[:2]]
    truth = truth_of(*late)
    truth.left = dict.fromkeys(EMAILS[:2], 5.0)
    with pytest.raises(Violation, match="after they had left"):
        check(snapshot_of(S.SENT, S.SENT), truth)


@pytest.mark.parametrize(
    ("states", "planned", "promise"),
    [
        ((S.SENT, S.SENT, S.FAILED), 3, "missed: not planned"),
        ((S.SENT, S.SENT, S.FAILED, S.DEFERRED), 4, "missed: still open"),
        ((S.SENT, S.SENT, S.FAILED, S.SKIPPED), 4, "has not left"),
        ((S.SENT, S.SENT, S.FAILED, S.UNCERTAIN), 3, "do not add up"),
    ],
)
def test_what_is_broken_at_the_end(
    states: tuple[DeliveryState, ...], planned: int, promise: str
) -> None:
    snapshot = snapshot_of(*states)
    counts = Counter(row.state.value for row in snapshot.rows)
    with pytest.raises(Violation, match=promise):
        check_end(snapshot, truth_of(ONE, TWO), {"planned": planned, **counts})

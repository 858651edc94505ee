"""What must hold whatever happens, checked against the log of the mail server. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.soak.mailhost import Accepted
from benchmarks.soak.workspace import Snapshot
from newsletter_mail.words import DeliveryState

S = DeliveryState
#: Whoever is here at the end of a round has been missed.
_OPEN = (S.PENDING, S.SENDING, S.DEFERRED)
_NAMED = 5


class Violation(Exception):
    """A promise was broken; says which and for whom."""


@dataclass(slots=True, kw_only=True)
class Truth:
    """What is known about an issue from outside the program.

    Attributes:
        audience: who was to get it when its send began.
        accepted: by the server.
        refused: how often each address was refused, by the first digit of the answer.
        left: who left, and when, since the send began.
        doubts: so many deliveries may have become uncertain.
        by_hand: taken as sent by ``settle --accept``.
        again: tried again by ``settle --resend``.
        max_attempts: tries before a delivery that is put off fails.
        farewells: so often it said 421, which may have cost any message a try.
        claimed: the most deliveries that a sender has claimed at a time.
    """

    audience: Collection[str]
    accepted: Sequence[Accepted]
    refused: Mapping[str, Counter[int]]
    left: Mapping[str, float]
    doubts: int
    max_attempts: int
    farewells: int
    claimed: int
    by_hand: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)

    @property
    def taken(self) -> set[str]:
        """Whose message the server has."""
        return {message.recipient for message in self.accepted}

    @property
    def twice(self) -> set[str]:
        """Who was sent the issue more than once."""
        counts = Counter(message.recipient for message in self.accepted)
        return {email for email, count in counts.items() if count > 1}


def check(snapshot: Snapshot, truth: Truth) -> None:
    """What holds between any two commands.

    Raises:
        Violation: something does not.
    """
    _raise_first(_broken(snapshot, truth))


def check_end(snapshot: Snapshot, truth: Truth, status: Mapping[str, int]) -> None:
    """What holds when there is nothing more to do.

    Args:
        status: what ``newsletter status`` says, with the sum as ``planned``.

    Raises:
        Violation: something does not.
    """
    check(snapshot, truth)
    _raise_first(_broken_at_the_end(snapshot, truth, status))


def _raise_first(broken: Iterator[tuple[str, Collection[object]]]) -> None:
    for promise, culprits in broken:
        if culprits:
            some = sorted(map(str, culprits))[:_NAMED]
            raise Violation(f"{promise}: {len(culprits)}, such as {', '.join(some)}")


def _broken(snapshot: Snapshot, truth: Truth) -> Iterator[tuple[str, Collection[object]]]:
    """Promises, and who breaks them: nobody, where they hold."""
    taken, refused = truth.taken, truth.refused
    yield "the database is damaged", [snapshot.damage] if snapshot.damage else ()
    yield (
        "marked sent, and the server does not have it",
        snapshot.emails(S.SENT, S.BOUNCED) - taken - truth.by_hand,
    )
    not_sent = snapshot.emails(S.PENDING, S.DEFERRED, S.FAILED, S.SKIPPED)
    yield "the server has it, and it is marked as not sent", (taken & not_sent) - truth.again
    yield "the server has it twice, and nobody asked for that", truth.twice - truth.again
    yield "the server has it, and there is no row", taken - {row.email for row in snapshot.rows}
    ids = {message.recipient: message.message_id for message in truth.accepted}
    refs = {row.email: row.ref for row in snapshot.rows}
    yield (
        "it has another Message-ID than its row",
        {email for email in taken if ids[email].partition("@")[0] != refs.get(email)},
    )
    yield (
        "it has two Message-IDs",
        {mail.recipient for mail in truth.accepted if mail.message_id != ids[mail.recipient]},
    )
    yield "planned twice", [email for email, n in _counts(snapshot).items() if n > 1]
    yield "planned, and was not to get it", refs.keys() - set(truth.audience)
    unexplained = snapshot.emails(S.DEFERRED) - refused.keys()
    unexplained |= set(_failed_for_nothing(snapshot, truth))
    yield (
        "deferred or failed without a word of the server",
        unexplained if len(unexplained) > truth.farewells else (),
    )
    # Those taken as sent by hand were in doubt as well.
    doubtful = snapshot.emails(S.UNCERTAIN) | truth.by_hand
    yield (
        f"more are uncertain than the {truth.doubts} that what was done explains",
        doubtful if len(doubtful) > truth.doubts else (),
    )
    sending = snapshot.emails(S.SENDING)
    yield (
        f"more than {truth.claimed} are claimed at a time",
        sending if len(sending) > truth.claimed else (),
    )
    late = [
        message
        for message in truth.accepted
        if message.time > truth.left.get(message.recipient, message.time)
    ]
    # What was claimed before somebody left goes its way; nobody is asked again for it.
    yield "mailed after they had left", late if len(late) > truth.claimed else ()


def _counts(snapshot: Snapshot) -> Counter[str]:
    return Counter(row.email for row in snapshot.rows)


def _failed_for_nothing(snapshot: Snapshot, truth: Truth) -> Iterator[str]:
    for row in snapshot.rows:
        if row.state is not S.FAILED:
            continue
        said = truth.refused.get(row.email, Counter())
        # A try whose answer nobody heard counts as one.
        tries = said[4] + (row.email in truth.again)
        if not said[5] and tries < truth.max_attempts:
            yield row.email


def _broken_at_the_end(
    snapshot: Snapshot, truth: Truth, status: Mapping[str, int]
) -> Iterator[tuple[str, Collection[object]]]:
    planned, rows = status["planned"], len(snapshot.rows)
    states = {state: count for state, count in status.items() if state != "planned"}
    yield "the states do not add up", [] if sum(states.values()) == planned else [status]
    yield "status counts other rows than there are", [] if planned == rows else [planned, rows]
    yield "missed: not planned", missing(snapshot, truth)
    yield "missed: still open", snapshot.emails(*_OPEN)
    yield "skipped, and has not left", snapshot.emails(S.SKIPPED) - truth.left.keys()


def missing(snapshot: Snapshot, truth: Truth) -> set[str]:
    """Who was to get it and has no row."""
    return set(truth.audience) - {row.email for row in snapshot.rows} - truth.left.keys()


def open_ends(snapshot: Snapshot) -> set[str]:
    """Who has a row that is in no final state."""
    return snapshot.emails(*_OPEN)

"""The faults that a soak tries, and the dice of a round. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.soak.server import PHASES, Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line of the table.

    Attributes:
        attack: what is done to the command at work, of ``attacks.ATTACKS``; "" for nothing.
        wrong: what the server does wrong; "" for nothing.
        phases: where, one of them.
        ends: whether a cut is in good order ("fin") or a reset ("rst").
        takes: in phase ``dot``: whether the message is accepted.
    """

    name: str
    attack: str = ""
    wrong: str = ""
    phases: Sequence[str] = PHASES
    ends: Sequence[str] = ("fin", "rst")
    takes: Sequence[bool] = (True, False)


def _cut(name: str, phase: str, *, takes: bool = False) -> Fault:
    return Fault(name=f"cut {name}", wrong="cut", phases=(phase,), takes=(takes,))


#: A server that has taken a message must not say 421 in place of its answer (RFC 5321 3.8).
FAULTS = (
    Fault(name="none"),
    Fault(name="sender: kill -9", attack="kill"),
    Fault(name="sender: SIGTERM", attack="term"),
    Fault(name="sender: SIGINT", attack="interrupt"),
    Fault(name="sender: SIGINT twice", attack="interrupt_twice"),
    Fault(name="server: kill -9, restarted", attack="kill_server"),
    _cut("after the connection", "connect"),
    _cut("at EHLO", "ehlo"),
    _cut("at MAIL", "mail"),
    _cut("at RCPT", "rcpt"),
    _cut("at DATA", "data"),
    _cut("in the content", "content"),
    _cut("after the dot, message taken", "dot", takes=True),
    _cut("after the dot, message not taken", "dot"),
    _cut("after the answer", "answered"),
    Fault(name="421 at any moment", wrong="421", takes=(False,)),
    Fault(name="slow server", wrong="slow"),
    Fault(name="server that stops answering", wrong="hang"),
    Fault(name="garbage for an answer", wrong="garbage"),
    Fault(name="database locked for 5 s", attack="lock_database"),
    Fault(name="disk full", attack="fill_disk"),
    Fault(name="file size limit reached", attack="limit_files"),
    Fault(name="two senders at once", attack="second_sender"),
    Fault(name="people leave meanwhile", attack="people_leave"),
    Fault(name="cuts, and kill -9 of the sender", attack="kill", wrong="cut"),
    Fault(name="421, and kill -9 of both", attack="kill_both", wrong="421", takes=(False,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlan:
    """The dice of a round.

    Attributes:
        number: counts from 1.
        people: subscribers at the beginning.
        body_bytes: of the issue's text; a message is about twice as long.
        blows: so many commands in succession are attacked.
        issues: so many are sent, one after the other, from the same workspace.
        timeout_s: how long the sender waits for an answer.
        settling: what is done with uncertain deliveries in the end: log, resend, accept, "".
    """

    seed: int
    number: int
    fault: Fault
    behaviour: Behaviour
    people: int
    connections: int
    body_bytes: int
    max_attempts: int
    blows: int
    issues: int
    timeout_s: int
    settling: str

    @property
    def claimed(self) -> int:
        """The most deliveries that a sender claims at a time; docs/design.md."""
        return 10 * self.connections

    def chance(self) -> Random:
        """The dice for what happens during the round."""
        return Random(f"{self.seed}/{self.number}/moments")


def plan_round(seed: int, number: int, *, faults: Sequence[Fault], most_people: int) -> RoundPlan:
    """Throw the dice of one round: each fault once, in a random order, before any comes again."""
    deck = list(faults)
    turn, place = divmod(number - 1, len(deck))
    Random(f"{seed}/{turn}/deck").shuffle(deck)
    fault, chance = deck[place], Random(f"{seed}/{number}")
    people = chance.randrange(max(1, most_people // 5), most_people + 1)
    return RoundPlan(
        seed=seed,
        number=number,
        fault=fault,
        behaviour=_behaviour(fault, chance, people),
        people=people,
        connections=chance.choice((1, 2, 4, 10, 20)),
        body_bytes=chance.randrange(4_000, 33_000),
        max_attempts=chance.choice((2, 2, 3)),
        blows=chance.choice((1, 1, 2, 3)),
        issues=chance.choice((1, 1, 1, 2)),
        timeout_s=2 if fault.wrong == "hang" else 30,
        settling=chance.choice(("log", "log", "resend", "resend", "accept", "")),
    )


def _behaviour(fault: Fault, chance: Random, people: int) -> Behaviour:
    if not fault.wrong:
        return Behaviour()
    phase = chance.choice(fault.phases)
    is_once_a_connection = phase in {"connect", "ehlo"}
    return Behaviour(
        fault=fault.wrong,
        phase=phase,
        is_abrupt=chance.choice(fault.ends) == "rst",
        takes=chance.choice(fault.takes),
        start=chance.randrange(3) if is_once_a_connection else chance.randrange(people),
        times=chance.randrange(1, 4 if fault.wrong == "hang" else 13),
        one_in=chance.choice((1, 1, 3) if is_once_a_connection else (1, 3, 20)),
        seed=chance.randrange(1 << 30),
    )

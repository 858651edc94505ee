"""One round: a send is hit, gone on with until nothing is left to do, settled, and checked."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.soak.attacks import ATTACKS, Scene, wait_for_moment
from benchmarks.soak.disk import SmallDisk, small_disk
from benchmarks.soak.faults import RoundPlan
from benchmarks.soak.invariants import Truth, Violation, check, check_end, missing, open_ends
from benchmarks.soak.mailhost import MailHost
from benchmarks.soak.workspace import Snapshot, Workspace
from newsletter_mail.words import DeliveryState
from tests.integration.people import Ended

S = DeliveryState
_MOST_COMMANDS = 20
_POSTFIX = (
    "Nov 24 10:31:02 mail postfix/cleanup[815]: {queue_id}: message-id=<{message_id}>\n"
    "Nov 24 10:31:02 mail postfix/qmgr[702]: {queue_id}: from=<news@example.org>, size=4711, "
    "nrcpt=1 (queue active)\n"
)


class Skipped(Exception):
    """The round cannot be played on this machine; says why."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a round adds to the totals.

    Attributes:
        hits: how often its fault happened.
        commands: processes that were started.
        messages: that the server accepted.
        uncertain: deliveries, before anybody settled them.
        resent: messages that it has twice because ``settle --resend`` was typed.
        duplicates: messages that it has twice for any other reason.
        missed: people in no final state.
        lost: people without a row.
    """

    hits: int = 0
    commands: int = 0
    messages: int = 0
    uncertain: int = 0
    resent: int = 0
    duplicates: int = 0
    missed: int = 0
    lost: int = 0


def play(plan: RoundPlan, folder: Path, counts: Counts) -> None:
    """Play a round in an empty folder.

    Raises:
        Violation: a promise was broken.
        Skipped: this machine cannot do that to a program.
    """
    if plan.fault.attack == "limit_files" and not hasattr(resource, "prlimit"):
        raise Skipped("only Linux changes the limits of a program at work")
    chance = plan.chance()
    with _disk_of(plan, folder) as disk, MailHost(folder / "host", plan.behaviour) as host:
        place = folder if disk is None else disk.path
        workspace = Workspace(place / "workspace", plan, host.port)
        try:
            for number in range(1, plan.issues + 1):
                workspace.add_people(plan.people if number == 1 else plan.people // 10 + 1)
                workspace.write_issue(f"issue-{number}", plan.body_bytes)
                scene = Scene(
                    workspace=workspace,
                    host=host,
                    chance=chance,
                    disk=disk,
                    slug=f"issue-{number}",
                    connections=plan.connections,
                )
                _Send(plan, scene, counts).play()
        finally:
            workspace.close()


@contextmanager
def _disk_of(plan: RoundPlan, folder: Path) -> Iterator[SmallDisk | None]:
    if plan.fault.attack != "fill_disk":
        yield None
        return
    with small_disk(folder / "disk") as disk:
        if disk is None:
            raise Skipped("a small file system needs root, and the right to mount")
        yield disk


class _Send:
    """The send of one issue, through all that happens to it."""

    def __init__(self, plan: RoundPlan, scene: Scene, counts: Counts) -> None:
        self._plan = plan
        self._scene = scene
        self._counts = counts
        self._chance: Random = scene.chance
        self._blows = plan.blows
        self._refused_before = scene.host.refused
        self._accepted_before = scene.host.count
        self._strikes_before = scene.host.strikes
        self._make_some_leave()
        self._audience = scene.workspace.audience()
        self._by_hand: set[str] = set()
        self._again: set[str] = set()

    def play(self) -> None:
        try:
            snapshot = self._go_on_to_the_end()
            self._counts.uncertain += snapshot.count(S.UNCERTAIN)
            snapshot = self._settle(snapshot)
        finally:
            self._count()
        status = self._scene.workspace.status(self._scene.slug)
        truth = self._truth()
        self._counts.missed += len(open_ends(snapshot))
        self._counts.lost += len(missing(snapshot, truth))
        check_end(snapshot, truth, status)

    def _make_some_leave(self) -> None:
        """Before the send: nothing may go to them."""
        workspace, people = self._scene.workspace, sorted(self._scene.workspace.audience())
        for email in self._chance.sample(people, min(3, len(people) - 1)):
            workspace.make_leave(email, is_suppressed=self._chance.randrange(2) == 0)

    def _count(self) -> None:
        truth = self._truth()
        self._counts.messages += len(truth.accepted)
        self._counts.resent += len(truth.twice & truth.again)
        self._counts.duplicates += len(truth.twice - truth.again)
        self._counts.hits += self._scene.hits
        if not self._plan.fault.attack:
            self._counts.hits += self._scene.host.strikes - self._strikes_before

    def _truth(self) -> Truth:
        host, behaviour = self._scene.host, self._plan.behaviour
        refused = host.refused
        for email, before in self._refused_before.items():
            refused[email] -= before
            if not refused[email]:
                del refused[email]
        return Truth(
            audience=self._audience,
            accepted=host.accepted[self._accepted_before :],
            refused=refused,
            left=self._scene.left,
            doubts=self._scene.doubts + self._doubts_of_strikes(),
            farewells=host.strikes if behaviour.fault == "421" else 0,
            max_attempts=self._plan.max_attempts,
            claimed=self._plan.claimed,
            by_hand=self._by_hand,
            again=self._again,
        )

    def _doubts_of_strikes(self) -> int:
        """At each of these moments one message was with the server, and its answer was not."""
        behaviour = self._plan.behaviour
        is_doubtful = {
            "cut": behaviour.phase in {"content", "dot"}
            or (behaviour.phase == "answered" and behaviour.is_abrupt),
            # It may say "go on" where it should not.
            "garbage": behaviour.phase in {"data", "content", "dot"},
            "hang": behaviour.phase in {"content", "dot"},
        }.get(behaviour.fault, False)
        return self._scene.host.strikes - self._strikes_before if is_doubtful else 0

    def _go_on_to_the_end(self) -> Snapshot:
        """Type what a person would type, until there is nothing left to do."""
        slug = self._scene.slug
        snapshot = self._do("send", slug, "--yes")
        for _ in range(_MOST_COMMANDS):
            if snapshot.count(S.SENDING) and self._chance.randrange(3) == 0:
                # Nobody has to send before they settle.
                how = self._chance.choice((("--accept",), ("--log", self._write_log())))
                snapshot = self._do("settle", slug, *how)
            elif not snapshot.rows or snapshot.count(S.PENDING, S.SENDING):
                snapshot = self._do("send", slug, "--yes")
            elif snapshot.count(S.DEFERRED):
                snapshot = self._do("retry", slug, "--yes")
            else:
                break
        return snapshot

    def _do(self, *command: str | Path) -> Snapshot:
        """Run a command, attacked while there are blows left; then look at everything."""
        scene, host = self._scene, self._scene.host
        before = host.count
        scene.others.clear()
        running = scene.workspace.start(*map(str, command))
        attack = ATTACKS.get(self._plan.fault.attack)
        if attack is not None and self._blows:
            self._blows -= 1
            scene.waiting = max(1, len(self._audience) - before + self._accepted_before)
            if wait_for_moment(scene, running):
                scene.hits += 1
                attack(scene, running)
        ended = running.end()
        if ended.code < 0:
            # What it had written before it died is read by the server all the same.
            self._let_server_read()
        self._counts.commands += 1 + len(scene.others)
        snapshot = scene.workspace.snapshot(scene.slug)
        if "--accept" in command:
            settled = {row.email for row in snapshot.rows if row.reason == "settled"}
            self._by_hand = settled - self._truth().taken
        check(snapshot, self._truth())
        for one in (ended, *scene.others):
            self._check_ended(one, snapshot, is_silent=host.count == before)
        return snapshot

    def _let_server_read(self) -> None:
        count = -1
        while count != self._scene.host.count:
            count = self._scene.host.count
            time.sleep(0.05)

    def _check_ended(self, ended: Ended, snapshot: Snapshot, *, is_silent: bool) -> None:
        """Exit codes mean what the documentation says, and nobody sees a traceback."""
        code, words = ended.code, f"exit {ended.code}: {ended.err[-2000:]}"
        if "Traceback" in ended.err or "Exception" in ended.err:
            raise Violation(f"a traceback. {words}")
        is_killed = code == -9 and self._plan.fault.attack in {"kill", "kill_both"}
        if code not in {0, 1, 2, 3} and not is_killed:
            raise Violation(f"an exit code of no meaning. {words}")
        if code == 2 and not is_silent and not self._scene.others:
            raise Violation(f"refused, and something was sent. {words}")
        if code in {2, 3} and not ended.err:
            raise Violation(f"ended without a word. {words}")
        need_a_look = snapshot.count(S.UNCERTAIN)
        if code == 0 and need_a_look and not self._scene.others:
            raise Violation(f"{need_a_look} uncertain, and it says that all is well. {words}")

    def _settle(self, snapshot: Snapshot) -> Snapshot:
        """Decide what became of those who are uncertain, in the way of this round."""
        slug, way = self._scene.slug, self._plan.settling
        doubtful = snapshot.emails(S.UNCERTAIN)
        if not doubtful or not way:
            return snapshot
        self._blows = 0
        if way == "resend":
            self._again |= doubtful
            self._do("settle", slug, "--resend")
            return self._go_on_to_the_end()
        if way == "accept":
            left, expected = self._do("settle", slug, "--accept"), set[str]()
        else:
            expected = doubtful - self._truth().taken
            left = self._do("settle", slug, "--log", self._write_log())
        if left.emails(S.UNCERTAIN) != expected:
            raise Violation(f"settle --{way} leaves {sorted(left.emails(S.UNCERTAIN))[:5]}")
        return left

    def _write_log(self) -> Path:
        """What the server has, in the words of Postfix."""
        path = self._scene.workspace.room.path / "mail.log"
        with path.open("w") as log:
            log.write(_POSTFIX.format(queue_id="0A", message_id="another@example.net"))
            for number, message in enumerate(self._scene.host.accepted, start=1):
                log.write(_POSTFIX.format(queue_id=f"1{number:X}", message_id=message.message_id))
        return path

"""The issue of a benchmark's workspace, compiled in this process, and people to send it to."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.newsletter import ISSUE
from benchmarks.people import person
from newsletter_mail.cli.composing import compile_all
from newsletter_mail.cli.mailer import mailer_of
from newsletter_mail.cli.session import Session
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.messages import MessageMaker
from newsletter_mail.delivery.preparation import unfrozen_issue
from newsletter_mail.words import Build, Recipient

#: When every message of a benchmark is dated.
DATE = datetime(2026, 1, 1, tzinfo=UTC)
#: The row number of the list main.
MAIN_LIST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """An issue and what makes its messages."""

    build: Build
    mailer: Mailer
    maker: MessageMaker


def recipients(number: int) -> list[Recipient]:
    """So many different people, the same ones each time."""
    choice = random.Random(1)
    made = []
    for row in range(1, number + 1):
        email, first_name, last_name, language, city = person(row, choice)
        made.append(
            Recipient(
                public_id=f"subscriber{row:012d}",
                email=email,
                first_name=first_name,
                last_name=last_name,
                language=language,
                attributes={"city": city},
            )
        )
    return made


def compile_bench(workspace: Path) -> Compiled:
    """Compile the issue."""
    session = Session(workspace)
    builds = compile_all(session.settings, session.workspace / "issues" / ISSUE)
    mailer = mailer_of(session)
    maker = mailer.maker(unfrozen_issue(builds, now=DATE))
    return Compiled(build=builds[0], mailer=mailer, maker=maker)

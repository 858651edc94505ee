"""Makes messages and sends none; prints what it took as JSON.

``--how`` is ``fill`` (a message template of ours filled in), ``make`` (the same, with the address
read and the links signed) or ``email`` (``EmailMessage``, to its bytes).
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.programs.compiled import DATE, MAIN_LIST, Compiled, compile_bench, recipients
from benchmarks.programs.emails import Mail
from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.delivery.messages import ListName, identity_of
from newsletter_mail.message.scope import Links
from newsletter_mail.message.template import MessageTemplate
from newsletter_mail.words import Hole, Outgoing, Recipient

#: Different people; more of them are the same again.
_PEOPLE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addressee:
    recipient: Recipient
    address: Address
    links: Links


def _addressees(compiled: Compiled) -> list[_Addressee]:
    links = compiled.mailer.links()
    return [
        _Addressee(
            recipient=recipient,
            address=parse_address(recipient.email),
            links=links.links(recipient.public_id, compiled.build.slug),
        )
        for recipient in recipients(_PEOPLE)
    ]


def _filler(compiled: Compiled) -> Callable[[_Addressee], Outgoing]:
    """``MessageTemplate.fill`` and nothing else."""
    mailer = compiled.mailer
    template = MessageTemplate(
        compiled.build,
        identity=identity_of(mailer.sender, mailer.newsletter_name, ListName("main", "Main")),
        picture_url=mailer.links().picture_url,
    )
    return lambda to: template.fill(
        to.recipient,
        address=to.address,
        links=to.links,
        ref="refrefrefrefrefrefrefrefre",
        date=DATE,
    )


def _maker(compiled: Compiled) -> Callable[[_Addressee], Outgoing]:
    """What a send does for each recipient."""
    return lambda to: compiled.maker.make(
        to.recipient, compiled.build, MAIN_LIST, ref="refrefrefrefrefrefrefrefre", date=DATE
    )


def _time(make: Callable[[_Addressee], object], people: Sequence[_Addressee], times: int) -> float:
    """Microseconds of CPU a message."""
    make(people[0])
    started = time.process_time()
    for number in range(times):
        make(people[number % len(people)])
    return (time.process_time() - started) / times * 1e6


def _time_emails(mail: Mail, times: int) -> float:
    started = time.process_time()
    for number in range(times):
        mail.message(number).as_bytes()
    return (time.process_time() - started) / times * 1e6


def main() -> None:
    """Measure one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--how", choices=("fill", "make", "email"), required=True)
    chosen = parser.parse_args()
    compiled = compile_bench(chosen.workspace)
    build = compiled.build
    holes = [part for part in (*build.html, *build.text) if isinstance(part, Hole)]
    if chosen.how == "email":
        cost_us = _time_emails(Mail.read(chosen.build), chosen.messages)
    else:
        make = _filler(compiled) if chosen.how == "fill" else _maker(compiled)
        cost_us = _time(make, _addressees(compiled), chosen.messages)
    tags = {hole.expression for hole in holes}
    print(json.dumps({"cost_us": cost_us, "merge_tags": len(tags), "places": len(holes)}))


if __name__ == "__main__":
    main()

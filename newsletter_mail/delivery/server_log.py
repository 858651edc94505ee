"""Reads the log of a mail server, to learn which uncertain messages it has. Pure.

Postfix: ``cleanup`` names the Message-ID of a queue id while the message still comes in; only
``qmgr`` with "queue active" says that the server has taken it. Exim: an arrival is a line with
``<=`` and ``id=``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_POSTFIX_ID = re.compile(r"postfix[^\[]*/cleanup\[\d+\]: (\w+): message-id=<([^>]+)>")
_POSTFIX_ACTIVE = re.compile(r"postfix[^\[]*/qmgr\[\d+\]: (\w+): from=<[^>]*>, .*\(queue active\)")
_EXIM_ARRIVAL = re.compile(r" <= .* id=(\S+)")


@dataclass(frozen=True, slots=True)
class LogReading:
    """What a log says.

    Attributes:
        accepted: Message-IDs that the server has taken, without angle brackets.
        is_mail_log: whether it looks like a log that we can read at all.
    """

    accepted: frozenset[str]
    is_mail_log: bool


def read_server_log(lines: Iterable[str]) -> LogReading:
    """Find the messages that a server has accepted; the log of Postfix or of Exim."""
    by_queue_id: dict[str, str] = {}
    accepted: set[str] = set()
    is_mail_log = False
    for line in lines:
        if match := _POSTFIX_ID.search(line):
            by_queue_id[match[1]] = match[2]
        elif match := _POSTFIX_ACTIVE.search(line):
            if match[1] in by_queue_id:
                accepted.add(by_queue_id[match[1]])
        elif match := _EXIM_ARRIVAL.search(line):
            accepted.add(match[1])
        else:
            continue
        is_mail_log = True
    return LogReading(frozenset(accepted), is_mail_log)

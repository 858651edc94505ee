"""Logs of Postfix and Exim, as they write them."""

import pytest

from newsletter_mail.delivery.server_log import read_server_log

CLEANUP = "Nov 24 10:00:01 mail {program}/cleanup[11]: {queue_id}: message-id=<{message_id}>"
ACTIVE = (
    "2026-11-24T10:00:02.123456+01:00 mail {program}/qmgr[12]: {queue_id}: "
    "from=<bounces+x@example.org>, size=70123, nrcpt=1 (queue active)"
)


@pytest.mark.parametrize("program", ["postfix", "postfix-out", "postfix/submission"])
@pytest.mark.parametrize("queue_id", ["4XyT1z0Jk9z1q", "D4F2A1C0E7"])
def test_postfix_has_it_when_its_queue_is_active(program: str, queue_id: str) -> None:
    names = {"program": program, "queue_id": queue_id, "message_id": "ref@example.org"}
    cleanup, active = CLEANUP.format(**names), ACTIVE.format(**names)
    assert read_server_log([cleanup, active]).accepted == {"ref@example.org"}
    only_begun = read_server_log([cleanup])
    assert (only_begun.accepted, only_begun.is_mail_log) == (frozenset(), True)
    assert read_server_log([active, cleanup]).accepted == frozenset()


def test_a_queue_id_is_used_again() -> None:
    names = {"program": "postfix", "queue_id": "AAAA"}
    lines = [
        CLEANUP.format(**names, message_id="first@example.org"),
        "Nov 24 10:00:01 mail postfix/smtpd[11]: lost connection after DATA from x[192.0.2.1]",
        CLEANUP.format(**names, message_id="second@example.org"),
        ACTIVE.format(**names),
    ]
    assert read_server_log(lines).accepted == {"second@example.org"}


def test_exim() -> None:
    lines = [
        "2026-11-24 10:00:01 1tFabc-000000001Xy-2z3A <= n@example.org P=esmtp id=ref@example.org",
        "2026-11-24 10:00:02 1tFabc-000000001Xy-2z3A => anna@example.net R=dnslookup T=remote_smtp",
        "2026-11-24 10:00:02 1tFabc-000000001Xy-2z3A Completed",
    ]
    assert read_server_log(lines).accepted == {"ref@example.org"}


@pytest.mark.parametrize("lines", [[], ["hello"], ["postfix/smtpd[1]: connect from x"]])
def test_no_log_of_messages(lines: list[str]) -> None:
    reading = read_server_log(lines)
    assert (reading.accepted, reading.is_mail_log) == (frozenset(), False)

"""What a real Postfix makes of our mail: what it delivers, what it refuses, what its log says."""

import re
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.newsroom import ISSUE, ISSUE_TEXT, Newsroom
from tests.integration.people import Desk, Ended
from tests.mta.passwords import PASSWORD, USER
from tests.mta.proxy import Accident, BadRoad
from tests.mta.rig import Delivered, Postfix

#: What servers and mailboxes on the way like to change.
_TOUCHY_TEXT = f"""{ISSUE_TEXT}
.a dot in front

..two of them

From here on it is fun: Größe, 東京 and 🎉.
"""
_TRANSPORT = "NEWSLETTER_TRANSPORT__URL"


def send(desk: Desk) -> Ended:
    return desk.run("send", ISSUE, "--yes")


def once_each(delivered: list[Delivered]) -> dict[str, Delivered]:
    """The messages by recipient; nobody has two."""
    counts = Counter(message.recipient for message in delivered)
    assert set(counts.values()) <= {1}
    return {message.recipient: message for message in delivered}


def without_date(message: bytes) -> bytes:
    """The date is that of the handing over, which differs between two sends."""
    changed, number = re.subn(rb"^Date: .*\n", b"", message, count=1, flags=re.MULTILINE)
    assert number == 1
    return changed


def refs(room: Newsroom) -> dict[str, str]:
    """What names the message of each subscriber."""
    return {row["email"]: row["message_id"].strip("<>").partition("@")[0] for row in room.log()}


def url_over(road: BadRoad, postfix: Postfix) -> str:
    """Without TLS, so that there is something to see on the road."""
    return postfix.url.replace(f":{postfix.port}", f":{road.port}") + "?tls=none"


def test_fifty_people(
    room: Newsroom, postfix: Postfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.write_issue(_TOUCHY_TEXT)
    everybody = set(room.add_people(50))
    twin = Desk(Path(shutil.copytree(room.path, tmp_path / "twin")))

    sent = send(room.desk)
    assert sent.code == 0, sent.err
    delivered = once_each(postfix.wait_for(50))
    assert set(delivered) == everybody == room.emails_in("sent")

    ref_of = refs(room)
    for email, message in delivered.items():
        assert message.trace("Return-Path") == f"<bounces+{ref_of[email]}@example.org>"
        received = message.trace("Received")
        assert "using TLSv1." in received
        assert f"Authenticated sender: {USER}" in received
        # A reader's program takes the link from one line, and finds no space in it.
        head = message.content.partition(b"\n\n")[0]
        links = re.findall(rb"^List-Unsubscribe: (.*\n[ \t]?)", head, re.MULTILINE)
        assert len(links) == 1
        assert re.fullmatch(rb"<http://127\.0\.0\.1:8000/u/[\w.-]{60,}>\n", links[0])
        assert b"\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in head

    monkeypatch.setenv(_TRANSPORT, "maildir:outbox")
    assert send(twin).code == 0
    ours = once_each([Delivered(file.read_bytes()) for file in twin.path.glob("outbox/new/*")])
    assert set(ours) == everybody
    for email, message in delivered.items():
        assert without_date(message.sent_bytes) == without_date(ours[email].sent_bytes)
        assert message.trace("Return-Path") == ours[email].trace("Return-Path")


def test_a_wrong_password(
    room: Newsroom, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.add_people(5)
    monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", "not this one")
    sent = send(room.desk)
    assert sent.code == 3
    assert f"127.0.0.1:{postfix.port} does not accept the login of {USER}: 535 5.7.8" in sent.err
    assert "not this one" not in sent.err + sent.out
    assert room.states() == {"pending": 5}
    assert postfix.delivered == []

    monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", PASSWORD)
    assert send(room.desk).code == 0
    assert len(once_each(postfix.wait_for(5))) == 5


def test_a_certificate_that_nobody_vouches_for(
    room: Newsroom, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.add_people(5)
    monkeypatch.delenv("SSL_CERT_FILE")
    sent = send(room.desk)
    assert sent.code == 3
    assert "certificate of 127.0.0.1" in sent.err
    assert room.states() == {"pending": 5}
    assert postfix.delivered == []


def test_a_login_that_was_forgotten(
    room: Newsroom, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postfix says so at RCPT, as if the recipient were to blame: nobody may be lost by it."""
    everybody = set(room.add_people(30))
    monkeypatch.setenv(_TRANSPORT, f"smtp://127.0.0.1:{postfix.port}")
    sent = send(room.desk)
    assert sent.code == 3
    assert "Access denied" in sent.err
    assert set(room.states()) == {"pending", "failed"}
    assert room.states()["failed"] < 15
    assert room.desk.query("SELECT * FROM suppressions") == []
    assert postfix.delivered == []

    monkeypatch.delenv(_TRANSPORT)
    send(room.desk)
    retried = room.desk.run("retry", ISSUE, "--failed", "--yes")
    assert retried.code == 0, retried.err
    assert room.states() == {"sent": 30}
    assert set(once_each(postfix.wait_for(30))) == everybody


def test_the_log_settles_what_the_server_has(
    room: Newsroom, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So long that the server has read the Message-ID before the road breaks.
    room.write_issue(ISSUE_TEXT + "\nAnd more of it.\n" * 200)
    everybody = room.add_people(12)
    lost = everybody[8]
    accidents = {
        everybody[1]: Accident.LOST_ANSWER,
        everybody[6]: Accident.LOST_ANSWER,
        lost: Accident.LOST_DOT,
    }
    with BadRoad(postfix.port, accidents) as road:
        monkeypatch.setenv(_TRANSPORT, url_over(road, postfix))
        assert send(room.desk).code == 1
    assert room.emails_in("uncertain") == set(accidents)
    has = set(everybody) - {lost}
    assert set(once_each(postfix.wait_for(11))) == has
    postfix.wait_for_log(f"message-id=<{refs(room)[lost]}@")

    settled = room.desk.run("settle", ISSUE, "--log", postfix.log)
    assert settled.code == 1, settled.err
    assert room.emails_in("sent") == has
    assert room.emails_in("uncertain") == {lost}

    monkeypatch.delenv(_TRANSPORT)
    room.desk.do("settle", ISSUE, "--resend")
    assert room.states() == {"sent": 12}
    assert set(once_each(postfix.wait_for(12))) == set(everybody)


def test_the_log_settles_what_a_kill_has_left(
    room: Newsroom, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = set(room.add_people(12))
    with BadRoad(postfix.port, dict.fromkeys(everybody, Accident.HELD_ANSWER)) as road:
        monkeypatch.setenv(_TRANSPORT, url_over(road, postfix))
        running = room.start_send()
        try:
            held = set(once_each(postfix.wait_for(4)))
        finally:
            ended = running.end(signal.SIGKILL)
    assert ended.code == -signal.SIGKILL
    assert len(held) == 4

    monkeypatch.delenv(_TRANSPORT)
    assert send(room.desk).code == 1
    uncertain = room.emails_in("uncertain")
    assert held <= uncertain
    assert len(uncertain) <= 8
    assert set(once_each(postfix.wait_for(16 - len(uncertain)))) == everybody - uncertain | held

    room.desk.run("settle", ISSUE, "--log", postfix.log)
    assert room.emails_in("sent") == everybody - uncertain | held
    room.desk.do("settle", ISSUE, "--resend")
    assert room.states() == {"sent": 12}
    assert set(once_each(postfix.wait_for(12))) == everybody


def test_addresses_in_other_scripts(room: Newsroom, postfix: Postfix) -> None:
    emails = "jörg@example.org", "ана@bücher.example", "ben@bücher.example"
    room.desk.do("subscribers", "import", room.desk.file("p.csv", "\n".join(("email", *emails))))
    sent = send(room.desk)
    assert sent.code == 0, sent.err
    delivered = once_each(postfix.wait_for(3))
    needs_utf8 = {
        email: " with UTF8SMTPSA id " in message.trace("Received")
        for email, message in delivered.items()
    }
    assert needs_utf8 == {
        "jörg@example.org": True,
        "ана@xn--bcher-kva.example": True,
        "ben@xn--bcher-kva.example": False,
    }
    to_joerg = delivered["jörg@example.org"].sent_bytes
    assert b"\nTo: j\xc3\xb6rg@example.org\n" in to_joerg

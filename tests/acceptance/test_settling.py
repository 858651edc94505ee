"""``settle``: what became of uncertain deliveries, by hand, by the server's log, or by settings."""

from collections import Counter

import pytest

from tests.acceptance.newsroom import ISSUE, Newsroom, Post

# Each line as Postfix 3.7 writes it; the server was spoken to by two programs.
POSTFIX = """\
Nov 24 10:31:02 mail postfix/smtpd[811]: connect from office.example.org[192.0.2.7]
Nov 24 10:31:02 mail postfix/smtpd[811]: {queue_id}: client=office.example.org[192.0.2.7]
Nov 24 10:31:02 mail postfix/cleanup[815]: {queue_id}: message-id={message_id}
"""
TAKEN = """\
Nov 24 10:31:02 mail postfix/qmgr[702]: {queue_id}: from=<news+x@example.org>, size=4711, nrcpt=1 \
(queue active)
Nov 24 10:31:03 mail postfix/smtp[820]: {queue_id}: to=<anna@example.net>, relay=mx.example.net\
[192.0.2.9]:25, delay=0.9, delays=0.1/0/0.4/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Nov 24 10:31:03 mail postfix/qmgr[702]: {queue_id}: removed
"""
CUT = """\
Nov 24 10:31:04 mail postfix/smtpd[811]: lost connection after DATA (1200 bytes) from \
office.example.org[192.0.2.7]
"""


@pytest.fixture
def uncertain(room: Newsroom, post: Post) -> dict[str, str]:
    """20 people, four of them uncertain; their Message-IDs."""
    room.add_people(20)
    room.use(post)
    assert room.send_quickly().code == 0
    post.server.received.clear()
    # As if the sender had died before it could write down four of the answers.
    room.desk.query(
        "UPDATE deliveries SET state = 1, claim = 'of one that died', done_at = NULL "
        "WHERE subscriber_id % 5 = 0"
    )
    assert room.states() == {"sent": 16, "sending": 4}
    return {row["email"]: row["message_id"] for row in room.log("--state", "sending")}


def test_what_the_log_of_the_server_says(room: Newsroom, uncertain: dict[str, str]) -> None:
    taken, cut, *_ = uncertain
    lines = [
        POSTFIX.format(queue_id="4XyT1z0Jk9z1q", message_id=uncertain[taken])
        + TAKEN.format(queue_id="4XyT1z0Jk9z1q"),
        POSTFIX.format(queue_id="D4F2A1C0E7", message_id=uncertain[cut]) + CUT,
        POSTFIX.format(queue_id="4XyT1z0Jk9zZZ", message_id="<other@example.net>")
        + TAKEN.format(queue_id="4XyT1z0Jk9zZZ"),
    ]
    log = room.desk.file("mail.log", "".join(lines))
    ended = room.run("settle", ISSUE, "--log", log, "--json")
    left = len(uncertain) - 1
    assert ended.code == 1
    assert ended.json["settled"] == 1
    assert ended.json["deliveries"]["uncertain"] == left
    assert room.emails_in("uncertain") == set(uncertain) - {taken}
    (row,) = room.log("--email", taken)
    assert (row["state"], row["reason"]) == ("sent", "settled")
    # Looked at again it says the same.
    assert room.quickly("settle", ISSUE, "--log", log, "--json").json["settled"] == 0


def test_a_log_that_names_all_of_them(room: Newsroom, uncertain: dict[str, str]) -> None:
    entries = (
        POSTFIX.format(queue_id=f"A{number}", message_id=message_id)
        + TAKEN.format(queue_id=f"A{number}")
        for number, message_id in enumerate(uncertain.values())
    )
    log = room.desk.file("mail.log", "".join(entries))
    ended = room.run("settle", ISSUE, "--log", log)
    assert ended.code == 0
    assert f"{len(uncertain)} taken as sent. short: 20 planned = 20 sent" in ended.out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("no log\n", "not a log of Postfix or Exim"), (None, "cannot be read")],
)
def test_no_log(
    room: Newsroom, uncertain: dict[str, str], content: str | None, sentence: str
) -> None:
    if content is not None:
        room.desk.file("mail.log", content)
    before = room.everything()
    ended = room.quickly("settle", ISSUE, "--log", room.path / "mail.log")
    assert (ended.code, sentence in ended.err) == (2, True)
    assert room.everything() == before


def test_taken_as_sent(room: Newsroom, uncertain: dict[str, str], post: Post) -> None:
    ended = room.run("settle", ISSUE, "--accept", "--json")
    assert ended.code == 0
    assert ended.json["settled"] == len(uncertain)
    assert room.states() == {"sent": 20}
    assert room.send_quickly().code == 0
    assert post.received == []


def test_tried_again(room: Newsroom, uncertain: dict[str, str], post: Post) -> None:
    ended = room.run("settle", ISSUE, "--resend")
    assert ended.code == 0, ended.err
    assert room.states() == {"sent": 20}
    assert post.counts == Counter(list(uncertain))
    assert post.message_ids == {email: {name} for email, name in uncertain.items()}


def test_tried_again_by_itself(room: Newsroom, uncertain: dict[str, str], post: Post) -> None:
    room.configure(delivery={"uncertain": "resend"})
    ended = room.send()
    assert ended.code == 0, ended.err
    assert room.states() == {"sent": 20}
    assert post.message_ids == {email: {name} for email, name in uncertain.items()}


def test_tried_again_by_itself_beside_new_people(
    room: Newsroom, uncertain: dict[str, str], post: Post
) -> None:
    room.configure(delivery={"uncertain": "resend"})
    new = room.add_people(10, start=50)
    assert room.send("--limit", "5").code == 0
    assert post.counts == Counter([*uncertain, *new[:5]])


@pytest.mark.parametrize("options", [(), ("--accept", "--resend")])
def test_one_way_has_to_be_said(room: Newsroom, options: tuple[str, ...]) -> None:
    ended = room.quickly("settle", ISSUE, *options)
    assert (ended.code, "say one of" in ended.err) == (2, True)


@pytest.mark.parametrize("command", ["settle --accept", "settle --resend", "retry --yes", "cancel"])
def test_an_issue_that_was_never_sent(room: Newsroom, command: str) -> None:
    name, *options = command.split()
    ended = room.quickly(name, ISSUE, *options)
    assert (ended.code, f"issue {ISSUE} was never sent" in ended.err) == (2, True)

"""Mail servers that refuse, defer, hang, hurry or go: what a send makes of each."""

import socket
from collections import Counter

import pytest

from tests.acceptance.newsroom import CONNECTIONS, ISSUE, Newsroom, Post
from tests.integration.smtp_servers import Script

WINDOW = 2 * CONNECTIONS


def test_some_dead_and_some_greylisted(room: Newsroom) -> None:
    everybody = set(room.add_people(200))
    script = Script(refuse_every=10, defer_every=10)
    with Post(script) as post:
        room.use(post)
        first = room.send("--json")
        assert first.code == 1, first.err
        assert first.json["deliveries"]["failed"] == 20
        assert first.json["suppressed"] == 20
        assert room.states() == {"sent": 160, "failed": 20, "deferred": 20}
        dead, later = room.emails_in("failed"), room.emails_in("deferred")
        assert set(post.counts) == everybody - dead - later
    for row in room.log("--state", "failed"):
        assert (row["reason"], row["reply"]) == ("address_dead", "550 5.1.1 no such user")
    for row in room.log("--state", "deferred"):
        assert row["reply"].startswith("451 4.7.1 greylisted")
        assert row["attempts"] == 1
    assert f"newsletter retry {ISSUE}" in first.err
    assert {email for (email,) in room.desk.query("SELECT email_key FROM suppressions")} == dead

    with Post() as post:
        room.use(post)
        # They are not due yet, and a send does not push.
        again = room.send_quickly()
        assert (again.code, post.received) == (1, [])
        retried = room.run("retry", ISSUE, "--yes")
        assert retried.code == 0, retried.err
        assert post.counts == Counter(later)
        assert room.states() == {"sent": 180, "failed": 20}
        # Dead is dead: not worth a retry.
        hopeless = room.quickly("retry", ISSUE, "--failed", "--yes")
        assert (hopeless.code, room.states()["failed"]) == (0, 20)
        assert len(post.received) == 20


def test_a_retry_asks_for_the_number(room: Newsroom) -> None:
    room.add_people(4)
    with Post(Script(replies={"rcpt": b"451 4.7.1 greylisted\r\n"})) as post:
        room.use(post)
        assert room.send_quickly().code == 1
    with Post() as post:
        room.use(post)
        before = room.everything()
        refused = room.run("retry", ISSUE, typed="5\n")
        assert refused.code == 2
        assert "4 deliveries of short to try again" in refused.err
        assert room.everything() == before
        assert room.run("retry", ISSUE, typed="4\n").code == 0
        assert len(post.received) == 4


def test_full_mailboxes_are_worth_a_retry(room: Newsroom) -> None:
    room.add_people(6)
    with Post(Script(replies={"rcpt": b"552 5.2.2 mailbox full\r\n"})) as post:
        room.use(post)
        assert room.send_quickly().code == 1
        assert room.states() == {"failed": 6}
        assert room.desk.query("SELECT * FROM suppressions") == []
    with Post() as post:
        room.use(post)
        assert room.run("retry", ISSUE, "--failed", "--yes").code == 0
        assert room.states() == {"sent": 6}


def test_a_domain_that_calls_everybody_dead_is_not_believed(room: Newsroom) -> None:
    room.add_people(60, domains=1)
    with Post(Script(replies={"rcpt": b"550 5.1.1 no such user\r\n"})) as post:
        room.use(post)
        ended = room.send("--json")
    assert ended.code == 1
    assert ended.json["suppressed"] == 0
    assert "d0.example.net called so many of its addresses dead" in ended.err
    assert room.desk.query("SELECT * FROM suppressions") == []


def test_a_server_that_wants_few_messages_at_a_time(room: Newsroom) -> None:
    everybody = room.add_people(100)
    with Post(Script(closes_after=5)) as post:
        room.use(post)
        ended = room.send()
        assert (ended.code, room.states()) == (0, {"sent": 100}), ended.err
        assert post.counts == Counter(everybody)


@pytest.mark.parametrize("phase", ["banner", "rcpt"])
def test_a_server_that_hangs_before_the_message(room: Newsroom, phase: str) -> None:
    room.add_people(30)
    with Post(Script(hang=phase)) as post:
        room.use(post, "&timeout=0.2")
        ended = room.send()
        assert ended.code == 3, ended.err
        assert room.states() == {"pending": 30}
        assert "Error: stopped: " in ended.err
        assert "did not answer" in ended.err or "within" in ended.err or "time" in ended.err
    with Post() as post:
        room.use(post)
        assert room.send_quickly().code == 0
        assert len(post.received) == 30


@pytest.mark.parametrize("script", [Script(hang="body"), Script(drop="body")])
def test_no_answer_after_the_message(room: Newsroom, script: Script) -> None:
    """It may be delivered or not: only a person, or the server's log, can tell."""
    room.add_people(100)
    with Post(script) as post:
        room.use(post, "&timeout=0.2")
        ended = room.send()
    assert ended.code == 3, ended.err
    states = room.states()
    assert set(states) == {"pending", "uncertain"}
    # Each connection is tried again four times before the way is taken to be broken.
    assert states["uncertain"] <= 5 * CONNECTIONS + WINDOW
    for email in room.emails_in("uncertain"):
        assert email in ended.err
    uncertain = room.emails_in("uncertain")
    with Post() as post:
        room.use(post)
        second = room.send_quickly()
        assert second.code == 1
        assert not uncertain & set(post.counts)
        assert room.emails_in("uncertain") == uncertain


def test_half_an_answer_after_one_message(room: Newsroom) -> None:
    everybody = set(room.add_people(50))
    with Post(Script(replies_once={"body": b"25"})) as post:
        room.use(post, "&timeout=0.5")
        ended = room.send()
        assert ended.code == 1, ended.err
        assert room.states() == {"sent": 49, "uncertain": 1}
        assert set(post.counts) == everybody
        assert max(post.counts.values()) == 1
    (row,) = room.log("--state", "uncertain")
    assert row["reason"] == "no_answer"
    assert row["reply"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"550 5.7.1 sender refused\r\n", "550 5.7.1 sender refused"),
        (b"553 5.7.1 not yours\r\n", "553 5.7.1 not yours"),
    ],
)
def test_we_are_refused(room: Newsroom, reply: bytes, words: str) -> None:
    room.add_people(100)
    with Post(Script(replies={"mail": reply})) as post:
        room.use(post)
        ended = room.send()
        assert ended.code == 3
        assert f"the mail server refuses us as a sender: {words}" in ended.err
        assert room.states() == {"pending": 100}
        assert len([c for c in post.server.commands if c.startswith("MAIL")]) <= 2 * WINDOW
    assert room.desk.query("SELECT * FROM suppressions") == []
    assert {row["attempts"] for row in room.log()} == {0}


def test_a_policy_refuses_the_first_messages(room: Newsroom) -> None:
    room.add_people(200)
    room.configure(delivery={"stop_after_refusals": 3})
    with Post(Script(replies={"body": b"554 5.7.1 looks like advertising\r\n"})) as post:
        room.use(post)
        ended = room.send()
    assert ended.code == 3
    assert "4 of the first" in ended.err
    assert "554 5.7.1 looks like advertising" in ended.err
    states = room.states()
    assert set(states) == {"failed", "pending"}
    assert 4 <= states["failed"] <= 4 + WINDOW
    assert room.desk.query("SELECT * FROM suppressions") == []
    # What was refused can be tried again once the reason is gone.
    with Post() as post:
        room.use(post)
        assert room.quickly("retry", ISSUE, "--failed", "--yes").code == 0
        assert room.send_quickly().code == 0
        assert room.states() == {"sent": 200}
        assert max(post.counts.values()) == 1


def test_a_wrong_password(room: Newsroom) -> None:
    room.add_people(20)
    with Post(Script(users={"anna": "secret"})) as post:
        room.environment["NEWSLETTER_TRANSPORT__URL"] = post.url.replace("//", "//anna@")
        room.environment["NEWSLETTER_SMTP_PASSWORD"] = "wrong"
        ended = room.send()
        assert ended.code == 3
        assert "does not accept the login of anna: 535 5.7.8" in ended.err
        assert "wrong" not in ended.out + ended.err
        assert room.states() == {"pending": 20}
        assert len([c for c in post.server.commands if c.startswith("AUTH")]) == 1
        room.environment["NEWSLETTER_SMTP_PASSWORD"] = "secret"
        assert room.send_quickly().code == 0
        assert len(post.received) == 20


def test_no_server_there(room: Newsroom) -> None:
    room.add_people(20)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        room.environment["NEWSLETTER_TRANSPORT__URL"] = f"smtp://127.0.0.1:{port}?tls=none"
        ended = room.send("--json")
    assert ended.code == 3
    assert f"127.0.0.1:{port}" in ended.err
    assert f"To go on: newsletter send {ISSUE}" in ended.err
    assert ended.json["stopped"]
    assert ended.json["deliveries"]["pending"] == 20


def test_a_server_that_finds_us_too_fast(room: Newsroom) -> None:
    """The whole lane pauses for a second, and goes on."""
    everybody = set(room.add_people(60))
    script = Script(defer_every=60, defer_reply="451 4.7.0 rate limit exceeded, slow down")
    with Post(script) as post:
        room.use(post)
        ended = room.send()
        assert ended.code == 1, ended.err
        assert room.states() == {"sent": 59, "deferred": 1}
        assert set(post.counts) == everybody - room.emails_in("deferred")
    (row,) = room.log("--state", "deferred")
    assert row["reason"] == "throttled"


def test_a_server_that_breaks_down_all_the_time(room: Newsroom) -> None:
    """Half answers, nonsense, 421 and silence: what we call sent, it has; nothing is lost."""
    everybody = set(room.add_people(150))
    with Post(Script(chaos=25)) as post:
        room.use(post, "&timeout=2")
        for _ in range(6):
            ended = room.send_quickly()
            assert ended.code in {0, 1, 3}, ended.err
            states = room.states()
            assert sum(states.values()) == 150
            if not {"pending"} & set(states):
                break
        assert room.emails_in("sent") <= set(post.counts)
        assert not room.emails_in("pending") & set(post.counts)
        assert max(post.counts.values()) == 1
        assert everybody == set().union(
            *(room.emails_in(state) for state in ("sent", "pending", "uncertain", "deferred"))
        )

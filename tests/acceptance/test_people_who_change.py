"""People leave, are suppressed, change or are on several lists between plan and claim."""

from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.newsroom import ISSUE, Newsroom, Post
from tests.integration.smtp_servers import Script

NEEDS_NAME = """\
---
subject: News
---
Dear {{ subscriber.first_name }},

This is the news.
"""


def planned_and_stopped(room: Newsroom, number: int) -> list[str]:
    """Everybody has a plan, nobody a message: the mail server refused us."""
    emails = room.add_people(number)
    with Post(Script(replies={"mail": b"550 5.7.1 who are you?\r\n"})) as post:
        room.use(post)
        assert room.send_quickly().code == 3
    assert room.states() == {"pending": number}
    return emails


def reason_of(room: Newsroom, email: str) -> tuple[str, str]:
    (row,) = room.log("--email", email)
    return row["state"], row["reason"]


def test_some_leave_between_plan_and_claim(room: Newsroom, post: Post) -> None:
    emails = planned_and_stopped(room, 20)
    left, blocked = emails[3], emails[7]
    room.desk.do("subscribers", "unsubscribe", left)
    room.desk.do("suppressions", "add", blocked)
    room.use(post)
    ended = room.send()
    assert ended.code == 0, ended.err
    assert "20 on the list = 18 to send + 1 unsubscribed + 1 suppressed" in ended.err
    assert room.states() == {"sent": 18, "skipped": 2}
    assert reason_of(room, left) == ("skipped", "unsubscribed")
    assert reason_of(room, blocked) == ("skipped", "suppressed")
    assert post.counts == Counter(set(emails) - {left, blocked})


def test_the_last_who_waits_leaves(room: Newsroom, post: Post) -> None:
    (email,) = planned_and_stopped(room, 1)
    room.desk.do("subscribers", "unsubscribe", email)
    room.use(post)
    assert room.send().code == 0
    assert reason_of(room, email) == ("skipped", "unsubscribed")
    assert post.received == []


def test_some_leave_while_it_is_sent(room: Newsroom, post: Post) -> None:
    emails = room.add_people(600)
    room.use(post)
    running = room.start_send()
    post.wait_for(50, running)
    # Deliveries go in the order of the subscribers, so the last ones are far away.
    room.desk.do("subscribers", "unsubscribe", emails[-1])
    room.desk.do("suppressions", "add", emails[-2])
    ended = running.end()
    assert ended.code == 0, ended.err
    assert room.states() == {"sent": 598, "skipped": 2}
    assert post.counts == Counter(emails[:-2])


def test_somebody_loses_the_name_that_a_message_needs(room: Newsroom, post: Post) -> None:
    emails = room.add_people(600)
    room.write_issue(NEEDS_NAME)
    room.use(post)
    running = room.start_send()
    post.wait_for(50, running)
    room.desk.query("UPDATE subscribers SET first_name = '' WHERE email = ?", (emails[-1],))
    ended = running.end()
    assert ended.code == 1, ended.err
    assert room.states() == {"sent": 599, "failed": 1}
    (row,) = room.log("--email", emails[-1])
    assert "{{ subscriber.first_name }} has no value and no default" in row["reply"]
    # With the name back, a retry brings it.
    room.desk.query("UPDATE subscribers SET first_name = 'Ann' WHERE email = ?", (emails[-1],))
    assert room.quickly("retry", ISSUE, "--failed", "--yes").code == 0
    assert post.counts == Counter(emails)


def test_a_missing_value_stops_the_send_before_it_begins(room: Newsroom, post: Post) -> None:
    room.add_people(30)
    room.desk.do("subscribers", "add", "nameless@example.net")
    room.write_issue(NEEDS_NAME)
    room.use(post)
    before = room.everything()
    ended = room.send()
    assert ended.code == 2
    assert "1 messages cannot be made:" in ended.err
    assert "nameless@example.net: {{ subscriber.first_name }} has no value" in ended.err
    assert room.everything() == before
    assert post.received == []


def test_somebody_is_erased_while_waiting(room: Newsroom, post: Post) -> None:
    emails = planned_and_stopped(room, 5)
    room.desk.do("subscribers", "erase", emails[0], "--yes")
    room.use(post)
    assert room.send().code == 0
    assert room.states() == {"sent": 4, "skipped": 1}
    assert post.counts == Counter(emails[1:])
    assert "(erased)" in {row["email"] for row in room.log()}


def test_lists_that_overlap(room: Newsroom, post: Post) -> None:
    main = room.add_people(30)
    room.desk.do("lists", "create", "partners")
    partners = room.add_people(30, "--list", "partners", start=20)
    room.use(post)
    first = room.send("--list", "partners", "--list", "main", "--json")
    assert first.code == 0, first.err
    assert room.states() == {"sent": 50}
    assert post.counts == Counter({*main, *partners})
    by_list = Counter(row["list"] for row in room.log())
    assert sum(by_list.values()) == 50
    # A wider audience later: only who is new.
    room.add_people(10, start=100)
    again = room.quickly("send", ISSUE, "--yes", "--json")
    assert again.code == 0
    assert "60 on the list = 10 to send + 50 that have it already" in again.err
    assert max(post.counts.values()) == 1


def test_somebody_leaves_the_list_of_the_plan_and_is_on_another(room: Newsroom, post: Post) -> None:
    room.desk.do("lists", "create", "partners")
    main = room.add_people(3)
    room.add_people(3, "--list", "partners")
    room.environment["NEWSLETTER_TRANSPORT__URL"] = "smtp://127.0.0.1:1?tls=none"
    assert room.quickly("send", ISSUE, "--list", "partners", "--yes").code == 3
    room.desk.do("subscribers", "unsubscribe", main[0], "--list", "partners")
    room.use(post)
    ended = room.send_quickly("--list", "main")
    assert ended.code == 0, ended.err
    assert room.states() == {"sent": 3}
    assert post.counts == Counter(main)


def test_a_stop_names_the_same_list(room: Newsroom) -> None:
    room.desk.do("lists", "create", "partners")
    room.add_people(20)
    room.add_people(5, "--list", "partners", start=100)
    room.environment["NEWSLETTER_TRANSPORT__URL"] = "smtp://127.0.0.1:1?tls=none"
    ended = room.quickly("send", ISSUE, "--list", "partners", "--yes")
    assert ended.code == 3
    assert ended.err.rstrip().endswith(f"To go on: newsletter send {ISSUE} --list partners")


def test_a_list_that_is_not_there(room: Newsroom, post: Post) -> None:
    room.add_people(3)
    room.use(post)
    before = room.everything()
    ended = room.send("--list", "pressroom")
    assert ended.code == 2
    assert "there is no list pressroom; there are main" in ended.err
    assert (room.everything(), post.received) == (before, [])


def test_a_limit(room: Newsroom, post: Post) -> None:
    emails = room.add_people(40)
    room.use(post)
    assert room.send("--limit", "15").code == 0
    assert room.states() == {"sent": 15}
    assert post.counts == Counter(emails[:15])
    assert room.send_quickly("--limit", "20", "--expect", "20").code == 0
    assert room.send_quickly("--limit", "20", "--expect", "5").code == 0
    assert room.states() == {"sent": 40}
    assert post.counts == Counter(emails)


def test_a_limit_with_people_who_wait(room: Newsroom, post: Post) -> None:
    emails = planned_and_stopped(room, 20)
    emails += room.add_people(20, start=20)
    room.desk.do("subscribers", "unsubscribe", emails[0])
    room.use(post)
    assert room.send("--limit", "10", "--expect", "10").code == 0
    assert len(post.received) == 10
    assert room.send_quickly("--limit", "19", "--expect", "19").code == 0
    assert room.send_quickly("--expect", "10").code == 0
    assert post.counts == Counter(emails[1:])
    assert room.states() == {"sent": 39, "skipped": 1}


@pytest.mark.parametrize(
    ("options", "typed"),
    [
        (["--expect", "31", "--yes"], ""),
        (["--expect", "31"], ""),
        ([], "31\n"),
        ([], "yes\n"),
        ([], "\n"),
        ([], ""),
    ],
)
def test_nobody_agrees(room: Newsroom, post: Post, options: list[str], typed: str) -> None:
    room.add_people(30)
    room.use(post)
    before = room.everything()
    ended = room.run("send", ISSUE, *options, typed=typed)
    assert ended.code == 2
    assert "nothing was sent" in ended.err
    assert (room.everything(), post.received) == (before, [])


def test_the_number_is_typed(room: Newsroom, post: Post) -> None:
    room.add_people(1200)
    room.use(post)
    ended = room.run("send", ISSUE, typed="1,200\n")
    assert ended.code == 0, ended.err
    for said in (
        "short (edition ",
        "main: 1,200 on the list = 1,200 to send",
        "News Office <news@example.org>",
        f"smtp://127.0.0.1:{post.server.port}",
        "Type 1200 to send 1,200 messages: ",
    ):
        assert said in ended.err
    assert len(post.received) == 1200


def test_a_dry_run_changes_nothing(room: Newsroom, post: Post) -> None:
    room.add_people(30)
    room.use(post)
    before = room.everything()
    ended = room.run("send", ISSUE, "--dry-run", "--json")
    assert ended.code == 0
    assert (ended.json["to_send"], ended.json["on_list"], ended.json["new"]) == (30, 30, 30)
    assert room.quickly("send", ISSUE, "--dry-run", "--expect", "29").code == 2
    assert (room.everything(), post.received) == (before, [])


def test_a_cancel_while_it_is_sent(room: Newsroom, post: Post) -> None:
    room.add_people(600)
    room.use(post)
    running = room.start_send()
    post.wait_for(100, running)
    skipped = room.desk.do("cancel", ISSUE, "--json").json["skipped"]
    assert skipped > 0
    ended = running.end()
    states = room.states()
    assert states == {"sent": len(post.received), "skipped": skipped}
    assert sum(states.values()) == 600
    assert ended.code in {0, 3}
    assert {row["reason"] for row in room.log("--state", "skipped")} == {"cancelled"}
    for command in (("send", ISSUE, "--yes"), ("retry", ISSUE, "--yes")):
        refused = room.quickly(*command)
        assert (refused.code, "was cancelled" in refused.err) == (2, True)


def test_a_cancel_ends_what_its_sender_puts_back(room: Newsroom) -> None:
    """The server says "later" after the cancel: nothing stays open that nobody may send."""
    room.add_people(40)
    with Post(Script(defer_every=2, delay_s=0.02)) as post:
        room.use(post)
        running = room.start_send()
        post.wait_for(4, running)
        room.desk.do("cancel", ISSUE)
        running.end()
    assert set(room.states()) == {"sent", "skipped"}
    assert sum(room.states().values()) == 40


def test_the_files_change_after_the_first_send(room: Newsroom, post: Post) -> None:
    emails = room.add_people(20)
    room.use(post)
    assert room.send("--limit", "10").code == 0
    file = room.write_issue("---\nsubject: Other news\n---\nOther news.\n")
    refused = room.send()
    assert refused.code == 2
    assert "has changed since it was first sent" in refused.err
    assert "--as-frozen" in refused.err
    assert len(post.received) == 10
    assert room.send("--as-frozen", "--limit", "5").code == 0
    gone(file)
    assert room.send_quickly().code == 2
    assert room.send("--as-frozen").code == 0
    assert post.counts == Counter(emails)
    assert all(b"This is the news" in received.content for received in post.received)


def gone(file: Path) -> None:
    file.unlink()
    file.parent.rmdir()


def test_a_test_is_required(room: Newsroom, post: Post) -> None:
    room.add_people(5)
    room.configure(delivery={"require_test": True})
    room.use(post)
    before = room.everything()
    refused = room.send()
    assert refused.code == 2
    assert f"newsletter test {ISSUE} --to YOU" in refused.err
    assert (room.everything(), post.received) == (before, [])
    assert room.quickly("test", ISSUE, "--to", "me@example.org").code == 0
    room.write_issue("---\nsubject: News\n---\nA word more.\n")
    assert room.send_quickly().code == 2
    assert room.quickly("test", ISSUE, "--to", "me@example.org").code == 0
    ended = room.send()
    assert ended.code == 0
    assert "Tested     yes, this very build" in ended.err

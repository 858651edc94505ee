"""The bytes that the mail server has got, of the sample issue, by ``test`` and by ``send``."""

import email
import re
import shutil
from email import policy
from email.message import EmailMessage

import httpx
import pytest

from newsletter_mail.resources import resource_dir
from newsletter_mail.scaffold import SAMPLE
from tests.acceptance.newsroom import ISSUE, Newsroom, Post

LINK = re.compile(rb"^List-Unsubscribe: <(https?://[^>\s]+)>", re.MULTILINE)
# Names that must be encoded, quoted, or folded.
PEOPLE = """\
email;first_name;last_name;language
zoe@example.net;Zoé "Zoë";O'Hára;en
max@example.net;Maximiliane-Wilhelmine Friederike;von und zu Hohenlohe-Langenburg-Weikersheim;en
li@example.net;力;李;zh
plain@example.net;;;
"""


@pytest.fixture
def sample(room: Newsroom) -> Newsroom:
    shutil.copytree(resource_dir("issues") / SAMPLE, room.path / "issues" / SAMPLE)
    room.configure(
        newsletter={"name": "Mayors Mechanism – für Städte"},
        web={"base_url": "https://news.a-rather-long-host-name.example.org/newsletter"},
        sender={
            "from": "Mayors Mechanism <news@example.org>",
            "bounces": "bounces@example.org",
            "postal_address": "1 Example Street, 08002 Barcelona",
        },
    )
    room.desk.do("subscribers", "import", room.desk.file("people.csv", PEOPLE))
    return room


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        assert isinstance(part, EmailMessage)
        for name, value in part.items():
            assert value.defects == (), name
        if not part.is_multipart():
            part.get_content()
    return message


def assert_lines_are_legal(content: bytes) -> None:
    assert content.endswith(b"\r\n")
    assert b"\r\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    head, _, body = content.partition(b"\r\n\r\n")
    assert content.isascii()
    for line in body.split(b"\r\n"):
        assert len(line) <= 76, line
        assert not line.startswith(b".")
    for line in head.split(b"\r\n"):
        # Longer only where nothing can be folded: one word after the name or the fold.
        is_one_word = len(line.strip().split(b" ")) <= 2
        assert len(line) <= 78 or is_one_word, line


def test_a_send_of_the_sample(sample: Newsroom, post: Post) -> None:
    sample.use(post)
    ended = sample.run("send", SAMPLE, "--yes")
    assert ended.code == 0, ended.err
    received = {one.recipient: one for one in post.received}
    assert len(received) == 4
    for address, one in received.items():
        assert_lines_are_legal(one.content)
        message = parsed(one.content)
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        assert message["To"].addresses[0].addr_spec == address
        assert message["From"].addresses[0].display_name == "Mayors Mechanism"
        assert not message["Subject"].startswith("[Test]")
        link = LINK.search(one.content)
        assert link is not None
        assert link[1].startswith(b"https://news.a-rather-long-host-name.example.org/newsletter/u/")
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        # The link in the header is the link that the reader sees.
        html = message.get_body(("html",))
        text = message.get_body(("plain",))
        assert html is not None
        assert text is not None
        assert link[1].decode() in html.get_content()
        assert link[1].decode() in text.get_content()
        assert len(html.get_content().encode()) < 102_000
        name = message["Message-ID"].strip("<>").partition("@")[0]
        assert one.sender == f"bounces+{name}@example.org"
    shown = parsed(received["zoe@example.net"].content)
    assert shown["To"].addresses[0].display_name == 'Zoé "Zoë" O\'Hára'
    assert len({LINK.findall(one.content)[0] for one in received.values()}) == 4


def test_a_test_goes_to_given_addresses_and_changes_nobody(sample: Newsroom, post: Post) -> None:
    sample.use(post)
    before = sample.desk.dump()
    ended = sample.run(
        "test", SAMPLE, "--to", "boss@example.com", "--to", "zoe@example.net",
        "--as", "max@example.net",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "boss@example.com: sent: 250 2.0.0 Ok" in ended.out
    assert [one.recipient for one in post.received] == ["boss@example.com", "zoe@example.net"]
    for one in post.received:
        assert_lines_are_legal(one.content)
        message = parsed(one.content)
        assert message["Subject"].startswith("[Test] ")
        text = message.get_body(("plain",))
        assert text is not None
        assert "Maximiliane-Wilhelmine" in text.get_content()
    assert sample.states(SAMPLE) == {}
    tests = sample.log("--state", "test")
    assert [row["email"] for row in tests] == ["boss@example.com", "zoe@example.net"]
    assert {row["reply"] for row in tests} == {"250 2.0.0 Ok: queued"}

    (link, *_) = LINK.findall(post.received[0].content)
    path = link.decode().partition("/newsletter")[2]
    serving = sample.start("serve", "--port", "0")
    assert serving.process.stdout is not None
    try:
        address = serving.process.stdout.readline().removeprefix("Listening on ").strip()
        shown = httpx.get(address + path)
        left = httpx.post(address + path, data={"List-Unsubscribe": "One-Click"})
    finally:
        serving.process.terminate()
        serving.end()
    assert (shown.status_code, left.status_code) == (200, 200)
    assert sample.desk.dump() == before
    # A test is outside the dedup: everybody gets the issue all the same.
    assert sample.quickly("send", SAMPLE, "--yes").code == 0
    assert sample.states(SAMPLE) == {"sent": 4}


def test_a_real_link_unsubscribes(room: Newsroom, post: Post) -> None:
    emails = room.add_people(3)
    room.use(post)
    assert room.send_quickly().code == 0
    first = next(one for one in post.received if one.recipient == emails[0])
    (link, *_) = LINK.findall(first.content)
    path = link.decode().partition(":8000")[2]
    serving = room.start("serve", "--port", "0")
    assert serving.process.stdout is not None
    try:
        address = serving.process.stdout.readline().removeprefix("Listening on ").strip()
        assert httpx.post(address + path, data={"List-Unsubscribe": "One-Click"}).is_success
    finally:
        serving.process.terminate()
        serving.end()
    status = room.desk.do("status", ISSUE, "--json").json
    assert status["unsubscribed"] == 1
    room.write_issue("---\nsubject: The next one\n---\nNews.\n", "next")
    ended = room.quickly("send", "next", "--yes")
    assert "3 on the list = 2 to send + 1 unsubscribed" in ended.err
    assert {one.recipient for one in post.received[3:]} == set(emails[1:])


def test_a_test_that_the_server_refuses(room: Newsroom) -> None:
    from tests.integration.smtp_servers import Script

    with Post(Script(refuse_every=2)) as post:
        room.use(post)
        ended = room.run("test", ISSUE, "--to", "a@example.com", "--to", "b@example.com")
    assert ended.code == 1
    assert ended.out.count(": sent: ") == 1
    assert "not sent: 550 5.1.1 no such user" in ended.out
    assert room.desk.query("SELECT * FROM suppressions") == []


@pytest.mark.parametrize("address", ["nobody", "a@example.com\r\nBcc: b@example.com"])
def test_an_address_that_is_none(room: Newsroom, post: Post, address: str) -> None:
    room.use(post)
    ended = room.quickly("test", ISSUE, "--to", "a@example.com", "--to", address)
    assert (ended.code, post.received) == (2, [])
    assert ended.err.count("\n") == 1

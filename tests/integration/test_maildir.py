"""The Maildir transport, on a real disk."""

import asyncio
import mailbox
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from newsletter_mail.errors import TransportError
from newsletter_mail.transport.maildir import MaildirTransport
from newsletter_mail.words import Envelope, Outcome, Outgoing, Verdict


class ListFeed:
    is_closed = False

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.left = deque(messages)

    async def next(self) -> Outgoing | None:
        return self.next_now()

    def next_now(self) -> Outgoing | None:
        return self.left.popleft() if self.left else None


def message(number: int, *, text: bytes = b"text\r\n", recipient: str = "") -> Outgoing:
    recipient = recipient or f"r{number}@x.test"
    content = (b"Subject: hello\r\n\r\n", text)
    return Outgoing(number, f"ref{number}", Envelope(f"b+{number}@s.test", recipient), content)


def deliver(folder: Path, messages: Sequence[Outgoing]) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}

    def report(outgoing: Outgoing, outcome: Outcome) -> None:
        assert outgoing.key not in outcomes
        outcomes[outgoing.key] = outcome

    try:
        asyncio.run(MaildirTransport(folder).run(ListFeed(messages), report))
    except TransportError as error:
        error.add_note(str(outcomes))
        raise
    return outcomes


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_messages_become_files(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "outbox"
    outcomes = deliver(folder, [message(number) for number in range(120)])
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.ACCEPTED}
    assert outcomes[0].reply.text == "written to outbox/new/ref0.newsletter-mail"
    assert files(folder) == sorted(f"new/ref{number}.newsletter-mail" for number in range(120))


def test_the_bytes_of_a_file(tmp_path: Path) -> None:
    deliver(tmp_path, [message(1, recipient="jörg@x.test")])
    assert (tmp_path / "new" / "ref1.newsletter-mail").read_bytes() == (
        "Return-Path: <b+1@s.test>\r\nDelivered-To: jörg@x.test\r\n"
        "Subject: hello\r\n\r\ntext\r\n".encode()
    )


def test_a_mail_program_reads_it(tmp_path: Path) -> None:
    deliver(tmp_path, [message(1)])
    (read,) = mailbox.Maildir(tmp_path, create=False)
    assert read["Subject"] == "hello"
    assert read["Delivered-To"] == "r1@x.test"


def test_nothing_to_send_makes_nothing(tmp_path: Path) -> None:
    assert deliver(tmp_path / "outbox", []) == {}
    assert not (tmp_path / "outbox").exists()


def test_a_second_try_takes_the_place_of_the_first(tmp_path: Path) -> None:
    deliver(tmp_path, [message(1, text=b"first\r\n")])
    deliver(tmp_path, [message(1, text=b"second\r\n")])
    assert files(tmp_path) == ["new/ref1.newsletter-mail"]
    assert (tmp_path / "new" / "ref1.newsletter-mail").read_bytes().endswith(b"second\r\n")


def test_also_when_somebody_has_read_it(tmp_path: Path) -> None:
    deliver(tmp_path, [message(1), message(11)])
    for number, flags in ((1, ":2,S"), (11, "")):
        name = f"ref{number}.newsletter-mail"
        (tmp_path / "new" / name).rename(tmp_path / "cur" / (name + flags))
    (tmp_path / "cur" / "another.mail:2,S").write_text("not ours")
    deliver(tmp_path, [message(1)])
    assert files(tmp_path) == [
        "cur/another.mail:2,S",
        "cur/ref11.newsletter-mail",
        "new/ref1.newsletter-mail",
    ]


def test_a_part_of_the_path_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("")
    with pytest.raises(TransportError, match="a part of the path is a file") as caught:
        deliver(tmp_path / "outbox", [message(1), message(2)])
    assert "not_handed_over" in caught.value.__notes__[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(TransportError, match="no permission"):
            deliver(tmp_path / "outbox", [message(1)])
    finally:
        tmp_path.chmod(0o700)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    messages = [message(number, text=b"x" * 70 + b"\r\n") for number in range(3)]
    messages[1] = message(1, text=(b"x" * 70 + b"\r\n") * 30_000)
    with pytest.raises(TransportError, match="the disk is full") as caught:
        deliver(small_disk, messages)
    notes = caught.value.__notes__[0]
    assert "accepted" in notes
    assert "not_handed_over" in notes
    assert files(small_disk) == ["new/ref0.newsletter-mail"]


@pytest.mark.parametrize("ref", ["../../etc/passwd", "a/b", "", "a.b", "ä", "a\0"])
def test_a_name_that_would_lead_elsewhere(tmp_path: Path, ref: str) -> None:
    outgoing = Outgoing(1, ref, Envelope("b@s.test", "r@x.test"), (b"x\r\n",))
    with pytest.raises(TransportError, match="cannot name a file"):
        deliver(tmp_path, [outgoing])
    assert files(tmp_path) == []


def test_an_address_that_would_add_a_header(tmp_path: Path) -> None:
    outcomes = deliver(tmp_path, [message(1, recipient="a@x.test\r\nBcc: b@x.test"), message(2)])
    assert outcomes[1].verdict is Verdict.MESSAGE_REFUSED
    assert outcomes[2].verdict is Verdict.ACCEPTED
    assert files(tmp_path) == ["new/ref2.newsletter-mail"]

import os
import subprocess
from base64 import b64encode
from email import message_from_bytes
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.integration.people import Desk

ISSUE = """\
---
subject: News for {{ subscriber.first_name | default("you") }}
---
Dear {{ subscriber.first_name | default("friend") }},

This  is the news. [Read more](https://example.org/more)
"""
SENDER = '[sender]\nfrom = "News <news@example.org>"\npostal_address = "1 Street, Town"\n'
DKIM = '[dkim]\ndomain = "example.org"\nselector = "news"\nkey_file = "keys/news.pem"\n'
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record(name: bytes, timeout: int = 5) -> bytes:
    """The DNS of these tests."""
    known = name == b"news._domainkey.example.org."
    return b"v=DKIM1; k=rsa; p=" + b64encode(PUBLIC) if known else b""


@pytest.fixture
def empty_desk(tmp_path: Path) -> Desk:
    """With an issue and a key, and nobody to send it to."""
    desk = Desk.make(tmp_path / "workspace")
    desk.file("newsletter.toml", SENDER + DKIM)
    (desk.path / "issues" / "short").mkdir(parents=True)
    desk.file("issues/short/issue.md", ISSUE)
    (desk.path / "keys").mkdir()
    desk.file("keys/news.pem", PEM).chmod(0o600)
    return desk


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    empty_desk.do("subscribers", "add", "anna@example.com", "--name", "Anna Berg")
    empty_desk.do("subscribers", "add", "joerg@example.com", "--name", "Jörg  Groß")
    return empty_desk


def mails(desk: Desk) -> list[bytes]:
    return [path.read_bytes() for path in sorted((desk.path / "outbox" / "new").iterdir())]


def test_a_message_that_was_sent_verifies(desk: Desk) -> None:
    desk.do("send", "short", "--yes")
    sent = mails(desk)
    assert len(sent) == 2
    for raw in sent:
        assert dkim.verify(raw, dnsfunc=record)
        signature = str(message_from_bytes(raw)["DKIM-Signature"])
        assert "d=example.org; s=news;" in signature
        assert not dkim.verify(raw.replace(b"the news", b"the new"), dnsfunc=record)


def test_a_test_message_verifies(desk: Desk) -> None:
    desk.do("test", "short", "--to", "me@example.net", "--as", "anna@example.com")
    [raw] = mails(desk)
    assert b"[Test] " in raw
    assert dkim.verify(raw, dnsfunc=record)


def test_without_the_section_nothing_is_signed(desk: Desk) -> None:
    desk.file("newsletter.toml", SENDER)
    desk.do("send", "short", "--yes")
    sent = mails(desk)
    assert len(sent) == 2
    assert all(b"DKIM" not in raw for raw in sent)


def test_a_domain_above_the_senders_may_sign(desk: Desk) -> None:
    desk.file("newsletter.toml", SENDER.replace("@example", "@mail.EXAMPLE") + DKIM)
    desk.do("send", "short", "--yes", "--limit", "1")
    [raw] = mails(desk)
    assert dkim.verify(raw, dnsfunc=record)


def test_the_settings_can_come_from_the_environment(
    empty_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_desk.file("newsletter.toml", SENDER)
    monkeypatch.setenv("NEWSLETTER_DKIM__DOMAIN", "example.org")
    monkeypatch.setenv("NEWSLETTER_DKIM__SELECTOR", "news")
    monkeypatch.setenv("NEWSLETTER_DKIM__KEY_FILE", str(empty_desk.path / "keys" / "news.pem"))
    empty_desk.do("test", "short", "--to", "me@example.net")
    [raw] = mails(empty_desk)
    assert dkim.verify(raw, dnsfunc=record)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('selector = "news"\n', "", "newsletter.toml:4: dkim: set domain, selector and key_file"),
        ('domain = "example.org"\nselector = "news"\n', "", "domain and selector are missing"),
        ("news.pem", "", "keys: the DKIM key cannot be read"),
        ("news.pem", "none.pem", "none.pem: the DKIM key cannot be read: No such file"),
        ('"example.org"', '"no domain"', "domain: must be a domain such as example.org"),
        ('"example.org"', '"example.com"', "example.com does not sign for the sender's example.or"),
        ('"example.org"', '"ample.org"', "ample.org does not sign for the sender's example.org"),
        ('"example.org"', '"mail.example.com"', "does not sign for the sender's example.org"),
        ('selector = "news"', 'selector = "a b"', "newsletter.toml:6: selector:"),
        ('selector = "news"', 'selector = "a;x=1"', "newsletter.toml:6: selector:"),
        ("selector =", "selektor =", "did you mean selector?"),
    ],
)
def test_settings_that_cannot_sign_are_refused(
    empty_desk: Desk, old: str, new: str, reason: str
) -> None:
    assert old in DKIM
    empty_desk.file("newsletter.toml", SENDER + DKIM.replace(old, new, 1))
    ended = empty_desk.run("send", "short", "--yes")
    assert ended.code == 2
    assert reason in ended.err
    assert not (empty_desk.path / "outbox").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_can_use_is_refused(empty_desk: Desk, mode: int) -> None:
    (empty_desk.path / "keys" / "news.pem").chmod(mode)
    ended = empty_desk.run("send", "short", "--yes")
    assert ended.code == 2
    assert "keys/news.pem: others can use this key: chmod 600 it" in ended.err
    assert not (empty_desk.path / "outbox").exists()


def test_a_key_of_another_kind_is_refused_and_never_shown(empty_desk: Desk) -> None:
    empty_desk.file("keys/news.pem", PEM[:900])
    ended = empty_desk.run("send", "short", "--yes")
    assert ended.code == 2
    assert "keys/news.pem: not a private key in PEM" in ended.err
    lines = PEM.decode().splitlines()[1:-1]
    assert not any(line in ended.err + ended.out for line in lines)


def test_a_short_key_is_warned_of(desk: Desk) -> None:
    key = rsa.generate_private_key(65537, 1024)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    desk.file("keys/news.pem", pem)
    ended = desk.do("send", "short", "--yes")
    assert "Warning: " in ended.err
    assert "make one of 2048 bits" in ended.err


def test_a_key_as_openssl_makes_it_signs(empty_desk: Desk) -> None:
    path = empty_desk.path / "keys" / "news.pem"
    command = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("there is no openssl")
    path.chmod(0o600)
    empty_desk.do("test", "short", "--to", "me@example.net")
    [raw] = mails(empty_desk)
    assert b"a=ed25519-sha256" in raw


def test_looking_needs_no_key(empty_desk: Desk) -> None:
    (empty_desk.path / "keys" / "news.pem").unlink()
    empty_desk.do("build", "short", "--out", empty_desk.path / "build")
    eml = empty_desk.path / "build" / "short" / "en" / "message.eml"
    assert b"DKIM" not in eml.read_bytes()
    empty_desk.do("check", "short")

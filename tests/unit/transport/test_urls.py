import traceback
from pathlib import Path

import pytest

from newsletter_mail.errors import ConfigError
from newsletter_mail.transport.maildir import MaildirTransport
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp import SmtpTransport
from newsletter_mail.transport.smtp_settings import SmtpSettings, Timeouts
from newsletter_mail.transport.urls import open_transport

WORKSPACE = Path("/srv/space")
SECRET = "hunter2"


def settings_of(url: str, *, password: str | None = SECRET) -> SmtpSettings:
    transport = open_transport(url, workspace=WORKSPACE, password=password, connections=7)
    assert isinstance(transport, SmtpTransport)
    return transport.settings


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("maildir:outbox", "/srv/space/outbox"),
        ("maildir:out box/new ones", "/srv/space/out box/new ones"),
        ("maildir:/var/mail/out", "/var/mail/out"),
        ("MAILDIR:outbox", "/srv/space/outbox"),
    ],
)
def test_maildir(url: str, folder: str) -> None:
    transport = open_transport(url, workspace=WORKSPACE, password=None)
    assert isinstance(transport, MaildirTransport)
    assert transport.description == f"Maildir {folder}"
    assert transport.connections == 1


@pytest.mark.parametrize(
    ("url", "host", "port", "security", "user"),
    [
        ("smtp://mail.example.org", "mail.example.org", 587, Security.STARTTLS, ""),
        ("smtp://me@mail.example.org:25", "mail.example.org", 25, Security.STARTTLS, "me"),
        (
            "smtp://me@x.org@mail.example.org",
            "mail.example.org",
            587,
            Security.STARTTLS,
            "me@x.org",
        ),
        ("smtp://me%40x.org@h.example", "h.example", 587, Security.STARTTLS, "me@x.org"),
        ("smtps://me@mail.example.org", "mail.example.org", 465, Security.IMPLICIT, "me"),
        ("SMTPS://h.example:2465/", "h.example", 2465, Security.IMPLICIT, ""),
        ("smtp://127.0.0.1:1025?tls=none", "127.0.0.1", 1025, Security.NONE, ""),
        ("smtp://[::1]:1025?tls=none", "::1", 1025, Security.NONE, ""),
        ("smtp://localhost:1025?tls=none", "localhost", 1025, Security.NONE, ""),
        ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Security.STARTTLS, ""),
        ("smtp://h.example?tls=starttls", "h.example", 587, Security.STARTTLS, ""),
        ("smtp://h.example?tls=none&insecure=yes", "h.example", 587, Security.NONE, ""),
    ],
)
def test_smtp(url: str, host: str, port: int, security: Security, user: str) -> None:
    settings = settings_of(url)
    assert (settings.host, settings.port) == (host, port)
    assert (settings.security, settings.user) == (security, user)
    assert settings.password == (SECRET if user else "")
    assert settings.connections == 7


def test_query() -> None:
    settings = settings_of("smtp://h.example?timeout=5.5&messages_per_connection=20&helo=a.example")
    assert settings.timeouts == Timeouts(connect=5.5, banner=5.5, command=5.5, data=5.5, body=5.5)
    assert settings.messages_per_connection == 20
    assert settings.helo == "a.example"
    assert settings_of("smtp://h.example?timeout=120").timeouts.body == 120
    assert settings_of("smtp://h.example?timeout=120").timeouts.command == 60
    assert settings_of("smtp://h.example").messages_per_connection == 100


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "must begin with"),
        ("outbox", "must begin with"),
        ("smpt://h.example", "did you mean smtp?"),
        ("mail-dir:outbox", "did you mean maildir?"),
        ("http://h.example", "must begin with"),
        ("maildir:", "write maildir:PATH"),
        ("maildir://outbox", "write maildir:PATH"),
        ("smtp:h.example", "two slashes"),
        ("smtp://", "names no host"),
        ("smtp://me@", "names no host"),
        ("smtp://h.example:port", "cannot be read"),
        ("smtp://h.example:99999", "cannot be read"),
        ("smtp://h.example:0", "0 is no port"),
        ("smtp://[::1", "cannot be read"),
        ("smtp://h.example/inbox", "nothing may follow"),
        ("smtp://h.example#x", "nothing may follow"),
        ("smtp://h.example?timout=3", "did you mean timeout?"),
        ("smtp://h.example?tls=no", "none or starttls"),
        ("smtp://h.example?tls=none", "insecure=yes"),
        ("smtp://127.0.0.1.example.org?tls=none", "insecure=yes"),
        ("smtp://h.example?tls=none&insecure=maybe", "yes or no"),
        ("smtps://h.example?tls=none", "always speaks TLS"),
        ("smtp://h.example?timeout=0", "above 0"),
        ("smtp://h.example?timeout=nan", "above 0"),
        ("smtp://h.example?timeout=soon", "above 0"),
        ("smtp://h.example?messages_per_connection=-1", "above 0"),
        ("smtp://h.example?messages_per_connection=1.5", "above 0"),
        ("smtp://h.example?helo=a%0d%0aMAIL", "host name"),
    ],
)
def test_what_cannot_be_used(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")) as caught:
        open_transport(url, workspace=WORKSPACE, password=SECRET)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"smtp://me:{SECRET}@h.example",
        f"smtp://me:{SECRET}@h.example:x",
        f"smtp://:{SECRET}@h",
        f"smtp://me:{SECRET}",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_transport(url, workspace=WORKSPACE, password=None)
    assert SECRET not in "".join(traceback.format_exception(caught.value, limit=0))


def test_a_user_needs_a_password() -> None:
    with pytest.raises(ConfigError, match="NEWSLETTER_SMTP_PASSWORD"):
        settings_of("smtp://me@h.example", password=None)


def test_the_password_is_never_shown() -> None:
    transport = open_transport("smtp://me@h.example", workspace=WORKSPACE, password=SECRET)
    assert transport.description == "smtp://h.example:587 (STARTTLS, as me)"
    assert SECRET not in repr(settings_of("smtp://me@h.example"))


@pytest.mark.parametrize(
    ("url", "description"),
    [
        ("smtps://h.example", "smtps://h.example:465 (TLS)"),
        ("smtp://[::1]:25?tls=none", "smtp://[::1]:25 (no TLS)"),
    ],
)
def test_description(url: str, description: str) -> None:
    transport = open_transport(url, workspace=WORKSPACE, password=None)
    assert transport.description == description


def test_it_needs_a_connection() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        open_transport("smtp://h.example", workspace=WORKSPACE, password=None, connections=0)


def test_a_nul_is_no_part_of_a_password() -> None:
    with pytest.raises(ConfigError, match="NUL"):
        settings_of("smtp://me@h.example", password="a\0b")

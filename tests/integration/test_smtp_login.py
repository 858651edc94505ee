"""TLS and logins on real sockets, with a certificate authority made for the test."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace

import pytest
import trustme

from newsletter_mail.errors import AuthFailed, ConnectFailed, TlsFailed, TransportTimeout
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp_settings import SmtpSettings, is_loopback
from newsletter_mail.words import Verdict
from tests.integration.smtp_feeds import SETTINGS, Results, deliver, impatient, messages, run
from tests.integration.smtp_servers import Script, ScriptedServer

USERS = {"me@x.test": "hunter2 ☂"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


ServerTls = Callable[..., ssl.SSLContext]


@pytest.fixture
def server_tls(authority: trustme.CA) -> ServerTls:
    def make(name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make


@pytest.fixture
def settings(authority: trustme.CA) -> SmtpSettings:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return replace(SETTINGS, security=Security.STARTTLS, tls=trust)


def test_starttls(server_tls: ServerTls, settings: SmtpSettings) -> None:
    results, server = run(Script(tls=server_tls()), messages(200, size=5000), settings)
    assert results.error is None
    assert results.verdicts == {Verdict.ACCEPTED: 200}
    assert all(received.is_encrypted for received in server.received)
    assert sorted(len(received.content) for received in server.received) == sorted(
        message.size for message in messages(200, size=5000)
    )


def test_implicit_tls(server_tls: ServerTls, settings: SmtpSettings) -> None:
    script = Script(tls=server_tls(), implicit_tls=True, users=USERS)
    settings = replace(
        settings, security=Security.IMPLICIT, user="me@x.test", password=USERS["me@x.test"]
    )
    results, server = run(script, messages(100, size=100_000), settings)
    assert results.verdicts == {Verdict.ACCEPTED: 100}
    assert {len(received.content) for received in server.received} == {
        message.size for message in messages(100, size=100_000)
    }


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
def test_a_certificate_that_nobody_vouches_for(
    server_tls: ServerTls, settings: SmtpSettings, security: Security
) -> None:
    script = Script(tls=server_tls(), implicit_tls=security is Security.IMPLICIT)
    results, server = run(script, messages(5), replace(settings, tls=None, security=security))
    assert isinstance(results.error, TlsFailed)
    assert "certificate of 127.0.0.1" in str(results.error)
    assert results.verdicts == {Verdict.NOT_HANDED_OVER: 1}
    assert server.received == []
    assert server.connections <= 1


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
def test_a_certificate_of_somebody_else(
    server_tls: ServerTls, settings: SmtpSettings, security: Security
) -> None:
    script = Script(tls=server_tls("other.test"), implicit_tls=security is Security.IMPLICIT)
    results, _ = run(script, messages(5), replace(settings, security=security))
    assert isinstance(results.error, TlsFailed)
    assert "mismatch" in str(results.error)


def test_a_certificate_authority_of_ones_own(
    server_tls: ServerTls,
    settings: SmtpSettings,
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        results, _ = run(Script(tls=server_tls()), messages(5), replace(settings, tls=None))
    assert results.verdicts == {Verdict.ACCEPTED: 5}


def test_no_starttls_no_mail(settings: SmtpSettings) -> None:
    results, server = run(Script(), messages(5), settings)
    assert isinstance(results.error, TlsFailed)
    assert "does not offer STARTTLS" in str(results.error)
    assert not any(command.startswith("MAIL") for command in server.commands)


def test_implicit_tls_to_a_server_that_speaks_plain(settings: SmtpSettings) -> None:
    results, _ = run(Script(), messages(5), replace(settings, security=Security.IMPLICIT))
    assert isinstance(results.error, TlsFailed)
    assert "smtp://" in str(results.error)


def test_what_was_said_before_tls_is_not_believed(
    server_tls: ServerTls, settings: SmtpSettings
) -> None:
    script = Script(tls=server_tls(), replies={"starttls": b"220 go\r\n250 AUTH PLAIN\r\n"})
    results, server = run(script, messages(5), settings)
    assert isinstance(results.error, ConnectFailed)
    assert server.received == []


@pytest.mark.parametrize("phase", ["starttls", "auth"])
def test_a_server_that_hangs(server_tls: ServerTls, settings: SmtpSettings, phase: str) -> None:
    script = Script(tls=server_tls(), users=USERS, hang=phase)
    settings = replace(settings, timeouts=impatient(phase).timeouts, user="me@x.test", password="x")
    results, _ = run(script, messages(5), settings)
    assert isinstance(results.error, TransportTimeout)
    assert set(results.verdicts) == {Verdict.NOT_HANDED_OVER}


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
def test_a_server_that_hangs_in_the_handshake(settings: SmtpSettings, security: Security) -> None:
    hang = "handshake" if security is Security.STARTTLS else "banner"
    script = Script(extensions=("STARTTLS",), hang=hang)
    timeouts = replace(SETTINGS.timeouts, connect=0.2, command=0.2)
    settings = replace(settings, timeouts=timeouts, security=security)
    results, _ = run(script, messages(5), settings)
    assert isinstance(results.error, TransportTimeout)


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "PLAIN LOGIN"])
def test_login(server_tls: ServerTls, settings: SmtpSettings, mechanisms: str) -> None:
    script = Script(tls=server_tls(), users=USERS, mechanisms=mechanisms)
    settings = replace(settings, user="me@x.test", password=USERS["me@x.test"])
    results, _ = run(script, messages(20), settings)
    assert results.verdicts == {Verdict.ACCEPTED: 20}


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_tried_once(
    server_tls: ServerTls, settings: SmtpSettings, mechanisms: str
) -> None:
    script = Script(tls=server_tls(), users=USERS, mechanisms=mechanisms)
    settings = replace(settings, connections=10, user="me@x.test", password="wrong")
    results, server = run(script, messages(50), settings)
    assert isinstance(results.error, AuthFailed)
    assert "535 5.7.8" in str(results.error)
    assert "wrong" not in str(results.error)
    assert results.verdicts == {Verdict.NOT_HANDED_OVER: 1}
    assert server.connections == 1


def test_a_login_that_cannot_be_checked_now_is_tried_three_times(
    server_tls: ServerTls, settings: SmtpSettings
) -> None:
    later = b"454 4.7.0 Temporary authentication failure\r\n"
    script = Script(tls=server_tls(), users=USERS, replies={"auth": later})
    settings = replace(settings, user="me@x.test", password="x", backoff=(0.01,) * 9)
    results, server = run(script, messages(5), settings)
    assert isinstance(results.error, AuthFailed)
    assert server.connections == 3


def test_a_login_that_works_the_second_time(server_tls: ServerTls, settings: SmtpSettings) -> None:
    later = b"454 4.7.0 Temporary authentication failure\r\n"
    script = Script(tls=server_tls(), users=USERS, replies_once={"auth": later})
    settings = replace(settings, user="me@x.test", password=USERS["me@x.test"])
    results, _ = run(script, messages(5), settings)
    assert results.verdicts == {Verdict.ACCEPTED: 5}


def test_lost_in_the_middle_of_encrypted_content(
    server_tls: ServerTls, settings: SmtpSettings
) -> None:
    script = Script(tls=server_tls(), drop_body_after=1000)
    results, server = run(script, messages(1, size=20_000_000), settings)
    assert results.verdicts == {Verdict.NOT_HANDED_OVER: 1}
    assert server.connections == 2


def test_a_server_that_dies_in_the_middle_of_a_send(
    server_tls: ServerTls, settings: SmtpSettings
) -> None:
    async def scenario() -> Results:
        async with ScriptedServer(Script(tls=server_tls(), delay_s=0.005)) as server:
            delivery = asyncio.create_task(deliver(server, messages(1000), settings))
            await asyncio.sleep(0.3)
            await server.stop()
            return await delivery

    results = asyncio.run(scenario())
    assert isinstance(results.error, ConnectFailed)
    assert results.verdicts[Verdict.ACCEPTED] > 0
    assert results.verdicts[Verdict.NO_ANSWER] <= 3


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("mail.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("10.0.0.1", False),
        ("mail.example.org", False),
    ],
)
def test_loopback(host: str, answer: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is answer

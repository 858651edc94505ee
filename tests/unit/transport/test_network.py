import errno
import socket
import ssl

import pytest

from newsletter_mail.transport.network import own_name, reason_of, tls_failed
from newsletter_mail.transport.smtp_settings import SmtpSettings


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "connection refused"),
        (OSError("Multiple exceptions: a, b"), "Multiple exceptions: a, b"),
        (socket.gaierror(-2, "Name or service not known"), "there is no host of this name"),
        (ssl.SSLError(1, "[SSL: BAD_LENGTH] bad length"), "bad length"),
        (ConnectionResetError(), "ConnectionResetError"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
def test_reason(error: Exception, reason: str) -> None:
    assert reason in reason_of(error)


@pytest.mark.parametrize(
    ("hostname", "sockname", "name"),
    [
        ("mail.example.org", ("192.0.2.1", 5), "mail.example.org"),
        ("laptop", ("192.0.2.1", 5), "[192.0.2.1]"),
        ("laptop.", ("192.0.2.1", 5), "[192.0.2.1]"),
        ("häuschen.example", ("192.0.2.1", 5), "[192.0.2.1]"),
        ("laptop", ("2001:db8::1", 5, 0, 0), "[IPv6:2001:db8::1]"),
        ("laptop", None, "[127.0.0.1]"),
    ],
)
def test_own_name(
    monkeypatch: pytest.MonkeyPatch, hostname: str, sockname: object, name: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: hostname)
    assert own_name(sockname) == name


def test_a_handshake_that_fails_for_another_reason() -> None:
    settings = SmtpSettings(host="mx.test", port=587)
    error = ssl.SSLError(1, "no protocols available")
    assert str(tls_failed(settings, error)).startswith("no TLS with mx.test:587: ")

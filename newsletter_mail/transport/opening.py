"""From the first byte of an SMTP connection to the first message: greeting, EHLO, TLS, login.

Sans-io: a generator that yields what to send and is sent the answers, so that it reads like the
conversation itself.
"""

from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum

from newsletter_mail.errors import AuthFailed, ConnectFailed, SenderRefused, TlsFailed
from newsletter_mail.transport.extensions import Extensions, parse_extensions
from newsletter_mail.transport.reply_parser import RawReply
from newsletter_mail.words import Stage

# RFC 5321 section 4.5.3.1.4. RFC 4954 section 4 sends a longer login in two steps.
_MAX_COMMAND_BYTES = 512


class Security(StrEnum):
    """How the connection is kept from others' eyes and hands."""

    #: Plain at first, TLS before anything that matters (RFC 3207); no TLS, no mail.
    STARTTLS = "STARTTLS"
    #: TLS from the first byte (RFC 8314).
    IMPLICIT = "TLS"
    #: None at all.
    NONE = "no TLS"


class AuthPostponed(AuthFailed):
    """The server cannot check the password now (454, RFC 4954 section 4.7); ask again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How to introduce ourselves.

    Attributes:
        peer: host and port, for sentences.
        helo: our name in EHLO: a domain or an address literal.
        security: what must be there before a login or a message.
        user: "" for no login.
        password: never shown.
    """

    peer: str
    helo: str
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Say:
    """Send this (it may be nothing) and wait for one answer."""

    line: bytes
    stage: Stage


@dataclass(frozen=True, slots=True)
class UpgradeToTls:
    """Start TLS on the connection, then go on without an answer."""


#: Yields what to do; is sent the answer (an empty one after the upgrade); returns what is offered.
Opening = Generator[Say | UpgradeToTls, RawReply, Extensions]


def open_session(login: Login) -> Opening:
    """The conversation up to the first MAIL.

    Raises:
        ConnectFailed: "not now".
        SenderRefused: "not you".
        TlsFailed: TLS is asked for and not offered.
        AuthPostponed: the login should be tried again.
        AuthFailed: user name or password is wrong, or there is no way to log in.
    """
    greeting = yield Say(b"", Stage.CONNECT)
    _must_be_positive(greeting, login)
    extensions = yield from _say_hello(login)
    if login.security is Security.STARTTLS:
        if not extensions.starttls:
            raise TlsFailed(
                f"{login.peer} does not offer STARTTLS; if it speaks TLS from the start, "
                "write smtps:// with its port (465)"
            )
        reply = yield Say(b"STARTTLS\r\n", Stage.TLS)
        if reply.code != 220:
            raise TlsFailed(f"{login.peer} does not start TLS: {reply.cleaned()}")
        yield UpgradeToTls()
        # What was said in the clear could be anybody's: ask again (RFC 3207 section 4.2).
        extensions = yield from _say_hello(login)
    if login.user:
        yield from _log_in(login, extensions)
    return extensions


def _say_hello(login: Login) -> Opening:
    reply = yield Say(f"EHLO {login.helo}\r\n".encode(), Stage.CONNECT)
    if reply.code in {500, 502, 504}:
        # A server of before 1995; it can take plain messages all the same.
        reply = yield Say(f"HELO {login.helo}\r\n".encode(), Stage.CONNECT)
        _must_be_positive(reply, login)
        return Extensions()
    _must_be_positive(reply, login)
    return parse_extensions(reply.lines[1:])


def _must_be_positive(reply: RawReply, login: Login) -> None:
    if reply.code >= 500:
        raise SenderRefused(f"{login.peer} refuses us: {reply.cleaned()}")
    if not 200 <= reply.code < 300:
        raise ConnectFailed(f"{login.peer} does not take us now: {reply.cleaned()}")


def _log_in(login: Login, extensions: Extensions) -> Generator[Say, RawReply, None]:
    user, password = login.user.encode(), login.password.encode()
    if "PLAIN" in extensions.auth:
        secret = b64encode(b"\0" + user + b"\0" + password) + b"\r\n"
        line = b"AUTH PLAIN " + secret
        fits = len(line) <= _MAX_COMMAND_BYTES
        reply = yield Say(line if fits else b"AUTH PLAIN\r\n", Stage.AUTH)
        if reply.code == 334:
            reply = yield Say(secret, Stage.AUTH)
    elif "LOGIN" in extensions.auth:
        reply = yield Say(b"AUTH LOGIN\r\n", Stage.AUTH)
        for secret in (user, password):
            if reply.code == 334:
                reply = yield Say(b64encode(secret) + b"\r\n", Stage.AUTH)
    else:
        offered = ", ".join(sorted(extensions.auth)) or "no login"
        raise AuthFailed(
            f"{login.peer} offers {offered}, and newsletter-mail knows PLAIN and LOGIN; "
            f"take the user name out of the transport's URL if no login is needed"
        )
    if reply.code == 235:
        return
    sentence = f"{login.peer} does not accept the login of {login.user}: {reply.cleaned()}"
    raise AuthPostponed(sentence) if 400 <= reply.code < 500 else AuthFailed(sentence)

"""Transport URLs: ``maildir:outbox``, ``smtp://USER@HOST:587``, ``smtps://USER@HOST:465``."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from newsletter_mail.errors import ConfigError
from newsletter_mail.transport.base import Transport
from newsletter_mail.transport.maildir import MaildirTransport
from newsletter_mail.transport.opening import Security
from newsletter_mail.transport.smtp import SmtpTransport
from newsletter_mail.transport.smtp_settings import SmtpSettings, Timeouts, is_loopback

PASSWORD_VARIABLE = "NEWSLETTER_SMTP_PASSWORD"  # noqa: S105 - the name of it

_PORTS = {"smtp": 587, "smtps": 465}
_SCHEMES = ("maildir", "smtp", "smtps")
_KEYS = ("tls", "insecure", "timeout", "messages_per_connection", "helo")


def open_transport(
    url: str, *, workspace: Path, password: str | None, connections: int = 10
) -> Transport:
    """The transport that a URL names; nothing is opened or connected yet.

    Args:
        url: see the module; keys of the query are ``tls=none`` (only to this machine, or with
            ``insecure=yes``), ``timeout=SECONDS``, ``messages_per_connection=N``, ``helo=NAME``.
        workspace: what a relative Maildir path starts from.
        password: for the user in the URL.
        connections: at most so many at once.

    Raises:
        ConfigError: the URL cannot be used; says what to write. Never repeats a password.
    """
    scheme, colon, rest = url.strip().partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in _SCHEMES:
        raise ConfigError(
            f"the transport's URL must begin with maildir:, smtp:// or smtps://, not with "
            f"{scheme[:20]!r}{_did_you_mean(scheme, _SCHEMES)}"
        )
    if scheme == "maildir":
        return _open_maildir(rest, workspace)
    if not rest.startswith("//"):
        raise ConfigError(f"write {scheme}://HOST:{_PORTS[scheme]} with two slashes")
    return SmtpTransport(_smtp_settings(url.strip(), scheme, password, connections))


def _open_maildir(path: str, workspace: Path) -> MaildirTransport:
    if not path or path.startswith("//"):
        raise ConfigError("write maildir:PATH, such as maildir:outbox, without slashes before it")
    return MaildirTransport(workspace / Path(path).expanduser())


def _smtp_settings(url: str, scheme: str, password: str | None, connections: int) -> SmtpSettings:
    parts, host, port = _split(url, scheme)
    query = _parse_query(parts.query)
    user = unquote(parts.username or "")
    if user and not password:
        raise ConfigError(
            f"there is no password for {user} at {host}: set {PASSWORD_VARIABLE} in the "
            "environment or in .env"
        )
    if "\0" in user or "\0" in (password or ""):
        raise ConfigError("a NUL character cannot be part of a user name or a password (RFC 4616)")
    if connections < 1:
        raise ConfigError("a transport needs at least 1 connection")
    timeouts = Timeouts()
    if "timeout" in query:
        timeouts = timeouts.capped(_number(query, "timeout", float))
    return SmtpSettings(
        host=host,
        port=port,
        security=_security(scheme, host, query),
        user=user,
        password=password or "" if user else "",
        helo=_helo(query),
        connections=connections,
        messages_per_connection=int(_number(query, "messages_per_connection", int, default=100)),
        timeouts=timeouts,
    )


def _split(url: str, scheme: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its text may repeat a part of the URL, and with it a password: no "from error".
        raise ConfigError(
            f"the transport's URL cannot be read; write {scheme}://USER@HOST:{_PORTS[scheme]}"
        ) from None
    if parts.password is not None:
        raise ConfigError(
            "the transport's URL must not hold a password, because URLs end up in logs: put it "
            f"into {PASSWORD_VARIABLE}, in the environment or in .env"
        )
    if not host:
        raise ConfigError(
            f"the transport's URL names no host; write {scheme}://USER@HOST:{_PORTS[scheme]}"
        )
    if parts.path not in {"", "/"} or parts.fragment:
        raise ConfigError(f"nothing may follow the host in {scheme}://{host} but ?KEY=VALUE")
    if port == 0:
        raise ConfigError(f"0 is no port for {host}; write {_PORTS[scheme]}")
    return parts, host, port or _PORTS[scheme]


def _parse_query(text: str) -> dict[str, str]:
    query: dict[str, str] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        if key not in _KEYS:
            raise ConfigError(
                f"the transport's URL has an unknown key {key!r}{_did_you_mean(key, _KEYS)}; "
                f"known are {', '.join(_KEYS)}"
            )
        query[key] = value
    return query


def _security(scheme: str, host: str, query: Mapping[str, str]) -> Security:
    tls = query.get("tls", "")
    insecure = query.get("insecure", "no")
    if insecure not in {"yes", "no"}:
        raise ConfigError(f"insecure={insecure} in the transport's URL: it is yes or no")
    if scheme == "smtps":
        if tls:
            raise ConfigError(
                "smtps:// always speaks TLS; take tls= out of the URL, or write smtp://"
            )
        return Security.IMPLICIT
    if tls in {"", "starttls"}:
        return Security.STARTTLS
    if tls != "none":
        raise ConfigError(f"tls={tls} in the transport's URL: it is none or starttls")
    if insecure != "yes" and not is_loopback(host):
        raise ConfigError(
            f"tls=none would send the password and all addresses to {host} for everybody on the "
            "way to read; take it out of the URL, or add &insecure=yes if you know the way"
        )
    return Security.NONE


def _helo(query: Mapping[str, str]) -> str:
    helo = query.get("helo", "")
    if not helo.isascii() or not helo.isprintable() or " " in helo:
        raise ConfigError("helo= in the transport's URL must be a host name")
    return helo


def _number(
    query: Mapping[str, str],
    key: str,
    convert: Callable[[str], float],
    *,
    default: float = 0,
) -> float:
    if key not in query:
        return default
    try:
        number = convert(query[key])
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise ConfigError(f"{key}={query[key]} in the transport's URL must be a number above 0")
    return number


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""

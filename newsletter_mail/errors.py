"""Everything that newsletter-mail raises on purpose; no I/O, no imports but the standard library.

::

    NewsletterError                     str() = one line that a user can act on
    ├── ConfigError                     the settings or the workspace
    ├── InputError                      what was typed or given on the command line
    ├── IssueError                      one finding in the files of an issue
    │   └── IssueErrors                 all of them at once
    ├── CompileError                    a stage between Markdown and HTML failed
    │   ├── TemplateError               Jinja2, or the files of a template
    │   ├── MergeTagError               a merge tag that is not allowed or not known
    │   ├── MjmlError                   MJML that the renderer would break in silence
    │   └── InlineError                 premailer
    ├── MessageError
    │   ├── InvalidAddress              (also ValueError)
    │   ├── HeaderInjection             (also ValueError)
    │   └── MergeValueMissing           a merge tag without value and without default
    ├── StoreError
    │   ├── NotFound
    │   ├── Conflict
    │   ├── IllegalTransition
    │   └── SchemaOutdated
    ├── TransportError
    │   ├── ConnectFailed               (also ConnectionError)
    │   ├── TransportTimeout            (also TimeoutError)
    │   ├── TlsFailed
    │   ├── AuthFailed
    │   └── SenderRefused               the server refuses us, whoever the recipient is
    ├── SendRefused                     a send that must not start
    ├── SendStopped                     a send that stopped on the way
    └── TokenError
        ├── BadToken
        └── TokenExpired
"""

from collections.abc import Sequence
from datetime import datetime


class NewsletterError(Exception):
    """Base of all errors of this package; ``str()`` is one line that a user can act on."""


class ConfigError(NewsletterError):
    """A setting or a workspace that cannot be used."""


class InputError(NewsletterError):
    """Something typed on the command line, or a file named there, that cannot be used."""


class IssueError(NewsletterError):
    """One finding in the files of an issue.

    Attributes:
        path: the file, as the user would type it.
        line: 1-based line in it, or None where the file as a whole is meant.
        message: what is wrong and what to do.
    """

    def __init__(self, message: str, *, path: str, line: int | None = None) -> None:
        self.path = path
        self.line = line
        self.message = message
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {message}")


class IssueErrors(IssueError):
    """All findings in an issue, in the order of file and line; ``str()`` has one line each."""

    def __init__(self, findings: Sequence[IssueError]) -> None:
        self.findings = tuple(
            sorted(findings, key=lambda finding: (finding.path, finding.line or 0))
        )
        first = self.findings[0]
        super().__init__(first.message, path=first.path, line=first.line)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


class CompileError(NewsletterError):
    """A stage of the compilation failed.

    Attributes:
        origin: the file (of the issue or of the template) that the stage worked on, or None.
        line: 1-based line in it, or None.
    """

    def __init__(self, message: str, *, origin: str | None = None, line: int | None = None) -> None:
        self.message = message
        self.origin = origin
        self.line = line
        where = "" if origin is None else f"{origin}: " if line is None else f"{origin}:{line}: "
        super().__init__(f"{where}{message}")


class TemplateError(CompileError):
    """A template file that Jinja2 cannot load or render, or a theme that is not valid."""


class MergeTagError(CompileError):
    """A merge tag that is not allowed, not known or not closed."""


class MjmlError(CompileError):
    """MJML that the renderer refuses, or would break in silence."""


class InlineError(CompileError):
    """The stylesheet could not be inlined."""


class MessageError(NewsletterError):
    """A message that cannot be made."""


class InvalidAddress(MessageError, ValueError):
    """An email address that cannot be written to.

    Attributes:
        address: the address as given.
    """

    def __init__(self, address: str, reason: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(f"{address!r} is not an email address that can be used: {reason}")


class HeaderInjection(MessageError, ValueError):
    """A header value with a control character in it (RFC 5322 section 2.2)."""


class MergeValueMissing(MessageError):
    """A merge tag that has no value for this recipient, and no default.

    Attributes:
        expression: the merge tag, without its braces.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        super().__init__(
            f"{{{{ {expression} }}}} has no value and no default; "
            f'write {{{{ {expression} | default("…") }}}}'
        )


class StoreError(NewsletterError):
    """The database cannot do what was asked."""


class NotFound(StoreError):
    """A row that should be there is not."""


class Conflict(StoreError):
    """A row that should not be there is."""


class IllegalTransition(StoreError):
    """A delivery was about to change its state in a way that the design does not know."""


class SchemaOutdated(StoreError):
    """The database needs ``newsletter db upgrade``, or is newer than this program."""


class TransportError(NewsletterError):
    """The way to the server, not one message, is broken."""


class ConnectFailed(TransportError, ConnectionError):
    """No connection, or one that the server closed before it said who it is."""


class TransportTimeout(TransportError, TimeoutError):
    """The server did not answer within the time of RFC 5321 section 4.5.3.2."""


class TlsFailed(TransportError):
    """STARTTLS is required and not offered, or the certificate is not good."""


class AuthFailed(TransportError):
    """The server does not accept our user name and password."""


class SenderRefused(TransportError):
    """The server refuses us as a sender, whoever the recipient is."""


class SendRefused(NewsletterError):
    """A send that must not start: nothing has been sent and nothing has changed."""


class SendStopped(NewsletterError):
    """A send that stopped on the way; running it again goes on where it was."""


class TokenError(NewsletterError):
    """A token that grants nothing."""


class BadToken(TokenError):
    """Forged, cut, of another purpose, or signed with a key that we do not have."""


class TokenExpired(TokenError):
    """A token that was good once.

    Attributes:
        signed_at: when it was made, aware UTC.
    """

    def __init__(self, signed_at: datetime) -> None:
        self.signed_at = signed_at
        super().__init__(f"this link was valid until some time after {signed_at:%Y-%m-%d}")

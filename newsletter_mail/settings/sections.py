"""The sections of ``newsletter.toml``, and what each value must be. Pure: no file is read."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.errors import InvalidAddress

_SELECTOR = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def _one_line(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("must be one line without control characters")
    return value


def _base_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError(
            "must be an address such as https://news.example.org, without a question mark"
        )
    return value.rstrip("/")


def _mailbox_address(value: str) -> str:
    if value:
        _parse_or_fail(value)
    return value


def _mailbox(value: str) -> str:
    _parse_or_fail(_split_mailbox(value)[1])
    return value


def _domain(value: str) -> str:
    """In A-labels, lower case."""
    try:
        return value and parse_address(f"postmaster@{value}").domain
    except InvalidAddress as error:
        raise ValueError("must be a domain such as example.org") from error


def _host_list(value: str) -> list[str]:
    return [host for part in value.lower().split(",") if (host := part.strip())]


def _hosts(value: str) -> str:
    for host in _host_list(value):
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", host):
            raise ValueError("must be names of hosts such as cdn.example.org, separated by commas")
    return value


def _parse_or_fail(value: str) -> None:
    try:
        parse_address(value)
    except InvalidAddress as error:
        raise ValueError(str(error)) from error


def _split_mailbox(value: str) -> tuple[str, str]:
    """``Name <address>`` or ``address``, as name and address."""
    match = re.fullmatch(r'\s*"?(.*?)"?\s*<([^<>]*)>\s*', value)
    return (match[1], match[2]) if match else ("", value.strip())


OneLine = Annotated[str, AfterValidator(_one_line)]


class Section(BaseModel):
    """Base of the sections: a key that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewsletterSection(Section):
    """What is said of the newsletter itself."""

    #: Shown in the masthead, the footer and List-ID.
    name: Annotated[OneLine, Field(min_length=1)] = "Newsletter"
    #: BCP 47 tag of issues that do not say theirs.
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    #: The template of issues that do not say theirs.
    template: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")] = "default"
    #: Of issues that do not say: ``host``: readers fetch them from ``serve``; ``embed``: they
    #: travel inside each message.
    pictures: Literal["host", "embed"] = "host"


class SenderSection(Section):
    """Who the messages are from."""

    #: ``Name <address>``.
    from_: Annotated[OneLine, Field(alias="from"), AfterValidator(_mailbox)] = (
        "Newsletter <newsletter@example.org>"
    )
    #: Where answers go; nothing: to the sender.
    reply_to: Annotated[OneLine, AfterValidator(_mailbox_address)] = ""
    #: Envelope sender: where bounces go; each delivery adds ``+REF`` to the local part.
    bounces: Annotated[OneLine, AfterValidator(_mailbox_address)] = ""
    #: CAN-SPAM and CASL: a postal address stands in each issue.
    postal_address: OneLine = ""

    @property
    def name(self) -> str:
        """The name that people see."""
        return _split_mailbox(self.from_)[0]

    @property
    def address(self) -> Address:
        """The address that people see."""
        return parse_address(_split_mailbox(self.from_)[1])

    @property
    def reply_address(self) -> Address | None:
        """Where answers go, where that is not the sender."""
        return parse_address(self.reply_to) if self.reply_to else None

    @property
    def bounce_address(self) -> Address:
        """Where bounces go."""
        return parse_address(self.bounces) if self.bounces else self.address


class WebSection(Section):
    """Where the public pages are."""

    #: As the reader's browser sees it.
    base_url: Annotated[str, AfterValidator(_base_url)] = "http://127.0.0.1:8000"


class DatabaseSection(Section):
    """Where subscribers and deliveries are kept."""

    #: An SQLAlchemy URL; an SQLite path is relative to the workspace.
    url: str = "sqlite:///newsletter.db"


class TransportSection(Section):
    """Where messages go."""

    #: ``maildir:PATH``, ``smtp://USER@HOST:587`` or ``smtps://USER@HOST:465``.
    url: str = "maildir:outbox"
    #: Connections at the same time.
    connections: Annotated[int, Field(ge=1, le=200)] = 10
    #: Messages a second, over all connections; 0: as fast as the server takes them.
    rate: Annotated[float, Field(ge=0)] = 0
    #: Messages on the way to one domain at the same time; 0: no limit.
    per_domain: Annotated[int, Field(ge=0)] = 0


class DkimSection(Section):
    """What signs the messages (DKIM, RFC 6376); all three, or none where the mail server signs."""

    #: The sender's, or one above or below it.
    domain: Annotated[str, AfterValidator(_domain)] = ""
    #: The public key is in the DNS at ``SELECTOR._domainkey.DOMAIN``.
    selector: Annotated[str, Field(pattern=rf"^({_SELECTOR}(\.{_SELECTOR})*)?$")] = ""
    #: A private key in PEM, RSA or Ed25519; relative to the workspace.
    key_file: OneLine = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = [name for name in type(self).model_fields if not getattr(self, name)]
        if missing and len(missing) < len(type(self).model_fields):
            raise ValueError(
                f"set domain, selector and key_file, or none of them: {' and '.join(missing)} "
                f"{'is' if len(missing) == 1 else 'are'} missing"
            )
        return self


class CheckSection(Section):
    """What ``check`` lets pass."""

    #: Hosts that a mail may make its reader's program ask, besides that of ``base_url``;
    #: separated by commas.
    allowed_hosts: Annotated[OneLine, AfterValidator(_hosts)] = ""

    @property
    def hosts(self) -> frozenset[str]:
        """The allowed hosts, in lower case."""
        return frozenset(_host_list(self.allowed_hosts))


class DeliverySection(Section):
    """How the send behaves."""

    #: Tries of one delivery before it fails.
    max_attempts: Annotated[int, Field(ge=1, le=50)] = 6
    #: ``hold``: uncertain deliveries wait for ``settle``; ``resend``: they are tried again.
    uncertain: Literal["hold", "resend"] = "hold"
    #: The send stops when this many of the first messages are refused for a policy.
    stop_after_refusals: Annotated[int, Field(ge=1)] = 5
    #: ``send`` refuses a build that was never sent as a test.
    require_test: bool = False

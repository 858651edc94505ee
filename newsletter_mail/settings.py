"""Settings of a workspace: ``newsletter.toml``, overridden by ``.env`` and the environment.

The names are in ``docs/settings.md``. Each floor gets only the section that it needs. Secrets
come from the environment or from ``.env``, never from ``newsletter.toml``, and are never printed.
"""

import difflib
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.errors import ConfigError, InvalidAddress

#: The file that makes a folder a workspace.
FILE_NAME = "newsletter.toml"
#: Fields that are never read from ``newsletter.toml``.
SECRETS = ("secret_key", "smtp_password")
_PREFIX = "NEWSLETTER_"
_MIN_KEY_LENGTH = 16
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

    #: The sender's, or one above it.
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


class Settings(BaseSettings):
    """The settings of one workspace; ``Settings.load`` reads them.

    Attributes:
        workspace: the folder; absolute.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True
    )

    newsletter: NewsletterSection = NewsletterSection()
    sender: SenderSection = SenderSection()
    web: WebSection = WebSection()
    database: DatabaseSection = DatabaseSection()
    transport: TransportSection = TransportSection()
    dkim: DkimSection = DkimSection()
    delivery: DeliverySection = DeliverySection()
    workspace: Path = Path()
    secret_key: SecretStr = SecretStr("")
    smtp_password: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The file's values come in as arguments, and the environment is stronger.
        return env_settings, dotenv_settings, init_settings

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """Keys that sign links, newest first.

        Raises:
            ConfigError: there is none, or one is too short to keep a secret.
        """
        keys = tuple(
            key for part in self.secret_key.get_secret_value().split(",") if (key := part.strip())
        )
        if not keys:
            raise ConfigError(
                "NEWSLETTER_SECRET_KEY is not set: unsubscribe links cannot be signed. "
                "Run `newsletter init` here, or set it in .env or the environment"
            )
        if min(map(len, keys)) < _MIN_KEY_LENGTH:
            raise ConfigError(
                f"NEWSLETTER_SECRET_KEY is too short: {_MIN_KEY_LENGTH} characters at least"
            )
        return keys

    @property
    def database_url(self) -> str:
        """The URL with an SQLite path made absolute."""
        match = re.fullmatch(r"sqlite:///(.+)", self.database.url)
        if match is None:
            return self.database.url
        return f"sqlite:///{(self.workspace / match[1]).absolute()}"

    def read_dkim_key(self) -> tuple[Path, bytes]:
        """The file of the key that signs messages, and what is in it.

        Raises:
            ConfigError: it is not there, or others can read it.
        """
        path = self.workspace / self.dkim.key_file
        try:
            with path.open("rb") as file:
                if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                    raise ConfigError(f"{path}: others can use this key: chmod 600 it")
                return path, file.read()
        except OSError as error:
            raise ConfigError(f"{path}: the DKIM key cannot be read: {error.strerror}") from error

    @classmethod
    def load(cls, workspace: Path) -> Self:
        """Read the settings of a workspace.

        Raises:
            ConfigError: no workspace, a key that is not known, a value that is not good; with the
                file and line, or the name of the environment variable.
        """
        workspace = workspace.absolute()
        path = workspace / FILE_NAME
        values = _read_toml(path)
        dotenv = workspace / ".env"
        _refuse_unknown_variables(dotenv)
        try:
            settings = cls(
                _env_file=dotenv if dotenv.is_file() else None,  # type: ignore[call-arg] # pydantic-settings reads it from the keyword
                **values,
            )
        except SettingsError as error:
            raise ConfigError(f"the environment or .env: {error}") from error
        except ValidationError as error:
            raise ConfigError(_explain(error, path)) from error
        # Not by the way of the other values: NEWSLETTER_WORKSPACE is weaker than --workspace.
        return settings.model_copy(update={"workspace": workspace})


def find_workspace(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that has a ``newsletter.toml``.

    Raises:
        ConfigError: there is none.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise ConfigError(
        f"no {FILE_NAME} in {start} or above it: run `newsletter init`, or name the workspace "
        "with --workspace"
    )


def is_env_file_open(workspace: Path) -> bool:
    """Whether others than the owner can read ``.env``, which holds secrets."""
    path = workspace / ".env"
    if os.name != "posix" or not path.is_file():
        return False
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows put a byte order mark in front.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; run `newsletter init`") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    known = [name for name in Settings.model_fields if name not in (*SECRETS, "workspace")]
    for name, value in values.items():
        line = _line_of(text, (name,))
        if name in SECRETS:
            raise ConfigError(
                f"{path}:{line}: secrets do not belong here; set {_PREFIX}{name.upper()} in .env"
            )
        if name not in known:
            raise ConfigError(f"{path}:{line}: {_unknown(name, known)}")
        if not isinstance(value, dict):
            raise ConfigError(f"{path}:{line}: {name} is a section; write [{name}]")
    return values


def _refuse_unknown_variables(dotenv: Path) -> None:
    """A variable that is spelt wrong must not be passed over in silence."""
    known = [name.upper() for name in Settings.model_fields]
    places = [
        (f"environment variable {name}", name)
        for name in os.environ
        if name.startswith(_PREFIX) and "__" in name
    ]
    try:
        text = dotenv.read_text(encoding="utf-8") if dotenv.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{dotenv}: cannot be read as UTF-8 text") from error
    for number, line in enumerate(text.splitlines(), 1):
        if variable := re.match(rf"\s*(?:export\s+)?({_PREFIX}\w*)\s*=", line, re.IGNORECASE):
            places.append((f"{dotenv}:{number}", variable[1].upper()))
    for where, name in places:
        section = name.removeprefix(_PREFIX).partition("__")[0]
        if section not in known:
            close = difflib.get_close_matches(section, known, n=1)
            hint = f"; did you mean {name.replace(section, close[0], 1)}?" if close else ""
            raise ConfigError(f"{where}: there is no setting {name}{hint}")


def _explain(error: ValidationError, path: Path) -> str:
    """Every finding of pydantic as a line that names the file's line or the variable."""
    text = path.read_text(encoding="utf-8-sig")
    return "\n".join(_explain_one(dict(finding), path, text) for finding in error.errors())


def _explain_one(finding: dict[str, Any], path: Path, text: str) -> str:
    keys = tuple(str(key) for key in finding["loc"])
    variable = _PREFIX + "__".join(keys).upper()
    if variable in os.environ:
        where = f"environment variable {variable}"
    elif (line := _line_of(text, keys)) is not None:
        where = f"{path}:{line}"
    else:
        where = f"{path.parent / '.env'}: {variable}"
    if finding["type"] == "extra_forbidden":
        section = Settings.model_fields[keys[0]].annotation
        known = [
            field.alias or name for name, field in getattr(section, "model_fields", {}).items()
        ]
        return f"{where}: {_unknown(keys[-1], known)}"
    message = str(finding["msg"]).removeprefix("Value error, ")
    return f"{where}: {keys[-1]}: {message[:1].lower()}{message[1:]}"


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"there is no setting {name}; {hint}"


def _line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line of a section, or of a key in it; tomllib does not say."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = header[1]
            if keys == (section,):
                return number
        elif key := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
            name = f"{section}.{key[1]}" if section else key[1]
            if name.split(".") == list(keys[: len(name.split("."))]):
                return number
    return None

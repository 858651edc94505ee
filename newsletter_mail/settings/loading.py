"""Reads the settings of a workspace: the file, overridden by ``.env`` and the environment.

Secrets come from the environment or from ``.env``, never from ``newsletter.toml``, and are never
printed.
"""

import difflib
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import (
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from newsletter_mail.errors import ConfigError
from newsletter_mail.settings.sections import (
    CheckSection,
    DatabaseSection,
    DeliverySection,
    DkimSection,
    NewsletterSection,
    SenderSection,
    TransportSection,
    WebSection,
)

#: The file that makes a folder a workspace.
FILE_NAME = "newsletter.toml"
#: Fields that are never read from ``newsletter.toml``.
SECRETS = ("secret_key", "smtp_password")
_PREFIX = "NEWSLETTER_"
_MIN_KEY_LENGTH = 16


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
    check: CheckSection = CheckSection()
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

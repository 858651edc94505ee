"""The workspace that the preview shows, opened; and what is wrong with its settings."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter_mail.checks.findings import Finding, Level
from newsletter_mail.compose.build import ComposeSettings
from newsletter_mail.compose.source import shown_path
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.errors import NewsletterError
from newsletter_mail.settings import FILE_NAME, Settings

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)?:? (?P<message>.*)")
_TOML_LINE = re.compile(r" \(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWorkspace:
    """The workspace with its settings read.

    Attributes:
        compose: for the compilation.
        mailer: to look at subscribers; or why there is none.
    """

    settings: Settings
    compose: ComposeSettings
    mailer: Mailer | NewsletterError


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettings:
    """What the preview is given.

    Attributes:
        workspace: absolute.
        folders: finds the issues that there are, by slug; asked again for each page.
        open_workspace: reads the settings anew; raises ``ConfigError``.
    """

    workspace: Path
    folders: Callable[[], Mapping[str, Path]]
    open_workspace: Callable[[], OpenWorkspace]


def settings_findings(error: NewsletterError, workspace: Path) -> Iterator[Finding]:
    """What settings or a database that cannot be used say, a finding a line."""
    for line in str(error).splitlines():
        match = _PLACE.fullmatch(line)
        file, number, message = match.groups() if match else ("", None, line)
        if not Path(file).is_absolute():
            file, number, message = FILE_NAME, None, line
        if toml := _TOML_LINE.search(message):
            number, message = toml[1], message.replace(toml[0], "")
        yield Finding(
            rule="settings",
            level=Level.ERROR,
            message=message,
            file=shown_path(Path(file), workspace) if Path(file).is_absolute() else file,
            line=int(number) if number else None,
        )

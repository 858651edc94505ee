"""The colours, fonts and measures of a template: ``theme.toml``, checked."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from newsletter_mail.compose.findings import did_you_mean
from newsletter_mail.errors import TemplateError

#: Table → key → value.
Theme = Mapping[str, Mapping[str, str | int]]

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
# A quote or a brace would end the attribute or the rule that the font is written into.
_FONT = re.compile(r"[A-Za-z0-9 ,-]+")
_PATH = re.compile(r"[^\x00-\x1f]*")


def load_theme(files: Sequence[tuple[Path, str]]) -> Theme:
    """Read a theme.

    Args:
        files: each with the name to show for it: first the one that came with the program, whose
            keys are all that there are; a later one changes some of them.

    Raises:
        TemplateError: it is not TOML, or has an unknown key or a value of the wrong form.
    """
    theme: dict[str, dict[str, str | int]] = {}
    for position, (file, origin) in enumerate(files):
        for table, entries in _read(file, origin).items():
            if position and table not in theme:
                raise TemplateError(
                    f"unknown table [{table}]; {did_you_mean(table, theme)}", origin=origin
                )
            if not isinstance(entries, dict):
                raise TemplateError(f"{table} must stand in a table", origin=origin)
            for key, value in entries.items():
                if position and key not in theme[table]:
                    raise TemplateError(
                        f"unknown key {key} in [{table}]; {did_you_mean(key, theme[table])}",
                        origin=origin,
                    )
                _check(table, key, value, origin)
                theme.setdefault(table, {})[key] = value
    return theme


def _read(file: Path, origin: str) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise TemplateError(f"cannot be read: {error}", origin=origin) from error


def _check(table: str, key: str, value: object, origin: str) -> None:
    name = f"{key} in [{table}]"
    if table in ("layout", "type"):
        is_good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2000
        expected = "a number of pixels, such as 600"
    elif table == "fonts":
        is_good = isinstance(value, str) and _FONT.fullmatch(value) is not None
        expected = "names with commas and without quotes, such as Georgia, serif"
    elif table == "logo":
        is_good = isinstance(value, str) and _PATH.fullmatch(value) is not None
        expected = "a text"
    else:
        is_good = isinstance(value, str) and _COLOUR.fullmatch(value) is not None
        expected = "a colour, such as #0b5c6b"
    if not is_good:
        raise TemplateError(f"{name} must be {expected}, not {value!r}", origin=origin)

"""Finds the blocks between colons, and reads their options. Pure.

A block opens with a name (``::: when``) and closes with colons alone, so blocks of the same number
of colons can stand in one another. The pairs are found before Markdown is read, so that what is
not closed, or closes nothing, is said with its line instead of swallowing the rest of the issue.
"""

import re
from dataclasses import dataclass, field

from newsletter_mail.compose.findings import Findings

#: The block whose lines are not Markdown.
RAW = "html"

_FENCE = re.compile(r" {0,3}(:{3,})[ \t]*(.*)")
_CODE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)(.*)")
_NAME = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,39})(?![A-Za-z0-9_-])[ \t]*(.*)")
_SHOWN = 80
# Word processors write the curly quotes.
_OPTION = re.compile(
    r"""\s*([A-Za-z_][\w-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|“([^”]*)”|([^\s"'“{}=]+))\s*,?"""
)


@dataclass(slots=True, kw_only=True)
class FoundFence:
    """Where one block stands.

    Attributes:
        start: 0-based line of its opening in the text.
        end: 0-based line of its closing; the end of the text where that is missing.
        colons: how many.
    """

    start: int
    end: int
    colons: int
    name: str
    options: dict[str, str] = field(default_factory=dict)


def find_fences(text: str, first_line: int, findings: Findings) -> dict[int, FoundFence]:
    """All blocks by their 0-based line in the text.

    Args:
        text: the Markdown.
        first_line: where it begins in the file.
        findings: gets what is not closed, closes nothing or has no name.
    """
    found: dict[int, FoundFence] = {}
    open_fences: list[FoundFence] = []
    code = ""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        is_raw = bool(open_fences) and open_fences[-1].name == RAW
        if not is_raw:
            was_code, code = code, _code_after(line, code)
            if code or was_code:
                continue
        match = _FENCE.fullmatch(line.rstrip(" \t"))
        if match is None:
            continue
        colons, rest = len(match[1]), match[2]
        if not rest:
            _close(open_fences, number, colons, first_line, findings)
        elif not is_raw:
            fence = _open(rest, number, colons, first_line + number, findings)
            fence.end = len(lines)
            found[number] = fence
            open_fences.append(fence)
    for fence in open_fences:
        _say_not_closed(fence, first_line, findings)
    return found


def _code_after(line: str, code: str) -> str:
    """The fence of the code block that is open after a line, or "" (CommonMark 4.5)."""
    match = _CODE.fullmatch(line)
    if match is None:
        return code
    marker, info, rest = match.groups()
    if not code:
        return marker if not (marker[0] == "`" and rest) else ""
    closes = marker[0] == code[0] and len(marker) >= len(code) and not (info + rest).strip()
    return "" if closes else code


def _open(rest: str, number: int, colons: int, line: int, findings: Findings) -> FoundFence:
    match = _NAME.fullmatch(rest)
    if match is None:
        findings.add(f"a block needs a name, such as ::: when; {rest[:_SHOWN]!r} is none", line)
        return FoundFence(start=number, end=number, colons=colons, name="")
    options = _read_options(match[1], match[2], line, findings)
    return FoundFence(start=number, end=number, colons=colons, name=match[1], options=options)


def _close(
    open_fences: list[FoundFence], number: int, colons: int, first_line: int, findings: Findings
) -> None:
    if not any(fence.colons == colons for fence in open_fences):
        shown = ":" * colons
        inside = ""
        if open_fences:
            fence = open_fences[-1]
            inside = (
                f"; the block open here is {':' * fence.colons} {fence.name} "
                f"of line {first_line + fence.start}"
            )
        findings.add(f"{shown} closes nothing{inside}", first_line + number)
        return
    while open_fences[-1].colons != colons:
        inner = open_fences.pop()
        inner.end = number
        _say_not_closed(inner, first_line, findings)
    open_fences.pop().end = number


def _say_not_closed(fence: FoundFence, first_line: int, findings: Findings) -> None:
    colons = ":" * fence.colons
    findings.add(
        f"{colons} {fence.name} is not closed; put a line {colons} after it",
        first_line + fence.start,
    )


def _read_options(name: str, text: str, line: int, findings: Findings) -> dict[str, str]:
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    options: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _OPTION.match(text, position)
        if match is None:
            findings.add(
                f"::: {name}: {text[position:][:_SHOWN]!r} is no option; "
                f'options are written ::: {name} {{date="1 October"}}, '
                "and the text stands on the lines below",
                line,
            )
            break
        if match[1] in options:
            findings.add(f"::: {name}: {match[1]} is given twice", line)
        options[match[1]] = next(value for value in match.groups()[1:] if value is not None)
        position = match.end()
    return options

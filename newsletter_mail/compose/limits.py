"""How much Markdown is read: no person writes so much, and no text keeps the program busy. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from newsletter_mail.compose.findings import Findings

#: Each level of a list or a quote takes two levels of tokens; deeper ones would be unreadable on a
#: phone. markdown-it drops what is deeper than its own limit without a word, so ours is lower.
_MAX_LEVEL = 24
PARSER_LEVEL = 40
#: Some hundreds of paragraphs, or ten times what Gmail shows of a mail.
_MAX_TOKENS = 12_000
#: Of lines, and of bars, each of which may begin a cell of a table.
_MAX_PARTS = 20_000
#: Some inline rules take quadratic time; no person writes such a paragraph.
_MAX_PARAGRAPH = 10_000
#: What opens something inline. Each may be looked for to the end of its paragraph.
_OPENING = "[<`*_"
#: Openings times letters, of all paragraphs: a hundred times what a long issue has.
_MAX_SEARCHED = 100_000_000
#: Letters of addresses and titles: one definition can be used by thousands of links.
_MAX_ADDRESSES = 1_000_000
_TOO_MANY = "the issue has far too many parts for one mail; make several of it"


def has_too_many_lines(text: str, findings: Findings) -> bool:
    """Whether a text is not to be parsed at all; notes it."""
    is_too_much = max(text.count("\n"), text.count("|")) > _MAX_PARTS
    if is_too_much:
        findings.add(_TOO_MANY)
    return is_too_much


def drop_costly_paragraphs(state: StateCore) -> None:
    """A rule of markdown-it, before the inline ones: empties paragraphs, and names their lines."""
    searched = 0
    for token in state.tokens:
        if token.type != "inline":
            continue
        length = len(token.content)
        searched += length * sum(map(token.content.count, _OPENING))
        line = token.map[0] if token.map else 0
        if length > _MAX_PARAGRAPH:
            state.env["too_long"].append(line)
        elif searched > _MAX_SEARCHED:
            state.env["too_costly"].append(line)
        else:
            continue
        token.content = ""


def refuse_excess(
    tokens: Sequence[Token], environment: Mapping[str, Any], first_line: int, findings: Findings
) -> bool:
    """Whether what was parsed is not to be read; notes what is too much of it.

    Args:
        environment: of markdown-it, with what ``drop_costly_paragraphs`` has named.
        first_line: where the text begins in the file.
    """
    for line in environment["too_long"]:
        findings.add(
            f"this paragraph has more than {_MAX_PARAGRAPH} letters; break it up", first_line + line
        )
    for line in environment["too_costly"][:1]:
        findings.add(
            "from here on there are far too many brackets, stars and ticks to be read; "
            "make several issues of it",
            first_line + line,
        )
    if len(tokens) > _MAX_TOKENS:
        findings.add(_TOO_MANY)
        return True
    if _address_letters(tokens) > _MAX_ADDRESSES:
        findings.add("the addresses of all links together are far too long for one mail")
        return True
    too_deep = _first_too_deep(tokens)
    if too_deep is not None:
        findings.add("this is nested too deeply", too_deep + first_line)
        return True
    return False


def _address_letters(tokens: Sequence[Token]) -> int:
    return sum(
        len(str(value))
        for token in tokens
        for child in token.children or ()
        for value in child.attrs.values()
    )


def _first_too_deep(tokens: Sequence[Token]) -> int | None:
    line = 0
    for token in tokens:
        line = token.map[0] if token.map else line
        if token.level > _MAX_LEVEL or any(
            child.level > _MAX_LEVEL for child in token.children or ()
        ):
            return line
    return None

"""Real texts become mails that keep every heading, link and list item, or are refused by line.

The documents of ``tests/data/documents`` and the READMEs of the packages installed here are
compiled. What is refused is mended as its findings say, as an author would, until it compiles;
then what CommonMark sees in the text is looked for in the mail.
"""

import importlib.metadata
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import html5lib
import pytest
from markdown_it import MarkdownIt

from newsletter_mail.errors import IssueErrors
from newsletter_mail.words import Build
from tests.unit.compose.desk import BODY, Desk, filled

_DOCUMENTS = sorted((Path(__file__).parents[2] / "data" / "documents").glob("*.md"))
_INLINE = ("a", "b", "code", "em", "i", "span", "strong")
#: Stands between blocks; no text has it.
_APART = "\x00 "
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: An author who mends for longer than that has given up.
_MOST_ROUNDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a reader finds in a text, each in its order.

    Attributes:
        headings: level and words.
        links: address and words.
        items: of each list item the words of its own, without those of the lists in it.
        cells: the words of each cell of a table.
        words: all of them.
    """

    headings: list[tuple[str, str]]
    links: list[tuple[str, str]]
    items: list[str]
    cells: list[str]
    words: list[str]


def _contents(html: str) -> Contents:
    page = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    body = page.find("body")
    elements = [element for element in body.iter() if isinstance(element.tag, str)]
    return Contents(
        headings=[(e.tag, _words(e)) for e in elements if e.tag in _HEADINGS],
        links=[(e.get("href"), _words(e)) for e in elements if e.tag == "a" and e.get("href")],
        items=[_words(e) for e in elements if e.tag == "li"],
        cells=[_words(e) for e in elements if e.tag in ("th", "td") and not e.get("role")],
        words=_words(body, without=()).replace(_APART, " ").split(),
    )


def _words(element: Any, *, without: tuple[str, ...] = ("ul", "ol")) -> str:
    """The words of an element, blocks in it apart."""
    blocks = "".join(_parts(element, without)).split(_APART)
    return _APART.join(filter(None, (" ".join(block.split()) for block in blocks)))


def _parts(element: Any, without: tuple[str, ...]) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        # A comment's tag is a function.
        is_inline = not isinstance(child.tag, str) or child.tag in _INLINE
        yield "" if is_inline else " " if child.tag == "br" else _APART
        if isinstance(child.tag, str) and child.tag not in without:
            yield from _parts(child, without)
        yield "" if is_inline else " " if child.tag == "br" else _APART
        yield child.tail or ""


def _of_markdown(text: str) -> Contents:
    """As markdown-it's own renderer and html5lib see it."""
    text = re.sub(r"\{\{.*?\}\}", "VALUE", text).replace("\ufeff", "")
    return _contents(MarkdownIt("commonmark").enable("table").render(text))


#: What an author does about each finding, in the line that it names.
_REMEDIES: tuple[tuple[str, str, str | Callable[[re.Match[str]], str]], ...] = (
    ("raw HTML", r"</?[A-Za-z!][^<>]*>?", ""),
    ("does not say what it shows", r"!\[\]", "![A picture]"),
    ("is not a file of this issue|there is no picture|is no picture", r"!\[", "["),
    ("# is the title", r"^(\s*)#|^=+\s*$", lambda m: "---" if "=" in m[0] else f"{m[1]}##"),
    (
        "whole address|in the mail; mail programs",
        r"\]\((?!https?:|mailto:)<?",
        "](https://example.org/",
    ),
    ("no footnotes", r"\[\^([^\]]+)\]:", r"\1 —"),
    ("more cells than", r"\|[^|]*\|?\s*$", ""),
    ("merge tag|not allowed here|there is no|does not end|known are", r"[{}]", ""),
    ("cannot have|has no class", r"\{[^}]*\}", ""),
    ("break it up", r"$", "\n"),
    ("no text to click on", r"\[\]\(", "[A link]("),
    ("is empty", r"^.*$", ""),
    ("colons in running text|block", r":::+", ""),
)
_DEFINITION = re.compile(r"^( {0,3}\[[^\]]+\]:\s*)<?(?!<?(?:https?|mailto):)", re.MULTILINE)


def _mended(text: str, errors: IssueErrors) -> str:
    """The text without what the findings say, each in its line."""
    lines = text.split("\n")
    before = list(lines)
    for finding in errors.findings:
        assert finding.line is not None, finding
        at = finding.line - BODY
        matching = [remedy for remedy in _REMEDIES if re.search(remedy[0], finding.message)]
        assert matching, finding
        _, pattern, replacement = matching[0]
        # An element of HTML goes on to an empty line, a heading with a line under it to that line.
        end = at + 1
        while end < len(lines) and lines[end].strip():
            end += 1
        for number in range(at, end):
            changed = re.sub(pattern, replacement, lines[number])
            has_changed = changed != lines[number]
            lines[number] = changed
            if has_changed and not re.search("raw HTML|break it up", finding.message):
                break
    if lines == before:
        return _DEFINITION.sub(r"\1https://example.org/", text)
    return "\n".join(lines)


def _compiled(desk: Desk, text: str) -> tuple[str, Build]:
    """The build of a text, and the text as it was when nothing was wrong with it any more."""
    for _ in range(_MOST_ROUNDS):
        try:
            return text, desk.compile(text)
        except IssueErrors as errors:
            text, before = _mended(text, errors), text
            if text == before:
                raise
    raise AssertionError(f"still refused after {_MOST_ROUNDS} rounds")


def _missing(wanted: list[Any], found: list[Any]) -> list[Any]:
    """What of the one is not in the other, in the same order."""
    missing, position = [], 0
    for one in wanted:
        try:
            position = found.index(one, position) + 1
        except ValueError:
            missing.append(one)
    return missing


def _missing_in_text(wanted: Contents, text: str) -> list[str]:
    """What is not in the plain text: words however they are wrapped, addresses unbroken."""
    flat = _flat(text)
    blocks = [*(words for _, words in wanted.headings), *wanted.items, *wanted.cells]
    missing = [
        words for block in blocks for words in block.split(_APART) if _flat(words) not in flat
    ]
    # The address that is its own text stands there as it was written.
    addresses = {address for address, words in wanted.links if not address.endswith(words)}
    return missing + [address for address in sorted(addresses) if address not in text]


def _flat(text: str) -> str:
    return " ".join(text.replace(">", " ").split())


def _assert_kept(desk: Desk, text: str) -> None:
    text, build = _compiled(desk, text)
    wanted, found = _of_markdown(text), _contents(filled(build.html))
    for kind in ("headings", "links", "items", "cells", "words"):
        assert _missing(getattr(wanted, kind), getattr(found, kind)) == [], kind
    assert _missing_in_text(wanted, filled(build.text)) == []


def _readme(package: str) -> str:
    return str(importlib.metadata.metadata(package).json.get("description", ""))


_PACKAGES = sorted({found.name for found in importlib.metadata.distributions()})


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda document: document.stem)
def test_a_document_keeps_what_stands_in_it(desk: Desk, document: Path) -> None:
    _assert_kept(desk, document.read_bytes().decode())


@pytest.mark.parametrize("package", _PACKAGES)
def test_the_readme_of_a_package_keeps_what_stands_in_it(desk: Desk, package: str) -> None:
    _assert_kept(desk, _readme(package).strip("\n") or "Without a description.")


def test_there_are_documents_of_many_styles() -> None:
    assert len(_DOCUMENTS) >= 20
    assert any(len(_of_markdown(text.read_text()).links) >= 300 for text in _DOCUMENTS)


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 1 | 2 | 3 |", 3, "more cells than.*: 3;"),
        ("> | a |\n> |---|\n> | 1 | `x | y` |", 2, r"more cells than.*: `x \| y`;"),
        ("- x\n\n  | a |\n  |---|\n  | 1 | 2", 4, "more cells than.*: 2;"),
        ("x[^1]\n\n[^1]: a note", 2, "no footnotes"),
        ("x[^1]\n\n[^1]: https://example.org/", 2, "no footnotes"),
        ("a\nb <kbd>c</kbd>", 1, "raw HTML.*<kbd>"),
        ("a\n\n</div>", 2, "raw HTML.*</div>"),
        ("[![a](https://example.org/a.svg)](https://example.org/)", 0, "a.svg is not a file"),
    ],
)
def test_what_is_dropped_is_named_with_its_line(
    desk: Desk, text: str, line: int, named: str
) -> None:
    (found,) = desk.findings(text)

    assert found[0] == BODY + line
    assert re.search(named, found[1])


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| 1 |\n| 1 | 2 |  |",
        "| a |\n|---|\n| 1 \\| 2 |",
        "`[^1]: no note`\n\n    [^1]: no note either",
        'Write `<style data-premailer="ignore">` and data-premailer="ignore" too.',
        "# A [title](https://example.org/title) with [links](https://example.org/)\n\nText.",
        "\ufeff# A heading after a byte order mark\n\nText.",
    ],
)
def test_nothing_is_dropped_where_nothing_is_said(desk: Desk, text: str) -> None:
    assert desk.findings(text) == []
    _assert_kept(desk, text)

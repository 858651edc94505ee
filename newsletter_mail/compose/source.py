"""Reads ``issue.md``: bytes to a checked front matter and a body. No Markdown yet."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from newsletter_mail.compose.findings import Findings, did_you_mean
from newsletter_mail.errors import IssueError

#: A newsletter of this size is no newsletter; parsing more could take minutes.
MAX_SOURCE_BYTES = 1_000_000
#: YAML nests without limit, and a subject of this length is a mistake anyway.
_MAX_FRONT_MATTER = 10_000

_KEYS = ("subject", "preheader", "language", "template", "title", "pictures")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_TEMPLATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_PICTURES = re.compile(r"host|embed")
_TRANSLATION = re.compile(r"issue\.([A-Za-z0-9-]+)\.md")
# C0 and C1 controls and noncharacters: no Markdown has them, and XML and mail allow none.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A text of the front matter, and its line in the file."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of an issue.

    Attributes:
        front_matter: its entries by key; ``subject`` is there, the others may be.
        body: the Markdown, lines ended by LF.
        first_line: the line in the file at which ``body`` begins.
    """

    front_matter: dict[str, Entry]
    body: str
    first_line: int

    def entry(self, key: str) -> str:
        """The text of an entry, or "" where there is none."""
        found = self.front_matter.get(key)
        return "" if found is None else found.text

    def line_of(self, key: str) -> int | None:
        """The line of an entry, or None where there is none."""
        found = self.front_matter.get(key)
        return None if found is None else found.line


def shown_path(file: Path, workspace: Path) -> str:
    """A file as the user would type it: relative to the workspace where it lies inside."""
    try:
        return file.resolve().relative_to(workspace.resolve()).as_posix()
    except ValueError:
        return file.as_posix()


def translations(folder: Path) -> dict[str, Path]:
    """The files ``issue.<language>.md`` of an issue by language, sorted."""
    if not folder.is_dir():
        return {}
    matches = ((_TRANSLATION.fullmatch(file.name), file) for file in folder.iterdir())
    return dict(sorted((match[1], file) for match, file in matches if match is not None))


def read_source(file: Path, findings: Findings) -> Source:
    """Read and check one file of an issue; what is wrong in the front matter is noted.

    Raises:
        IssueError: it is not there, too large, not text, or has no front matter that can be read.
    """
    text = _read_text(file, findings.path)
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines) if n and line.rstrip() in ("---", "...")), None)
    if lines[0].rstrip() != "---" or end is None:
        raise IssueError(
            "the file must begin with its front matter: a line ---, then subject: …, "
            "then a line ---",
            path=findings.path,
            line=1,
        )
    front_matter = "\n".join(lines[1:end])
    for number, line in enumerate(lines, start=1):
        if control := _CONTROL.search(line):
            findings.add(
                f"there is a control character (U+{ord(control[0]):04X}) in this line; delete it",
                number,
            )
    findings.raise_if_any()
    return Source(
        front_matter=_read_front_matter(front_matter, findings),
        body="\n".join(lines[end + 1 :]),
        first_line=end + 2,
    )


def _read_text(file: Path, path: str) -> str:
    try:
        if not file.is_file():
            raise IssueError("there is no such file", path=path)
        size = file.stat().st_size
        if size > MAX_SOURCE_BYTES:
            raise IssueError(
                f"the file has {size / 1e6:.1f} MB; an issue may have {MAX_SOURCE_BYTES / 1e6:.0f} "
                "MB of text at most",
                path=path,
            )
        content = file.read_bytes()
    except OSError as error:
        raise IssueError(f"cannot be read: {error.strerror}", path=path) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IssueError(
            f"the file is not UTF-8 text (byte {error.start + 1}); save it as UTF-8",
            path=path,
            line=content.count(b"\n", 0, error.start) + 1,
        ) from error
    # A byte order mark inside, of files put together, would hide a heading.
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")


def _read_front_matter(text: str, findings: Findings) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for key, node, line in _yaml_entries(text, findings.path):
        if key not in _KEYS:
            findings.add(f"unknown key {key}; {did_you_mean(key, _KEYS)}", line)
        elif key in entries:
            findings.add(f"{key} is given twice", line)
        else:
            entries[key] = Entry(text=_text_of(key, node, line, findings), line=line)
    if "subject" not in entries:
        findings.add("the subject is missing; write subject: … in the front matter", 1)
    _check_form(entries, findings)
    return entries


def _yaml_entries(text: str, path: str) -> list[tuple[str, yaml.Node, int]]:
    """Each key with its value and its line.

    The nodes are looked at, not the values made of them: a node knows its line, and nothing that
    YAML can name (a date that does not exist, a Python object) is ever made.
    """
    if len(text) > _MAX_FRONT_MATTER:
        raise IssueError("the front matter is too long; is its last --- there?", path=path, line=1)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 2 + (mark.line if mark is not None else 0)
        raise IssueError(
            f"the front matter is not YAML: {error.problem}; put texts with : or # in quotes",
            path=path,
            line=line,
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise IssueError("the front matter is not YAML", path=path, line=1) from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise IssueError("the front matter must have lines such as subject: …", path=path, line=2)
    return [
        (
            str(key.value) if isinstance(key, yaml.ScalarNode) else "?",
            value,
            key.start_mark.line + 2,
        )
        for key, value in root.value
    ]


def _text_of(key: str, node: yaml.Node, line: int, findings: Findings) -> str:
    if not isinstance(node, yaml.ScalarNode):
        findings.add(f"{key} must be a text, not a list or a table", line)
        return "?"
    kind = node.tag.rpartition(":")[2]
    text = str(node.value).strip()
    # YAML 1.1 takes the Norwegian language, no, for a boolean.
    if kind not in ("str", "null") and not (key == "language" and kind == "bool"):
        findings.add(f'{key} must be a text; put it in quotes: {key}: "{text}"', line)
    elif not text or kind == "null":
        findings.add(f"{key} is empty", line)
    elif "\n" in text:
        findings.add(f"{key} must be one line", line)
    return text or "?"


def _check_form(entries: dict[str, Entry], findings: Findings) -> None:
    for key, form, examples in (
        ("language", _LANGUAGE, "a language, such as en, fr or pt-BR"),
        ("template", _TEMPLATE, "the name of a template, such as default"),
        ("pictures", _PICTURES, "host or embed"),
    ):
        entry = entries.get(key)
        if entry is not None and entry.text != "?" and not form.fullmatch(entry.text):
            findings.add(f"{key} must be {examples}, not {entry.text!r}", entry.line)

"""A workspace on disk with one issue in it, to be written, compiled and looked at."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import html5lib
from PIL import Image

from newsletter_mail.compose.build import ComposeSettings, compile_issue
from newsletter_mail.errors import IssueError, IssueErrors
from newsletter_mail.words import Build, Hole, Pattern, PictureRef

SETTINGS = ComposeSettings(
    newsletter_name="City Letters",
    default_language="en",
    default_template="default",
    postal_address="1 Example Street\n08002 Barcelona, Spain",
)

#: The first line of a body: the front matter of ``Desk.write`` has three lines.
BODY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A workspace with the issue ``issues/sample``."""

    workspace: Path

    @property
    def folder(self) -> Path:
        return self.workspace / "issues" / "sample"

    def write(self, body: str, front: str = "subject: Hello", name: str = "issue.md") -> None:
        """Write an issue; its body begins on line ``BODY`` if ``front`` is one line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(f"---\n{front}\n---\n{body}", encoding="utf-8")

    def compile(self, body: str | None = None, front: str = "subject: Hello") -> Build:
        if body is not None:
            self.write(body, front)
        return compile_issue(self.folder, workspace=self.workspace, settings=SETTINGS)

    def findings(self, body: str, front: str = "subject: Hello") -> list[tuple[int | None, str]]:
        """Line and message of everything that is wrong."""
        self.write(body, front)
        try:
            self.compile()
        except IssueErrors as errors:
            return [(finding.line, finding.message) for finding in errors.findings]
        except IssueError as error:
            return [(error.line, error.message)]
        return []

    def picture(
        self, name: str, size: tuple[int, int] = (800, 400), kind: str = "PNG", **options: Any
    ) -> bytes:
        """Draw a picture into the issue."""
        buffer = io.BytesIO()
        Image.new("RGB", size, "#0a655e").save(buffer, kind, **options)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(buffer.getvalue())
        return buffer.getvalue()

    def template(self, file: str, text: str, name: str = "default") -> None:
        """Put a file into the workspace's own template."""
        target = self.workspace / "templates" / name / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def filled(pattern: Pattern, value: str = "VALUE") -> str:
    """A pattern with every hole filled by the same value, and pictures by their names."""
    return "".join(
        part if isinstance(part, str) else value if isinstance(part, Hole) else part.name
        for part in pattern
    )


def holes(pattern: Pattern) -> list[Hole]:
    return [part for part in pattern if isinstance(part, Hole)]


def picture_names(pattern: Pattern) -> list[str]:
    return [part.name for part in pattern if isinstance(part, PictureRef)]


def parsed(build: Build) -> Any:
    """The HTML as a browser would read it."""
    return html5lib.parse(filled(build.html), treebuilder="etree", namespaceHTMLElements=False)


def visible_text(build: Build) -> str:
    """The words of the body in their order, blocks apart, white space made single."""
    return " ".join("".join(_words(parsed(build).find("body"))).split())


def _words(element: Any) -> Iterator[str]:
    # A comment's tag is a function.
    if isinstance(element.tag, str):
        yield element.text or ""
        for child in element:
            yield from _words(child)
        if element.tag not in _INLINE:
            yield " "
    yield element.tail or ""


_INLINE = ("a", "b", "code", "em", "i", "span", "strong")

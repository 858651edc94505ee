"""Workspaces with an issue of the wanted size and with people on their list."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import newsletter
from benchmarks.errors import BenchmarkError
from benchmarks.people import READER
from benchmarks.processes import run

#: The default template takes 20 KB for itself; a smaller message needs a smaller template.
_DEFAULT_TEMPLATE_BYTES = 30_000
_OPENING = """\
---
subject: A letter from the benchmarks
preheader: A sentence that makes people open it
template: {template}
---
# Benchmarks

Dear {{{{ subscriber.first_name }}}} {{{{ subscriber.last_name }}}},
do you like {{{{ subscriber.attributes.city }}}}?

"""
_PARAGRAPH = "A sentence of a newsletter, of the usual length and without any surprise in it.\n\n"
_TRIAL_PARAGRAPHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace in which nothing was sent yet; a send works on a copy of it.

    Attributes:
        people: on its list.
        size: bytes of one message, header and body, as it goes over the wire.
        build: the folder with the message in parts, filled in for ``people.READER``.
    """

    path: Path
    people: int
    size: int
    build: Path


def make_workspace(path: Path, csv: Path, *, people: int, size: int) -> Workspace:
    """Make a workspace.

    Args:
        path: is not there yet.
        csv: so many people, ``READER`` among them.
        size: bytes that a message should have; it comes near.

    Raises:
        BenchmarkError: a command of ours failed.
    """
    run([sys.executable, "-m", "newsletter_mail", "init", str(path)])
    shutil.copytree(Path(__file__).parent / "small_template", path / "templates" / "small")
    run(newsletter.command(path, "subscribers", "import", csv))
    template = "default" if size >= _DEFAULT_TEMPLATE_BYTES else "small"
    least = _message_size(path, template, 0)
    step = (_message_size(path, template, _TRIAL_PARAGRAPHS) - least) / _TRIAL_PARAGRAPHS
    actual = _message_size(path, template, max(0, round((size - least) / step)))
    return Workspace(path=path, people=people, size=actual, build=_build_folder(path))


def _message_size(path: Path, template: str, paragraphs: int) -> int:
    """Write the issue with so many paragraphs, and build it."""
    file = path / "issues" / newsletter.ISSUE / "issue.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(_OPENING.format(template=template) + _PARAGRAPH * paragraphs, encoding="utf-8")
    run(
        newsletter.command(
            path, "build", newsletter.ISSUE, "--out", path / "build", "--as", READER[0]
        )
    )
    message = _build_folder(path) / "message.eml"
    if not message.is_file():
        raise BenchmarkError(f"newsletter build made no {message}")
    return message.stat().st_size


def _build_folder(path: Path) -> Path:
    return path / "build" / newsletter.ISSUE / "en"

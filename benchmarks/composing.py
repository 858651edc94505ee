"""What the measures of composing share: the issues, the ``mjml`` command, and the sample."""

import shutil
import sys
from pathlib import Path

from benchmarks import newsletter
from benchmarks.errors import BenchmarkError, Missing
from benchmarks.processes import progress, run
from benchmarks.room import Room
from benchmarks.tools import program

#: Of ``mjml`` on npm, the reference that mjml-python follows.
MJML_VERSION = "5.4.1"
#: The slug of the issue that every new workspace has.
SAMPLE = "2023-summer-updates"
_ROOT = Path(__file__).parent.parent
#: Issues that are compiled, each with a folder: the sample, and one with every block.
ISSUES = {
    "the sample": _ROOT / "issues" / SAMPLE,
    "every block": _ROOT / "tests" / "data" / "all-blocks",
}


def mjml_command(room: Room) -> Path:
    """The ``mjml`` command, installed into the room with npm.

    Raises:
        Missing: there is no Node.js or npm, or npm could not install it.
    """
    folder = room.path / "mjml"
    command = folder / "node_modules" / ".bin" / "mjml"
    if command.exists():
        return command
    program("node")
    npm = program("npm")
    progress(f"installing mjml {MJML_VERSION} with npm")
    folder.mkdir(exist_ok=True)
    options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
    try:
        run([npm, "install", *options, f"--prefix={folder}", f"mjml@{MJML_VERSION}"])
    except BenchmarkError as error:
        raise Missing(f"mjml {MJML_VERSION} cannot be installed: {error}") from error
    return command


def sample_workspace(room: Room) -> Path:
    """A new workspace, with the sample in it."""
    path = room.path / "composing"
    if not path.exists():
        run([sys.executable, "-m", "newsletter_mail", "init", str(path)])
    return path


def long_issue(workspace: Path, sections: int) -> str:
    """Write an issue with so many sections of the sample's kind; gives its slug."""
    slug = f"sections-{sections}"
    folder = workspace / "issues" / slug
    if not folder.exists():
        shutil.copytree(workspace / "issues" / SAMPLE, folder)
        text = "\n".join(_section(number) for number in range(1, sections + 1))
        folder.joinpath("issue.md").write_text(
            f"---\nsubject: {sections} sections\n---\n# All of them\n\n{text}", encoding="utf-8"
        )
    return slug


def _section(number: int) -> str:
    return (
        f"## Section {number}\n\nA sentence of section {number} with **strong words** and "
        f"[a link](https://example.org/{number}).\n\n- one item\n- another\n\n"
        f"[Read on](https://example.org/more/{number}){{.button}}\n"
    )


def built(workspace: Path, slug: str) -> Path:
    """Build an issue; gives the folder with its message."""
    run(newsletter.command(workspace, "build", slug, "--out", workspace / "build"))
    return workspace / "build" / slug / "en"

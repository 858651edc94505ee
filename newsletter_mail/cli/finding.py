"""From what is typed as ISSUE to its folder. Reads no issue."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

from newsletter_mail.errors import InputError
from newsletter_mail.scaffold import MAIN_FILE

ISSUES = "issues"
#: What the folder of an issue may be called.
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def issue_folders(workspace: Path) -> Mapping[str, Path]:
    """The issues of a workspace by slug."""
    files = sorted(workspace.glob(f"{ISSUES}/*/{MAIN_FILE}"))
    return {file.parent.name: file.parent for file in files}


def find_issue(workspace: Path, issue: str) -> Path:
    """The folder of an issue.

    Args:
        issue: its slug, or a path to its folder or to its ``issue.md``.

    Raises:
        InputError: there is none; with "did you mean".
    """
    folders = issue_folders(workspace)
    if issue in folders:
        return _named_as_a_slug(folders[issue])
    path = Path(issue).absolute()
    folder = path.parent if path.name == MAIN_FILE else path
    if (folder / MAIN_FILE).is_file():
        return _named_as_a_slug(folder.resolve())
    close = difflib.get_close_matches(issue, folders, n=1)
    known = ", ".join(folders) or "none yet: newsletter new SLUG makes one"
    hint = f"did you mean {close[0]}?" if close else f"in {workspace / ISSUES} there are: {known}"
    raise InputError(f"there is no issue {issue}; {hint}")


def _named_as_a_slug(folder: Path) -> Path:
    """The folder itself; its name stands in links, headers and the database."""
    if not SLUG.fullmatch(folder.name):
        raise InputError(
            f"{folder} cannot be sent under its name: rename it to letters, digits and hyphens"
        )
    return folder


def slug_of(workspace: Path, issue: str) -> str:
    """The slug of an issue, also of one whose files are gone."""
    if issue in issue_folders(workspace) or "/" not in issue:
        return issue
    return find_issue(workspace, issue).name

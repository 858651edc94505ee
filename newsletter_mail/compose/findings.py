"""Collects what is wrong with one file of an issue, so that all of it can be said at once."""

import difflib
from collections.abc import Callable, Iterable

from newsletter_mail.errors import IssueError, IssueErrors

#: Nobody reads more than this at once, and a broken file can have one on every line.
_MOST = 100


class Findings:
    """The findings in one file, each with its line.

    Args:
        path: the file as the user would type it, such as ``issues/x/issue.md``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        #: Makes a message readable; marks are turned back into merge tags here.
        self.reword: Callable[[str], str] = str
        self._found: list[IssueError] = []
        self._seen: set[tuple[str, int | None]] = set()

    @property
    def is_empty(self) -> bool:
        """Nothing was found."""
        return not self._found

    @property
    def is_full(self) -> bool:
        """So much was found that more will not be noted."""
        return len(self._found) >= _MOST

    def add(self, message: str, line: int | None = None) -> None:
        """Note one finding; the same one twice counts once."""
        message = self.reword(message)
        if (message, line) not in self._seen and not self.is_full:
            self._seen.add((message, line))
            self._found.append(IssueError(message, path=self.path, line=line))

    def raise_if_any(self) -> None:
        """Say all that was found.

        Raises:
            IssueErrors: something was.
        """
        if self._found:
            raise IssueErrors(self._found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the closest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(names)}" if names else "there are none"

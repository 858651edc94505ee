"""The one error about pictures."""


class PictureRefused(Exception):
    """A picture that cannot go into a mail; ``str()`` says why. Becomes an ``IssueError``."""

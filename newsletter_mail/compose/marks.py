r"""Stand-ins for what must not be read by Markdown, MJML or premailer. Pure.

A mark is letters and digits only, so nothing on the way escapes, encodes, breaks or drops it:
mjml-python writes attribute values as Rust's debug format does (a no-break space becomes
``\u{a0}``), premailer percent-encodes braces in links, and both would read markup. Its nonce is
taken from a digest of the text, so that the same issue gives the same bytes everywhere.
"""

import hashlib
import re
from base64 import b32encode


class Marks:
    """Makes marks for one compilation, and knows what each stands for.

    Args:
        text: all that the author wrote; no mark can occur in it.
    """

    def __init__(self, text: str) -> None:
        self._nonce = _nonce(text)
        self._values: dict[str, str] = {}
        self._by_value: dict[tuple[str, str], str] = {}
        #: Any mark; group 1 is its kind.
        self.pattern = re.compile(rf"Zm{self._nonce}([mcp])[0-9]{{4,}}Z")
        #: A mark for a merge tag.
        self.merge_pattern = re.compile(rf"Zm{self._nonce}m[0-9]{{4,}}Z")

    def merge(self, expression: str) -> str:
        """A mark for a merge tag; the same for the same expression."""
        return self._make("m", expression)

    def picture(self, name: str) -> str:
        """A mark for the address of a picture; the same for the same picture."""
        return self._make("p", name)

    def content(self, html: str) -> str:
        """A mark for HTML that is put in once MJML has been rendered."""
        return self._make("c", html)

    def value(self, mark: str) -> str:
        """What a mark stands for."""
        return self._values[mark]

    def readable(self, text: str) -> str:
        """A text with merge tags where their marks stand, to show to the author."""
        return self.merge_pattern.sub(lambda match: f"{{{{ {self._values[match[0]]} }}}}", text)

    def found_in(self, text: str) -> set[str]:
        """All marks in a text."""
        return {match[0] for match in self.pattern.finditer(text)}

    def put_in_content(self, text: str) -> str:
        """Replace the marks for HTML by what they stand for, also inside one another."""

        def replacement(match: re.Match[str]) -> str:
            if match[1] != "c":
                return match[0]
            return self.put_in_content(self._values[match[0]])

        return self.pattern.sub(replacement, text)

    def _make(self, kind: str, value: str) -> str:
        known = self._by_value.get((kind, value))
        if known is not None:
            return known
        mark = f"Zm{self._nonce}{kind}{len(self._values):04d}Z"
        self._values[mark] = value
        self._by_value[kind, value] = mark
        return mark


def _nonce(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    while True:
        nonce = b32encode(digest[:5]).decode().lower()
        if nonce not in text.lower():
            return nonce
        digest = hashlib.sha256(digest).digest()

"""What an inbox shows of a message before it is opened. Pure."""

import re
from html.parser import HTMLParser

#: About what Gmail shows on a wide screen beside a short subject, characters.
SNIPPET_LENGTH = 110
# The letters without width that keep the mail's text from following the preheader: what comes
# after them is not shown.
_FILLER = re.compile("[\u034f\u200b\u200c\u200d\u2007\ufeff\u00ad]")


def snippet(html: str) -> str:
    """The first words of a mail's text, hidden ones with it: the preheader, where there is one."""
    reader = _BodyText()
    reader.feed(html)
    text = " ".join("".join(reader.parts).split())
    filler = _FILLER.search(text)
    shown = (text[: filler.start()] if filler else text)[: SNIPPET_LENGTH + 1].strip()
    return shown if len(shown) <= SNIPPET_LENGTH else f"{shown[:SNIPPET_LENGTH].rstrip()}…"


class _BodyText(HTMLParser):
    """Collects the text of the body, in its order."""

    _SILENT = frozenset({"head", "style", "script", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent_depth += tag in self._SILENT
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent_depth = max(0, self._silent_depth - (tag in self._SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent_depth:
            self.parts.append(data)

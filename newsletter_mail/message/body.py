"""A body of static pieces, encoded once, with places for the values of one recipient. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter_mail.merge import MergeTag, Scope, parse_merge_tag
from newsletter_mail.message.patterns import MARKUP, clean_text
from newsletter_mail.message.quoted_printable import encode_text
from newsletter_mail.words import Hole, HoleContext

# A few hundred names are those of half of all people, and a default is everybody's. To find a value
# again costs a tenth of encoding it; what is kept of a tag is less than 1 MB.
_MAX_KEPT = 500
_MAX_KEPT_LENGTH = 300


class Body:
    """The body in encoded pieces, with places for values.

    Any number of threads can fill it at the same time.

    Args:
        sections: bytes that are in their final form, and texts to encode.

    Attributes:
        pieces: all of them; empty where a value goes.
        places: piece and value, for each place.
    """

    def __init__(self, *sections: bytes | Sequence[str | Hole]) -> None:
        self.pieces: list[bytes] = []
        self.places: list[tuple[int, int]] = []
        contexts = _contexts(part for section in sections for part in section)
        self._tags = tuple(
            _Tag(parse_merge_tag(expression), tuple(MARKUP[context] for context in where))
            for expression, where in contexts.items()
        )
        holes = [Hole(expression, one) for expression, where in contexts.items() for one in where]
        numbers = {hole: number for number, hole in enumerate(holes)}
        for section in sections:
            if isinstance(section, bytes):
                self._append(section)
                continue
            for position, part in enumerate(section, start=1):
                if isinstance(part, str):
                    self._append(encode_text(part, is_last=position == len(section)))
                else:
                    self.places.append((len(self.pieces), numbers[part]))
                    self.pieces.append(b"")

    def _append(self, encoded: bytes) -> None:
        is_after_static = self.pieces and (
            not self.places or self.places[-1][0] < len(self.pieces) - 1
        )
        if is_after_static:
            self.pieces[-1] += encoded
        else:
            self.pieces.append(encoded)

    def values(self, scope: Scope) -> list[bytes]:
        """The values of one recipient, encoded: whole lines each.

        Raises:
            MessageError: a merge tag without value and without default, or a value that should be
                a link and is none.
        """
        values: list[bytes] = []
        for tag in self._tags:
            values += tag.values(scope)
        return values

    def fill(self, values: Sequence[bytes]) -> list[bytes]:
        """The pieces for one recipient; those that hold no value are shared by all."""
        pieces = self.pieces.copy()
        for place, value in self.places:
            pieces[place] = values[value]
        return pieces


@dataclass(frozen=True, slots=True)
class _Tag:
    """A merge tag that stands in some contexts: evaluated once, and encoded once for each."""

    tag: MergeTag
    markup: Sequence[Callable[[str], str]]
    kept: dict[str, list[bytes]] = field(default_factory=dict)

    def values(self, scope: Scope) -> list[bytes]:
        value = self.tag.value(scope)
        encoded = self.kept.get(value)
        if encoded is None:
            encoded = self._encode(value)
            if len(self.kept) >= _MAX_KEPT:
                self.kept.clear()
            if len(value) <= _MAX_KEPT_LENGTH:
                self.kept[value] = encoded
        return encoded

    def _encode(self, value: str) -> list[bytes]:
        # Most values are the same escaped for HTML as for plain text.
        done: dict[str, bytes] = {}
        encoded: list[bytes] = []
        cleaned = clean_text(value)
        for mark_up in self.markup:
            text = mark_up(cleaned)
            if text not in done:
                done[text] = encode_text(text, is_last=False)
            encoded.append(done[text])
        return encoded


def _contexts(parts: Iterable[object]) -> Mapping[str, list[HoleContext]]:
    """Where each merge tag stands, each context once."""
    found: dict[str, list[HoleContext]] = {}
    for part in parts:
        if isinstance(part, Hole) and part.context not in found.setdefault(part.expression, []):
            found[part.expression].append(part.context)
    return found

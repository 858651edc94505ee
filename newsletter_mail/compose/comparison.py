"""Compares the translations of an issue: what one of them lacks. Pure.

Words differ, and so may the address of a link (``/en/`` and ``/fr/``) or a picture with words in
it: what is compared is how many there are in each section. Sections are matched by what they link
to and show, and by their order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter_mail.compose.outline import Outline, OutlineSection

SECTION_MISSING = "translations.section-missing"
LINK_MISSING = "translations.link-missing"
PICTURE_MISSING = "translations.picture-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureFinding:
    """One thing that a language has and another one lacks.

    Attributes:
        rule: one of the ids above.
        message: what is missing, and where it is to be found.
        file: the language that lacks it.
        line: of the section where it should stand.
    """

    rule: str
    message: str
    file: str
    line: int


def compare_outlines(outlines: Sequence[Outline]) -> list[StructureFinding]:
    """What each translation lacks of the issue's own language, and the other way round.

    Args:
        outlines: the issue's own language first.
    """
    found: list[StructureFinding] = []
    for translation in outlines[1:]:
        found += _lacking(outlines[0], translation)
        found += _lacking(translation, outlines[0])
    return found


def _lacking(whole: Outline, other: Outline) -> list[StructureFinding]:
    """What ``other`` lacks of ``whole``, in the order of ``whole``."""
    found: list[StructureFinding] = []
    partners = _partners(whole.sections, other.sections)
    line = other.sections[0].line
    for section, partner in zip(whole.sections, partners, strict=True):
        place = f"{whole.file}:{section.line}"
        if partner is None:
            found.append(
                StructureFinding(
                    rule=SECTION_MISSING,
                    message=f"the section “{section.title}” of {place} is missing here; translate "
                    "it, or take it out there",
                    file=other.file,
                    line=line,
                )
            )
            continue
        line = partner.line
        for rule, what, there, here in (
            (LINK_MISSING, "link", section.links, partner.links),
            (PICTURE_MISSING, "picture", section.pictures, partner.pictures),
        ):
            if len(here) < len(there):
                found.append(
                    StructureFinding(
                        rule=rule,
                        message=f"{_count(len(here), what)} here, and {len(there)} in the same "
                        f"section of {place}{_named(what, there, here)}",
                        file=other.file,
                        line=line,
                    )
                )
    return found


def _count(number: int, what: str) -> str:
    verb = "is" if number == 1 else "are"
    return f"there {verb} {number or 'no'} {what}{'' if number == 1 else 's'}"


def _named(what: str, there: Sequence[str], here: Sequence[str]) -> str:
    """Which one it may be; the digest of a picture says nothing to anybody."""
    missing = [href for href in there if href not in here]
    return f"; {missing[0][:80]} is not here" if missing and what == "link" else ""


def _partners(
    whole: Sequence[OutlineSection], other: Sequence[OutlineSection]
) -> list[OutlineSection | None]:
    """For each section the one that it is in the other language; openings belong together.

    The alignment, in order, that pairs the most sections with the most in common (Needleman and
    Wunsch 1970).
    """
    rows, columns = whole[1:], other[1:]
    scores = [[0.0] * (len(columns) + 1) for _ in range(len(rows) + 1)]
    for i in range(len(rows) - 1, -1, -1):
        for j in range(len(columns) - 1, -1, -1):
            paired = 1 + _likeness(rows[i], columns[j]) + scores[i + 1][j + 1]
            scores[i][j] = max(paired, scores[i + 1][j], scores[i][j + 1])
    partners: list[OutlineSection | None] = [other[0]]
    i = j = 0
    while i < len(rows):
        if j < len(columns) and scores[i][j] == (
            1 + _likeness(rows[i], columns[j]) + scores[i + 1][j + 1]
        ):
            partners.append(columns[j])
            i, j = i + 1, j + 1
        elif j < len(columns) and scores[i][j] == scores[i][j + 1]:
            j += 1
        else:
            partners.append(None)
            i += 1
    return partners


def _likeness(one: OutlineSection, other: OutlineSection) -> float:
    """How much two sections have in common: from 0 to a half, where being paired counts 1."""
    mine, theirs = Counter(one.links + one.pictures), Counter(other.links + other.pictures)
    all_of_them = (mine | theirs).total()
    is_alike = len(one.links) == len(other.links) and len(one.pictures) == len(other.pictures)
    shared = (mine & theirs).total() / all_of_them if all_of_them else 0.0
    return 0.3 * shared + 0.1 * is_alike + 0.1 * (one.title == other.title)

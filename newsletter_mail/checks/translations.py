"""Rules on the languages of one issue: what one of them lacks. ``compose`` compares them."""

from collections.abc import Iterator, Sequence

from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.registry import Scope, rule
from newsletter_mail.compose.comparison import (
    LINK_MISSING,
    PICTURE_MISSING,
    SECTION_MISSING,
    StructureFinding,
)

_ADVICE = "translate it, or take it out of the other language"


@rule(
    SECTION_MISSING,
    Level.WARNING,
    scope=Scope.TRANSLATIONS,
    says="Every section is there in every language.",
    advice=_ADVICE,
)
def _section(found: Sequence[StructureFinding]) -> Iterator[Hit]:
    return _hits(found, SECTION_MISSING)


@rule(
    LINK_MISSING,
    Level.WARNING,
    scope=Scope.TRANSLATIONS,
    says="A section has as many links in every language.",
    advice=_ADVICE,
)
def _link(found: Sequence[StructureFinding]) -> Iterator[Hit]:
    return _hits(found, LINK_MISSING)


@rule(
    PICTURE_MISSING,
    Level.WARNING,
    scope=Scope.TRANSLATIONS,
    says="A section has as many pictures in every language.",
    advice=_ADVICE,
)
def _picture(found: Sequence[StructureFinding]) -> Iterator[Hit]:
    return _hits(found, PICTURE_MISSING)


def _hits(found: Sequence[StructureFinding], rule_id: str) -> Iterator[Hit]:
    for one in found:
        if one.rule == rule_id:
            yield Hit(one.message, one.line, one.file, advice="")

"""What has changed in an issue since its edition was frozen. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from newsletter_mail.delivery.editions import FrozenIssue
from newsletter_mail.words import Build, Hole, Pattern, PictureRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What has changed in one language.

    Attributes:
        sentences: one for each kind of change.
        lines: subject, title and plain text as a unified diff; none where they are the same.
    """

    language: str
    sentences: tuple[str, ...]
    lines: tuple[str, ...] = ()


def differences(frozen: FrozenIssue, builds: Sequence[Build]) -> list[Difference]:
    """What is different in the builds, language by language; nothing where all is the same.

    Args:
        frozen: what is sent.
        builds: what the files say.
    """
    by_language = {build.language: build for build in builds}
    found: list[Difference] = []
    for language in dict.fromkeys((*frozen.builds, *by_language)):
        before, after = frozen.builds.get(language), by_language.get(language)
        if before is None:
            sentence = "this language is new; the frozen edition does not have it"
            found.append(Difference(language=language, sentences=(sentence,)))
        elif after is None:
            sentence = "this language is gone; the frozen edition has it"
            found.append(Difference(language=language, sentences=(sentence,)))
        elif before.digest != after.digest:
            found.append(_difference(before, after))
    return found


def _difference(before: Build, after: Build) -> Difference:
    lines = tuple(
        unified_diff(_told(before), _told(after), "frozen", "now", n=2, lineterm=""),
    )
    sentences = list(_sentences(before, after))
    if lines:
        sentences.insert(0, "the text is different")
    elif not sentences:
        sentences.append(
            "only the HTML is different: its blocks, its styles, or the template; the text is the "
            "same"
        )
    return Difference(language=before.language, sentences=tuple(sentences), lines=lines)


def _sentences(before: Build, after: Build) -> Iterator[str]:
    old, new = _pictures(before.html), _pictures(after.html)
    if old != new:
        gone, added = len(set(old) - set(new)), len(set(new) - set(old))
        yield f"pictures are different: {gone} gone, {added} new"
    if before.embeds_pictures != after.embeds_pictures:
        how = "embedded in the message" if after.embeds_pictures else "fetched from the web"
        yield f"pictures are {how} now"


def _told(build: Build) -> list[str]:
    """What a reader is told, in lines; a merge tag as its author wrote it."""
    subject, text = _readable(build.subject), _readable(build.text)
    return [f"Subject: {subject}", f"Title: {build.title}", "", *text.split("\n")]


def _readable(pattern: Pattern) -> str:
    return "".join(
        f"{{{{ {part.expression} }}}}"
        if isinstance(part, Hole)
        else part.name
        if isinstance(part, PictureRef)
        else part
        for part in pattern
    )


def _pictures(pattern: Pattern) -> list[str]:
    return [part.name for part in pattern if isinstance(part, PictureRef)]

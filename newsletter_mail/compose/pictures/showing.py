"""Puts the pictures of an issue into its HTML: made once, at the largest width that they have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from newsletter_mail.compose.findings import Findings
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.pictures.cache import PictureCache
from newsletter_mail.compose.pictures.conversion import identity, make_picture
from newsletter_mail.compose.pictures.loading import LoadedPicture
from newsletter_mail.compose.pictures.refusal import PictureRefused
from newsletter_mail.compose.pictures.sizing import set_sizes, shown_widths
from newsletter_mail.words import Pattern, Picture, PictureRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPictures:
    """What became of the pictures of an issue.

    Attributes:
        html: with their sizes in it.
        by_key: what goes out, by the key of its source.
        identities: the same on every machine, by name; for the digest of the build.
    """

    html: str
    by_key: Mapping[str, Picture]
    identities: Mapping[str, str]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Each once, in the order of their names."""
        by_name = {picture.name: picture for picture in self.by_key.values()}
        return tuple(by_name[name] for name in sorted(by_name))

    def with_files(self, files: Sequence[Picture]) -> "ShownPictures":
        """Together with files that are linked to, and go by their own names."""
        names = {file.name: file.name for file in files}
        return replace(
            self,
            by_key={**self.by_key, **{file.name: file for file in files}},
            identities={**self.identities, **names},
        )

    def named(self, pattern: Pattern) -> Pattern:
        """A pattern that refers to what goes out, made of one that refers to the sources."""
        return tuple(
            PictureRef(self.by_key[part.name].name) if isinstance(part, PictureRef) else part
            for part in pattern
        )


def show_pictures(
    html: str,
    marks: Marks,
    loaded: Sequence[LoadedPicture],
    *,
    page_width: int,
    cache: PictureCache,
    findings: Findings,
) -> ShownPictures:
    """Make the pictures that an HTML shows, and set their sizes in it.

    Args:
        html: with marks where their addresses go.
        marks: what the marks stand for.
        loaded: the pictures.
        page_width: of the mail, CSS pixels.
        cache: of what was made before.
        findings: where a picture that cannot be made is noted.
    """
    sources = {one.source.key: one.source for one in loaded}
    lines = {one.source.key: one.line for one in loaded}
    by_key: dict[str, Picture] = {}
    identities: dict[str, str] = {}
    widths = shown_widths(html, marks, sources, page_width=page_width)
    for key, width in sorted(widths.items()):
        source, name = sources[key], identity(sources[key], width)
        try:
            picture = cache.get(name, partial(make_picture, source, width))
        except PictureRefused as refused:
            findings.add(str(refused), lines[key])
            continue
        by_key[key] = picture
        identities[picture.name] = name
    return ShownPictures(
        html=set_sizes(html, marks, sources, page_width=page_width),
        by_key=by_key,
        identities=identities,
    )

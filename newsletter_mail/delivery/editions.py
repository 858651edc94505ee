"""Editions: builds frozen in the database when an issue is first sent to anybody on a list.

What is sent is what was checked: every later run sends these bytes, whatever the files say by then.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from newsletter_mail import __version__
from newsletter_mail.errors import Conflict
from newsletter_mail.store.schema import editions, issues, pictures
from newsletter_mail.words import Build, Hole, HoleContext, Pattern, Picture, PictureRef


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenIssue:
    """An issue as it is sent, now and ever after.

    Attributes:
        id: row number.
        digest: over the builds of all languages; what ``status`` calls the edition.
        builds: by language; with the bytes of their pictures where each message carries them.
        default_language: of those whose language is not among the builds.
    """

    id: int
    slug: str
    digest: str
    builds: Mapping[str, Build]
    default_language: str
    frozen_at: datetime
    cancelled_at: datetime | None

    def build_for(self, language: str) -> Build:
        """The build for a subscriber's language: that one, its primary tag, or the default."""
        for tag in (language, language.partition("-")[0], self.default_language):
            if tag in self.builds:
                return self.builds[tag]
        raise Conflict(f"issue {self.slug} has no edition in its own language")


def issue_digest(builds: Sequence[Build]) -> str:
    """One digest over the builds of all languages; that of the build where there is one."""
    if len(builds) == 1:
        return builds[0].digest
    joined = "\n".join(f"{build.language} {build.digest}" for build in builds)
    return hashlib.sha256(joined.encode()).hexdigest()


def freeze_issue(connection: Connection, builds: Sequence[Build], *, now: datetime) -> FrozenIssue:
    """Keep the builds of an issue for ever.

    Args:
        builds: one for each language, the default one first.

    Raises:
        Conflict: the issue has been frozen already.
    """
    slug = builds[0].slug
    if load_issue(connection, slug) is not None:
        raise Conflict(f"issue {slug} has been frozen already")
    issue_id = connection.execute(
        insert(issues)
        .values(slug=slug, digest=issue_digest(builds), frozen_at=now)
        .returning(issues.c.id)
    ).scalar_one()
    for build in builds:
        connection.execute(
            insert(editions).values(
                issue_id=issue_id,
                language=build.language,
                is_default=int(build is builds[0]),
                digest=build.digest,
                content=_to_json(build),
                version=__version__,
            )
        )
        keep_pictures(connection, build.pictures)
    frozen = load_issue(connection, slug)
    assert frozen is not None  # noqa: S101 - written in this transaction
    return frozen


def load_issue(connection: Connection, slug: str) -> FrozenIssue | None:
    """The frozen issue of that slug, or None where it was never sent."""
    row = connection.execute(select(issues).where(issues.c.slug == slug)).one_or_none()
    if row is None:
        return None
    rows = connection.execute(
        select(editions)
        .where(editions.c.issue_id == row.id)
        .order_by(editions.c.is_default.desc(), editions.c.language)
    ).all()
    return FrozenIssue(
        id=row.id,
        slug=row.slug,
        digest=row.digest,
        builds={
            edition.language: _with_pictures(
                connection,
                _from_json(slug, edition.language, edition.digest, edition.content),
            )
            for edition in rows
        },
        default_language=rows[0].language,
        frozen_at=row.frozen_at,
        cancelled_at=row.cancelled_at,
    )


def load_edition(connection: Connection, slug: str, language: str | None = None) -> Build | None:
    """The frozen build of one language (None: the issue's own), or None where there is none."""
    frozen = load_issue(connection, slug)
    if frozen is None:
        return None
    return frozen.builds.get(language or frozen.default_language)


def keep_pictures(connection: Connection, kept: Sequence[Picture]) -> None:
    """Keep pictures for the public pages, which serve them to the readers of a mail."""
    for picture in kept:
        is_there = connection.execute(
            select(pictures.c.name).where(pictures.c.name == picture.name)
        ).first()
        if is_there is None:
            connection.execute(
                insert(pictures).values(
                    name=picture.name, media_type=picture.media_type, content=picture.content
                )
            )


def _to_json(build: Build) -> dict[str, Any]:
    return {
        "title": build.title,
        "subject": _pattern_to_json(build.subject),
        "html": _pattern_to_json(build.html),
        "text": _pattern_to_json(build.text),
        "embeds_pictures": build.embeds_pictures,
    }


def _from_json(slug: str, language: str, digest: str, content: Mapping[str, Any]) -> Build:
    return Build(
        slug=slug,
        language=language,
        title=content["title"],
        subject=_pattern_from_json(content["subject"]),
        html=_pattern_from_json(content["html"]),
        text=_pattern_from_json(content["text"]),
        pictures=(),
        digest=digest,
        # An edition that does not say is hosted.
        embeds_pictures=content.get("embeds_pictures", False),
    )


def _with_pictures(connection: Connection, build: Build) -> Build:
    """The build with the bytes of its pictures, where its messages carry them."""
    if not build.embeds_pictures:
        return build
    names = {part.name for part in build.html if isinstance(part, PictureRef)}
    rows = connection.execute(
        select(pictures).where(pictures.c.name.in_(names)).order_by(pictures.c.name)
    )
    kept = tuple(
        Picture(name=row.name, media_type=row.media_type, content=row.content) for row in rows
    )
    return replace(build, pictures=kept)


def _pattern_to_json(pattern: Pattern) -> list[Any]:
    parts: list[Any] = []
    for part in pattern:
        match part:
            case Hole(expression=expression, context=context):
                parts.append({"hole": expression, "context": context.value})
            case PictureRef(name=name):
                parts.append({"picture": name})
            case _:
                parts.append(part)
    return parts


def _pattern_from_json(parts: Sequence[Any]) -> Pattern:
    def part_of(value: Any) -> str | Hole | PictureRef:
        match value:
            case {"hole": expression, "context": context}:
                return Hole(expression, HoleContext(context))
            case {"picture": name}:
                return PictureRef(name)
        return str(value)

    return tuple(part_of(value) for value in parts)

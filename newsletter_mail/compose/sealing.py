"""The digest of a build. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from newsletter_mail.words import Build, Hole, Pattern, PictureRef


def sealed(build: Build, identities: Mapping[str, str]) -> Build:
    """The build with its digest: SHA-256 over canonical JSON of everything else.

    Args:
        build: without its digest.
        identities: of its pictures by name. Two machines may compress the same pixels differently,
            and have the same build all the same.
    """
    content = {
        "slug": build.slug,
        "language": build.language,
        "title": build.title,
        "subject": _listed(build.subject, identities),
        "html": _listed(build.html, identities),
        "text": _listed(build.text, identities),
        "pictures": sorted(
            [identities[picture.name], picture.media_type] for picture in build.pictures
        ),
        "embeds_pictures": build.embeds_pictures,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return replace(build, digest=hashlib.sha256(canonical.encode()).hexdigest())


def _listed(pattern: Pattern, identities: Mapping[str, str]) -> list[list[str]]:
    parts: list[list[str]] = []
    for part in pattern:
        match part:
            case str():
                parts.append([part])
            case Hole(expression=expression, context=context):
                parts.append([expression, context.value])
            case PictureRef(name=name):
                parts.append(["", "", identities[name]])
    return parts

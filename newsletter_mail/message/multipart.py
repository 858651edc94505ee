"""What stands around the text and the HTML of a message. Pure.

multipart/alternative; and where pictures are embedded, multipart/related (RFC 2387) around it. The
same bytes for every recipient: pictures are encoded once, when the template is made.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from newsletter_mail.errors import MessageError
from newsletter_mail.words import Build, Picture, PictureRef

# RFC 2045 section 6.8.
_LINE = 76


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The parts of a message around its two texts.

    Attributes:
        content_type: the header of the whole, with its line end.
        opening: before the delimiter of the first text.
        boundary: of the two texts.
        closing: after the last delimiter of the texts; the end of the message.
    """

    content_type: str
    opening: str
    boundary: str
    closing: bytes


def frame_of(build: Build, *, domain: str) -> Frame:
    """The frame of a build's messages.

    Args:
        build: its pictures are there, where it embeds them.
        domain: of the sender, as in Message-ID.

    Raises:
        MessageError: a picture to embed is not there.
    """
    boundary = _boundary(build, "alternative")
    alternative = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'
    if not build.embeds_pictures:
        return Frame(content_type=alternative, opening="", boundary=boundary, closing=b"")
    outer = _boundary(build, "related")
    return Frame(
        content_type=(
            'Content-Type: multipart/related; type="multipart/alternative";\r\n'
            f' boundary="{outer}"\r\n'
        ),
        opening=f"--{outer}\r\n{alternative}\r\n",
        boundary=boundary,
        closing=b"\r\n" + _embedded(_shown_pictures(build), boundary=outer, domain=domain),
    )


def _boundary(build: Build, kind: str) -> str:
    # RFC 2046 section 5.1.1. "=_" never comes out of a quoted-printable encoder, so no value of any
    # recipient can hold the boundary.
    return f"=_{sha256(f'{build.digest} {kind}'.encode()).hexdigest()[:24]}"


def content_url(domain: str) -> Callable[[str], str]:
    """Makes the address of an embedded picture from its name (RFC 2392)."""
    return lambda name: f"cid:{name}@{domain}"


def _shown_pictures(build: Build) -> tuple[Picture, ...]:
    by_name = {picture.name: picture for picture in build.pictures}
    names = sorted({part.name for part in build.html if isinstance(part, PictureRef)})
    if missing := [name for name in names if name not in by_name]:
        raise MessageError(f"the picture {missing[0]} of {build.slug} is not there")
    return tuple(by_name[name] for name in names)


def _embedded(pictures: Sequence[Picture], *, boundary: str, domain: str) -> bytes:
    """The parts after the texts, each from its delimiter on, and the end of the whole."""
    parts = [_part(picture, boundary=boundary, domain=domain) for picture in pictures]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _part(picture: Picture, *, boundary: str, domain: str) -> bytes:
    head = (
        f"--{boundary}\r\n"
        f"Content-Type: {picture.media_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{picture.name}@{domain}>\r\n"
        f'Content-Disposition: inline; filename="{picture.name}"\r\n'
        "\r\n"
    )
    encoded = base64.b64encode(picture.content)
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return head.encode() + b"".join(line + b"\r\n" for line in lines)

"""Pictures come from the folder of the issue, and are what they say they are."""

import hashlib
import struct
import zlib
from pathlib import Path

import pytest

from tests.unit.compose.desk import BODY, Desk, parsed, picture_names


@pytest.mark.parametrize(
    ("kind", "suffix", "media_type"),
    [("PNG", ".png", "image/png"), ("JPEG", ".jpg", "image/jpeg"), ("GIF", ".gif", "image/gif")],
)
def test_a_picture_goes_out_byte_for_byte(
    desk: Desk, kind: str, suffix: str, media_type: str
) -> None:
    content = desk.picture("my photo", kind=kind)
    build = desk.compile("![a town](<my photo>)\n\n![the same](my%20photo)")

    (picture,) = build.pictures
    assert picture.content == content
    assert picture.media_type == media_type
    assert picture.name == hashlib.sha256(content).hexdigest()[:32] + suffix
    assert picture_names(build.html) == [picture.name, picture.name]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("../../etc/passwd", "lies outside the folder of the issue"),
        ("../other/a.png", "lies outside the folder of the issue"),
        ("%2e%2e/%2e%2e/etc/passwd", "lies outside the folder of the issue"),
        ("/etc/passwd", "must be a path inside the folder"),
        ("C:/a.png", "must be a path inside the folder"),
        ("..%5C..%5Ca.png", "must be a path inside the folder"),
        ("https://example.org/a.png", "loads nothing from elsewhere"),
        ("//example.org/a.png", "loads nothing from elsewhere"),
        ("data:image/png;base64,AAAA", "loads nothing from elsewhere"),
        ("link.png", "lies outside the folder of the issue"),
        ("tonw.png", "there is no picture tonw.png; did you mean town.png?"),
        ("issue.md", "no PNG, JPEG, GIF, WebP, AVIF or SVG"),
        ("drawing.svg", "is no SVG that can be read"),
        ("broken.png", "broken.png is cut or broken"),
        ("a%00.png", "is not the path of a picture"),
        ("a" * 5000 + ".png", "cannot be read"),
        (".", "there is no picture"),
        ("large.png", "larger than 25 MB"),
        ("bomb.png", "bomb.png has too many pixels"),
        ("poster.png", "8000 × 5000 pixels; 36 million are the most"),
        ("{{ subscriber.name }}.png", "cannot have a merge tag"),
    ],
)
def test_a_picture_that_cannot_go_into_a_mail_is_refused(
    desk: Desk, reference: str, words: str
) -> None:
    content = desk.picture("town.png")
    (desk.folder / "broken.png").write_bytes(content[:60])
    (desk.folder / "drawing.svg").write_text("<svg onload='x'/>")
    (desk.folder / "large.png").write_bytes(content + bytes(25_000_000))
    (desk.folder / "bomb.png").write_bytes(_claiming(30_000, 30_000))
    (desk.folder / "poster.png").write_bytes(_claiming(8_000, 5_000))
    (desk.workspace / "secret.png").write_bytes(content)
    (desk.folder / "link.png").symlink_to(desk.workspace / "secret.png")

    found = desk.findings(f"Text.\n\n![a]({reference})")

    assert any(line == BODY + 2 and words in message for line, message in found), found


def _claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def test_a_picture_must_say_what_it_shows(desk: Desk) -> None:
    desk.picture("a.png")

    ((line, message),) = desk.findings("Text.\n\n![](a.png)")

    assert line == BODY + 2
    assert "![](a.png){.decoration}" in message
    assert desk.findings("Text.\n\n![](a.png){.decoration}") == []


@pytest.mark.parametrize(
    ("size", "shown"), [((1200, 600), 536), ((536, 100), 536), ((200, 100), 200)]
)
def test_a_picture_is_as_wide_as_it_is_and_its_column_allows(
    desk: Desk, size: tuple[int, int], shown: int
) -> None:
    desk.picture("a.png", size)
    image = parsed(desk.compile("Text.\n\n![a](a.png)")).find(".//img")

    assert image.attrib["width"] == str(shown)


def test_a_photograph_that_lies_on_its_side_is_measured_upright(desk: Desk) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    desk.picture("a.jpg", (400, 100), "JPEG", exif=exif)
    image = parsed(desk.compile("Text.\n\n![a](a.jpg)")).find(".//img")

    assert image.attrib["width"] == "100"


def test_a_workspace_reached_by_a_link_keeps_its_pictures(desk: Desk, tmp_path: Path) -> None:
    desk.picture("a.png")
    desk.write("![a](a.png)")
    (tmp_path / "linked").symlink_to(desk.workspace)
    linked = Desk(workspace=tmp_path / "linked")

    assert linked.compile().digest == desk.compile().digest
    assert len(linked.compile().pictures) == 1

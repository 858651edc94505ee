"""Rules on pictures: what they say, what they weigh, and how much of the mail they are."""

import io
import re
from collections.abc import Iterator

from PIL import Image

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import seen_text
from newsletter_mail.checks.registry import rule

#: Bytes of one picture, and of all: on a phone away from home 1 MB takes some seconds.
MAX_PICTURE_BYTES, MAX_PICTURES_BYTES = 1_000_000, 3_000_000
#: Pixels; a mail is 600 wide, and the sharpest screens show two for one.
MAX_WIDTH = 1_600
#: Letters of text: with fewer, the pictures are the mail.
MIN_LETTERS = 100
#: Letters of text for each picture.
MIN_LETTERS_A_PICTURE = 60

_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|webp|svg|bmp|tiff?|heic)", re.IGNORECASE)
_NAMES_NOTHING = re.compile(
    r"(?:(?:img|dsc|dscn|pict?|scan|image|photo|picture|screenshot|untitled|unnamed|bild|foto)"
    r"[ _-]*[\d_ ()-]*)",
    re.IGNORECASE,
)


@rule(
    "pictures.alt-missing",
    Level.ERROR,
    says="Every picture says what it shows, or that it is decoration.",
    advice="write ![what it shows](file), or mark mere decoration: ![](file){.decoration}",
    source="EMC 2026, 8: Images must have alternate text; WCAG 2.2, 1.1.1",
)
def _alt_missing(case: Case) -> Iterator[Hit]:
    for picture in case.pictures:
        if picture.get("alt") is None:
            yield Hit(f"the picture {_shown(picture.get('src'))} has no alt")


@rule(
    "pictures.alt-file-name",
    Level.WARNING,
    says="The alt text of a picture is not the name of its file.",
    advice="say what is to be seen, as on the phone to a friend",
)
def _alt_file_name(case: Case) -> Iterator[Hit]:
    for picture in case.pictures:
        alt = (picture.get("alt") or "").strip()
        if _FILE_NAME.fullmatch(alt) or _NAMES_NOTHING.fullmatch(alt):
            yield Hit(f"the alt text “{alt}” says nothing", case.line_of_picture(picture))


@rule(
    "pictures.heavy",
    Level.WARNING,
    says=f"A picture has {MAX_PICTURE_BYTES / 1e6:.0f} MB at most, and all have "
    f"{MAX_PICTURES_BYTES / 1e6:.0f} MB.",
    advice="save it smaller: as JPEG where it is a photo, 1,200 pixels wide",
)
def _heavy(case: Case) -> Iterator[Hit]:
    total = 0
    for picture in case.build.pictures:
        size = len(picture.content)
        total += size
        if size > MAX_PICTURE_BYTES:
            yield Hit(
                f"{_named(case, picture.name)} has {size / 1e6:.1f} MB", _line(case, picture.name)
            )
    if total > MAX_PICTURES_BYTES:
        yield Hit(f"the pictures have {total / 1e6:.1f} MB together", advice="save them smaller")


@rule(
    "pictures.wide",
    Level.WARNING,
    says=f"A picture has {MAX_WIDTH:,} pixels of width at most.",
    advice="make it 1,200 pixels wide: no mail shows more",
)
def _wide(case: Case) -> Iterator[Hit]:
    for picture in case.build.pictures:
        width = _width(picture.content)
        if width > MAX_WIDTH:
            yield Hit(
                f"{_named(case, picture.name)} is {width:,} pixels wide", _line(case, picture.name)
            )


@rule(
    "pictures.only",
    Level.WARNING,
    says=f"A mail with pictures has {MIN_LETTERS} letters of text at least.",
    advice="write what the pictures say as text: many programs hide pictures, and spam filters "
    "distrust a mail that is only one",
)
def _only(case: Case) -> Iterator[Hit]:
    if case.pictures and _author_letters(case) < MIN_LETTERS:
        yield Hit("the mail is little more than its pictures")


@rule(
    "pictures.ratio",
    Level.WARNING,
    says=f"There are {MIN_LETTERS_A_PICTURE} letters of text for each picture.",
    advice="say more in words, or show fewer pictures",
)
def _ratio(case: Case) -> Iterator[Hit]:
    number, letters = len(case.pictures), _author_letters(case)
    if MIN_LETTERS <= letters < number * MIN_LETTERS_A_PICTURE:
        yield Hit(f"there are {number} pictures in {letters} letters of text")


@rule(
    "pictures.unused",
    Level.WARNING,
    says="Every picture in the folder of the issue is shown.",
    advice="show it, or take it out of the folder",
)
def _unused(case: Case) -> Iterator[Hit]:
    for name in case.unused_pictures:
        yield Hit(f"{name} is not shown anywhere")


def _author_letters(case: Case) -> int:
    """Letters of the author's own text; of the whole mail where there is no source."""
    if not case.source.lines:
        return len(seen_text(case.tree))
    return sum(len(text) for _, text in case.source.prose)


def _width(content: bytes) -> int:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size[0]
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0


def _line(case: Case, name: str) -> int | None:
    shown = (p for p in case.pictures if (p.get("src") or "").endswith(name))
    lines = (case.line_of_picture(picture) for picture in shown)
    return next((line for line in lines if line is not None), None)


def _named(case: Case, name: str) -> str:
    """The picture as its author calls it."""
    line = _line(case, name)
    if line is not None:
        match = re.search(r"\]\(<?([^)>\s]+)", case.source.lines[line - 1])
        if match:
            return match[1]
    return "a picture"


def _shown(address: str | None) -> str:
    return (address or "").rpartition("/")[2][:60] or "without address"

"""What goes out in place of the file that the author saved."""

import contextlib
import hashlib
import io
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from newsletter_mail.compose.pictures import PictureRefused
from newsletter_mail.compose.pictures.cache import FOLDER
from newsletter_mail.compose.pictures.conversion import make_picture
from newsletter_mail.compose.pictures.inspection import inspect
from newsletter_mail.compose.pictures.metadata import without_metadata
from newsletter_mail.words import Build, Picture
from tests.unit.compose.desk import BODY, Desk, parsed, picture_names

SVG = 'xmlns="http://www.w3.org/2000/svg"'
#: JPEG's orientation 6: the top of the picture is at its right.
ON_ITS_SIDE = 6
ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825


def photograph(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Many colours, red at the left and blue at the right."""
    ramp = Image.linear_gradient("L").rotate(90).resize(size)
    noise = Image.effect_noise(size, 20)
    image = Image.merge("RGB", (ramp.point(lambda v: 255 - v), noise, ramp))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def put(desk: Desk, name: str, content: bytes) -> None:
    desk.folder.mkdir(parents=True, exist_ok=True)
    (desk.folder / name).write_bytes(content)


def made(desk: Desk, name: str, body: str = "") -> tuple[Picture, Image.Image, Build]:
    build = desk.compile(body or f"Text.\n\n![a town]({name})")
    (picture,) = build.pictures
    assert picture.name.startswith(hashlib.sha256(picture.content).hexdigest()[:32])
    image = Image.open(io.BytesIO(picture.content))
    image.load()
    return picture, image, build


def size_in_html(build: Build) -> tuple[int, int]:
    image = parsed(build).find(".//img")
    return int(image.attrib["width"]), int(image.attrib["height"])


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("Text.\n\n![a](a.jpg)", (536, 268)),
        ("![a](a.jpg)\n\nText.", (600, 300)),
        ("Text ![a](a.jpg) with a picture.", (600, 300)),
        (
            ":::: columns\n::: column {width=50%}\n![a](a.jpg)\n:::\n::: column\nText.\n:::\n::::",
            (256, 128),
        ),
    ],
)
def test_a_photograph_is_twice_as_wide_as_it_is_shown(
    desk: Desk, body: str, shown: tuple[int, int]
) -> None:
    put(desk, "a.jpg", saved(photograph((3000, 1500)), "JPEG"))
    picture, image, build = made(desk, "a.jpg", body)

    assert size_in_html(build) == shown
    assert image.size == (2 * shown[0], 2 * shown[1])
    assert picture.media_type == "image/jpeg"
    assert image.info.get("progressive")


def test_a_picture_shown_twice_is_made_once_for_the_wider_place(desk: Desk) -> None:
    put(desk, "a.jpg", saved(photograph((3000, 1500)), "JPEG"))
    column = "::: column {width=50%}\n![a](a.jpg)\n:::\n"
    body = f"Text.\n\n:::: columns\n{column}{column}::::\n\n![a](a.jpg)"
    picture, image, build = made(desk, "a.jpg", body)

    assert image.width == 2 * 536
    assert picture_names(build.html) == [picture.name] * 3


def test_a_small_picture_is_not_made_larger(desk: Desk) -> None:
    put(desk, "a.png", saved(photograph((300, 200)), "PNG"))
    _, image, build = made(desk, "a.png")

    assert image.size == (300, 200)
    assert size_in_html(build) == (300, 200)


def transparent(size: tuple[int, int]) -> Image.Image:
    image = photograph(size).convert("RGBA")
    image.putalpha(Image.radial_gradient("L").resize(size))
    return image


@pytest.mark.parametrize(
    ("image", "kind", "media_type", "mode"),
    [
        (photograph((2000, 500)), "WEBP", "image/jpeg", "RGB"),
        (photograph((300, 200)), "WEBP", "image/jpeg", "RGB"),
        (transparent((2000, 500)), "WEBP", "image/png", "RGBA"),
        (Image.new("RGB", (2000, 500), "#0a655e"), "WEBP", "image/png", "P"),
        (photograph((2000, 500)), "AVIF", "image/jpeg", "RGB"),
        (transparent((300, 200)), "AVIF", "image/png", "RGBA"),
        (transparent((2000, 500)), "PNG", "image/png", "RGBA"),
        (photograph((2000, 500), "L"), "PNG", "image/png", "L"),
        (photograph((2000, 500), "CMYK"), "JPEG", "image/jpeg", "RGB"),
        (photograph((300, 200), "CMYK"), "JPEG", "image/jpeg", "RGB"),
        (photograph((2000, 500), "P"), "GIF", "image/png", "RGB"),
    ],
)
def test_every_kind_comes_out_as_one_that_mail_programs_show(
    desk: Desk, image: Image.Image, kind: str, media_type: str, mode: str
) -> None:
    put(desk, "a", saved(image, kind))
    picture, out, _ = made(desk, "a")

    assert picture.media_type == media_type
    assert out.mode == mode
    assert out.size == (min(image.width, 1072), round(min(1, 1072 / image.width) * image.height))
    left = out.convert("RGBA").getpixel((2, out.height // 2))
    before = image.convert("RGBA").getpixel((2, image.height // 2))
    assert isinstance(left, tuple)
    assert isinstance(before, tuple)
    # Red at the left, as it was; and nothing became opaque or transparent.
    assert abs(left[3] - before[3]) < 12
    if before[3]:
        assert all(abs(a - b) < 90 for a, b in zip(left, before, strict=True)), (left, before)


def test_a_photograph_comes_upright_and_says_nothing_of_the_camera(desk: Desk) -> None:
    image = photograph((2000, 1000))
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE], exif[GPS] = ON_ITS_SIDE, "Spy camera", {1: "N"}
    put(desk, "a.jpg", saved(image, "JPEG", exif=exif, comment=b"at home"))
    picture, out, build = made(desk, "a.jpg")

    assert out.size == (1000, 2000)
    assert size_in_html(build) == (536, 1072)
    top, bottom = out.getpixel((500, 10)), out.getpixel((500, 1990))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    # Red was at the left, and is on top.
    assert top[0] - top[2] > 150
    assert bottom[2] - bottom[0] > 150
    assert not out.getexif()
    assert b"Spy" not in picture.content
    assert b"at home" not in picture.content


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "a.jpg"), ("PNG", "a.png")])
def test_a_picture_that_fits_keeps_its_pixels_and_loses_its_metadata(
    desk: Desk, kind: str, name: str
) -> None:
    image = photograph((500, 300))
    exif = Image.Exif()
    exif[MAKE] = "Spy camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = saved(image, kind, exif=exif, icc_profile=profile) + b"behind the end"
    put(desk, name, content)
    picture, out, _ = made(desk, name)

    assert out.tobytes() == Image.open(io.BytesIO(content)).tobytes()
    assert len(picture.content) < len(content)
    for word in (b"Spy", b"sRGB", b"behind"):
        assert word not in picture.content


def test_other_colours_become_those_of_the_web(desk: Desk) -> None:
    image = Image.new("RGB", (400, 200), (200, 30, 30))
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    swapped = bytes(profile).replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ")
    swapped = swapped.replace(b"tXYZ", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "bRGB".encode("utf-16-be"))
    put(desk, "a.png", saved(image, "PNG", icc_profile=swapped))
    picture, out, _ = made(desk, "a.png")

    pixel = out.convert("RGB").getpixel((10, 10))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 150 > pixel[0], "the profile says that the first channel is blue"
    assert b"iCCP" not in picture.content


def test_sixteen_bits_of_grey_become_eight(desk: Desk) -> None:
    grey = photograph((400, 200), "L")
    deep = Image.frombytes("I;16", grey.size, bytes(b for v in grey.tobytes() for b in (v, v)))
    put(desk, "a.png", saved(deep, "PNG"))
    _, out, _ = made(desk, "a.png")

    assert out.tobytes() == grey.tobytes()


def test_few_colours_stay_few_and_exact(desk: Desk) -> None:
    image = Image.new("RGB", (1300, 600), "#0a655e")
    ImageDraw.Draw(image).ellipse((200, 100, 900, 500), fill="#e3a63f")
    drawn = image.quantize(8)
    put(desk, "a.png", saved(drawn, "PNG"))
    _, out, build = made(desk, "a.png")

    # Resampled it would have hundreds of colours, and be several times as large.
    assert out.convert("RGB").tobytes() == drawn.convert("RGB").tobytes()
    assert size_in_html(build) == (536, 247)

    put(desk, "a.png", saved(image.resize((3000, 1385)).quantize(8), "PNG"))
    assert made(desk, "a.png")[1].width == 1072


@pytest.mark.parametrize("size", [(2000, 1000), (400, 200)])
def test_a_second_picture_behind_a_photograph_stays_behind(
    desk: Desk, size: tuple[int, int]
) -> None:
    second = Image.new("RGB", (80, 40), "white")
    content = saved(photograph(size), "MPO", save_all=True, append_images=[second])
    put(desk, "a.jpg", content)
    picture, out, _ = made(desk, "a.jpg")

    assert (out.format, picture.media_type) == ("JPEG", "image/jpeg")
    assert out.size == (min(size[0], 1072), min(size[1], 536))
    assert picture.content.count(b"\xff\xd8\xff") == 1


def test_an_animation_stays_as_it_is(desk: Desk) -> None:
    frames = [Image.new("P", (1400, 700), colour) for colour in (0, 1, 2)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    put(desk, "a.gif", content)
    picture, _, build = made(desk, "a.gif")

    assert picture.content == content
    assert size_in_html(build) == (536, 268)


def test_an_animation_that_mail_programs_show_badly_is_refused(desk: Desk) -> None:
    frames = [photograph((40, 20)) for _ in range(3)]
    put(desk, "a.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    put(desk, "a.png", saved(frames[0], "PNG", save_all=True, append_images=frames[1:]))

    found = desk.findings("![a](a.webp)\n\nText.\n\n![a](a.png)")

    assert [line for line, _ in found] == [BODY, BODY + 4]
    assert all("save it as a GIF" in message for _, message in found)


def test_a_drawing_is_drawn_at_twice_its_size(desk: Desk) -> None:
    put(
        desk,
        "a.svg",
        f'<?xml version="1.0"?><!-- c --><svg {SVG} viewBox="0 0 120 60">'
        '<rect width="60" height="60" fill="#ff0000"/></svg>'.encode(),
    )
    picture, out, build = made(desk, "a.svg")

    assert size_in_html(build) == (120, 60)
    assert (out.size, picture.media_type) == ((240, 120), "image/png")
    pixels = out.convert("RGBA")
    assert pixels.getpixel((20, 60)) == (255, 0, 0, 255)
    assert pixels.getpixel((200, 60)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        (f"<svg {SVG}><text>Hello</text></svg>", "turn it into paths"),
        (f'<svg {SVG}><image href="file:///etc/passwd"/></svg>', "another picture in it"),
        (f'<!DOCTYPE svg [<!ENTITY a "b">]><svg {SVG}>&a;</svg>', "declares entities"),
        (f"<svg {SVG}>{'<g>' * 500}{'</g>' * 500}</svg>", "nests too deeply"),
        (f"<svg {SVG}><rect></svg>", "no SVG that can be read: mismatched tag"),
        (f'<svg {SVG} width="20000" height="20000"/>', "20000 × 20000 pixels"),
        (f'<svg {SVG} viewBox="0 0 nan inf"><g/>', "no SVG that can be read"),
    ],
)
def test_a_drawing_that_is_not_the_same_everywhere_is_refused(
    desk: Desk, drawing: str, words: str
) -> None:
    put(desk, "a.svg", drawing.encode())

    ((line, message),) = desk.findings("Text.\n\n![a](a.svg)")

    assert line == BODY + 2
    assert words in message


def test_a_drawing_that_never_ends_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter_mail.compose.pictures.svg._TIME_S", 1)
    uses = "".join(f'<g id="g{n + 1}">' + f'<use href="#g{n}"/>' * 10 + "</g>" for n in range(9))
    rect = '<g id="g0"><rect width="1" height="1"/></g>'
    put(desk, "a.svg", f'<svg {SVG} viewBox="0 0 9 9">{rect}{uses}</svg>'.encode())

    ((line, message),) = desk.findings("Text.\n\n![a](a.svg)")

    assert line == BODY + 2
    assert "save it as a PNG" in message


def test_a_picture_that_is_cut_is_named_with_its_line(desk: Desk) -> None:
    put(desk, "a.jpg", saved(photograph((3000, 1000)), "JPEG")[:20_000])

    ((line, message),) = desk.findings("Text.\n\n![a](a.jpg)")

    assert line == BODY + 2
    assert message.startswith("a.jpg is cut or broken")


def test_a_picture_is_made_once_and_kept(desk: Desk) -> None:
    put(desk, "a.jpg", saved(photograph((3000, 1500)), "JPEG"))
    first = desk.compile("Text.\n\n![a](a.jpg)")
    cache = desk.workspace / FOLDER
    (kept,) = cache.iterdir()
    assert (cache.parent / ".gitignore").read_text() == "*\n"

    stamp = kept.stat().st_mtime_ns
    assert desk.compile().pictures == first.pictures
    assert kept.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("harm", [b"", b"image/png\nabc\n<svg>", b"text/html\n"])
def test_a_kept_picture_that_is_not_whole_is_made_again(desk: Desk, harm: bytes) -> None:
    put(desk, "a.jpg", saved(photograph((3000, 1500)), "JPEG"))
    first = desk.compile("Text.\n\n![a](a.jpg)")
    (kept,) = (desk.workspace / FOLDER).iterdir()
    kept.write_bytes(harm or kept.read_bytes()[:-1])

    assert desk.compile().pictures == first.pictures


def test_a_workspace_that_cannot_be_written_compiles(desk: Desk) -> None:
    put(desk, "a.jpg", saved(photograph((3000, 1500)), "JPEG"))
    (desk.workspace / ".cache").write_text("a file where the folder should be")

    assert len(desk.compile("Text.\n\n![a](a.jpg)").pictures) == 1


EXIF = Image.Exif()
EXIF[ORIENTATION], EXIF[MAKE] = ON_ITS_SIDE, "Camera"
FILES = [
    saved(photograph((60, 40)), kind, exif=EXIF) for kind in ("PNG", "JPEG", "WEBP", "AVIF")
] + [saved(photograph((60, 40), "P"), "GIF"), saved(photograph((60, 40), "CMYK"), "JPEG")]


@given(
    content=st.sampled_from(FILES),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=20),
    length=st.one_of(st.none(), st.integers(0, 2000)),
)
def test_no_file_makes_a_reader_fall_over(
    content: bytes, changes: list[tuple[int, int]], length: int | None
) -> None:
    harmed = bytearray(content)
    for at, value in changes:
        if at < len(harmed):
            harmed[at] = value
    with contextlib.suppress(PictureRefused), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = make_picture(inspect(bytes(harmed[:length]), "a"), 20)
        assert Image.open(io.BytesIO(picture.content)).format in ("PNG", "JPEG", "GIF")


@given(content=st.binary(max_size=200), kind=st.sampled_from(["PNG", "JPEG"]))
def test_no_bytes_break_the_cleaning(content: bytes, kind: str) -> None:
    start = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8"}[kind]
    try:
        cleaned = without_metadata(start + content, kind)
    except ValueError:
        return
    assert len(cleaned) <= len(start + content)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    options=st.fixed_dictionaries({"progressive": st.booleans(), "quality": st.integers(1, 100)}),
)
def test_cleaning_keeps_every_pixel_of_a_jpeg(
    size: tuple[int, int], options: dict[str, int]
) -> None:
    content = saved(photograph(size), "JPEG", comment=b"secret", **options)
    cleaned = without_metadata(content + content, "JPEG")

    assert b"secret" not in cleaned
    assert Image.open(io.BytesIO(cleaned)).tobytes() == Image.open(io.BytesIO(content)).tobytes()

"""``pictures = "embed"``: what arrives has its pictures with it, and asks nobody for them."""

import io
import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from tests.integration.people import Desk

FRONT = "---\nsubject: Hello\n---\n"
TEXT = "# News\n\nOne line.\n\n## Paris\n\n![a town](town.webp)\n\nText.\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk.make(tmp_path / "workspace")
    desk.file("newsletter.toml", '[newsletter]\npictures = "embed"\n')
    (desk.path / "issues" / "spring").mkdir(parents=True)
    desk.file("issues/spring/issue.md", FRONT + TEXT)
    buffer = io.BytesIO()
    Image.effect_noise((1600, 800), 90).convert("RGB").save(buffer, "WEBP")
    desk.file("issues/spring/town.webp", buffer.getvalue())
    desk.do("subscribers", "add", "ada@example.org")
    return desk


def _arrived(desk: Desk) -> list[EmailMessage]:
    files = sorted((desk.path / "outbox" / "new").iterdir(), key=lambda file: file.stat().st_mtime)
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def _picture(message: EmailMessage) -> Image.Image:
    """The one picture that the HTML shows, found as a mail program finds it."""
    body = message.get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    assert "/media/" not in html
    (part,) = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert f'src="cid:{str(part["Content-ID"])[1:-1]}"' in html
    return Image.open(io.BytesIO(part.get_content()))


def test_a_message_has_its_pictures_with_it(desk: Desk) -> None:
    desk.do("send", "spring", "--yes")
    (message,) = _arrived(desk)
    picture = _picture(message)
    assert (picture.format, picture.size) == ("JPEG", (1072, 536))


def test_who_comes_later_gets_the_frozen_pictures(desk: Desk) -> None:
    desk.do("send", "spring", "--yes")
    desk.do("subscribers", "add", "bea@example.org")
    (desk.path / "issues" / "spring" / "town.webp").unlink()
    desk.file("issues/spring/issue.md", FRONT + TEXT.replace("![a town](town.webp)", "None."))
    desk.do("send", "spring", "--yes", "--as-frozen")
    first, second = map(_picture, _arrived(desk))
    assert first.tobytes() == second.tobytes()


def test_an_issue_may_say_otherwise(desk: Desk) -> None:
    desk.file("issues/spring/issue.md", FRONT.replace("Hello", "Hello\npictures: host") + TEXT)
    desk.do("send", "spring", "--yes")
    (message,) = _arrived(desk)
    assert message.get_content_type() == "multipart/alternative"
    body = message.get_body(("html",))
    assert body is not None
    assert "http://127.0.0.1:8000/media/" in str(body.get_content())


def test_a_test_and_a_build_have_them_too(desk: Desk) -> None:
    desk.do("test", "spring", "--to", "me@example.org")
    assert _picture(_arrived(desk)[0]).width == 1072
    desk.do("build", "spring", "--out", desk.path / "out")
    folder = desk.path / "out" / "spring" / "en"
    built = message_from_bytes((folder / "message.eml").read_bytes(), policy=policy.default)
    assert _picture(built).width == 1072
    facts = json.loads((folder / "build.json").read_text())
    assert (folder / "media" / facts["pictures"][0]["name"]).is_file()
    assert {"pillow", "resvg-py", "babel", "mjml-python"} <= set(facts["made_by"])


def test_another_way_is_another_build(desk: Desk) -> None:
    def digest() -> str:
        desk.do("build", "spring", "--out", desk.path / "out")
        path = desk.path / "out" / "spring" / "en" / "build.json"
        return str(json.loads(path.read_text())["digest"])

    embedded = digest()
    desk.file("newsletter.toml", "")
    assert digest() != embedded


def test_a_way_that_there_is_not(desk: Desk) -> None:
    desk.file("issues/spring/issue.md", FRONT.replace("Hello", "Hello\npictures: inline") + TEXT)
    ended = desk.run("build", "spring")
    assert ended.code == 2
    assert "issues/spring/issue.md:3: pictures must be host or embed, not 'inline'" in ended.err

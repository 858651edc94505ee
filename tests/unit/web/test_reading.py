import html as htmllib
import re

from newsletter_mail.web.reading import neutral_html
from newsletter_mail.words import Build, Hole, HoleContext
from tests.unit.web.world import PICTURE, small_build

WEB_URL = "https://news.example.org/i/summer"


def filled(build: Build) -> str:
    return neutral_html(build, web_url=WEB_URL, picture_url=lambda name: f"../media/{name}")


def test_merge_tags_have_their_default_or_nothing() -> None:
    assert "<p>Dear friend, of ; !</p>" in filled(small_build())


def test_links_of_one_person_lead_to_the_page_itself() -> None:
    hrefs = re.findall(r'href="([^"]*)"', filled(small_build()))
    assert hrefs == ["https://example.org/?q=", "", WEB_URL, WEB_URL, WEB_URL]


def test_pictures_are_where_they_were_put() -> None:
    assert f'src="../media/{PICTURE.name}"' in filled(small_build())


def test_a_default_is_escaped_and_a_bad_link_is_left_out() -> None:
    build = Build(
        slug="s",
        language="en",
        title="",
        subject=(),
        html=(
            Hole('subscriber.name | default("<script>")', HoleContext.HTML),
            Hole('subscriber.attributes.site | default("javascript:alert(1)")', HoleContext.URL),
        ),
        text=(),
        pictures=(),
        digest="",
    )
    assert filled(build) == htmllib.escape("<script>")

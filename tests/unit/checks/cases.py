"""Cases to check: a good one, and others that differ from it in one thing."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from PIL import Image

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.running import check_case
from newsletter_mail.checks.source import SourceText
from newsletter_mail.message.scope import Links
from newsletter_mail.settings import Settings
from newsletter_mail.words import Build, Hole, HoleContext, Picture, PictureRef

LINKS = Links(
    unsubscribe_url="https://news.test/u/TOKEN",
    preferences_url="https://news.test/p/TOKEN",
    web_url="https://news.test/i/spring",
)
UNSUBSCRIBE = Hole("unsubscribe_url", HoleContext.URL)
TODAY = date(2024, 5, 1)
HEADERS = (
    b"List-Unsubscribe: <https://news.test/u/TOKEN>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n"
)
FOOT = ('<p><a href="', UNSUBSCRIBE, '">Unsubscribe</a></p>')
WORDS = "Words that say what the pictures of this mail are about, and that is no small thing. "


def picture(width: int = 10, size: int = 0, name: str = "a.png") -> Picture:
    """A picture of a width, filled up to a size in bytes."""
    file = io.BytesIO()
    Image.new("1", (width, 2)).save(file, "PNG")
    content = file.getvalue()
    return Picture(name=name, media_type="image/png", content=content.ljust(size, b"\0"))


def make_case(
    body: str = "",
    *,
    html: str = "",
    head: str = "<title>Spring</title>",
    source: str | None = None,
    source_text: SourceText | None = None,
    subject: str = "News of spring",
    pictures: Sequence[Picture] = (),
    language: str = "en",
    direction: str = "ltr",
    title: str = "<h1>Spring</h1>",
    foot: Sequence[str | Hole] = FOOT,
    text: Sequence[str | Hole] = ("Spring ", Hole("unsubscribe_url", HoleContext.TEXT)),
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> Case:
    """A case with nothing wrong in it, but what is given."""
    shown = [
        part
        for one in pictures
        for part in ('<p><img alt="A river" src="', PictureRef(one.name), '"></p>')
    ]
    whole: list[str | Hole | PictureRef] = [
        f'<html lang="{language}" dir="{direction}"><head>{head}</head><body>',
        f'<div lang="{language}" dir="{direction}">{title}{body}',
        *shown,
        *foot,
        "</div></body></html>",
    ]
    build = Build(
        slug="spring",
        language=language,
        title="Spring",
        subject=(subject,),
        html=(html,) if html else tuple(whole),
        text=tuple(text),
        pictures=tuple(pictures),
        digest="d",
    )
    lines = (
        () if source is None else tuple(f"---\nsubject: s\npreheader: p\n---\n{source}".split("\n"))
    )
    given = {"web": {"base_url": "https://news.test"}, **(settings or {})}
    return Case(
        **{
            "build": build,
            "settings": Settings.model_validate(given),
            "source": source_text or SourceText("issues/spring/issue.md", lines),
            "links": LINKS,
            "picture_url": lambda name: f"https://news.test/media/{name}",
            "today": TODAY,
            "message": HEADERS,
            **more,
        }
    )


def rules_of(case: Case) -> set[str]:
    """The ids of the rules that find something."""
    return {finding.rule for finding in check_case(case)}

"""Small builds, senders and people; plain functions, so that hypothesis can call them too."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.message.identity import Identity
from newsletter_mail.message.scope import Links
from newsletter_mail.message.template import MessageTemplate
from newsletter_mail.words import (
    Build,
    Hole,
    HoleContext,
    Outgoing,
    Pattern,
    PictureRef,
    Recipient,
)

REF = "abcdefghijklmnopqrstuvwxyz"
DATE = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
LINKS = Links(
    unsubscribe_url="https://news.example.org/u/token",
    preferences_url="https://news.example.org/p/token",
    web_url="https://news.example.org/i/summer?a=1&b=2",
)
FIRST_NAME = 'subscriber.first_name | default("friend")'
HTML: Pattern = (
    "<!doctype html>\n<p>Dear ",
    Hole(FIRST_NAME, HoleContext.HTML),
    ",</p>\n<img src='",
    PictureRef("0123.png"),
    "'>\n.dot\nFrom here = there \n<a href='",
    Hole("unsubscribe_url", HoleContext.URL),
    "'>Abmelden – Désabonnement</a> <a href='https://example.org/?q=",
    Hole(FIRST_NAME, HoleContext.URL_PART),
    "'>x</a>" + "<b>lang</b>" * 40 + "\n",
)
TEXT: Pattern = (
    "Dear ",
    Hole(FIRST_NAME, HoleContext.TEXT),
    ",\n\n.dot\nFrom here\n",
    Hole("issue.title", HoleContext.TEXT),
    "\nLeave: ",
    Hole("unsubscribe_url", HoleContext.TEXT),
    "\nhttps://example.org/?q=",
    Hole(FIRST_NAME, HoleContext.TEXT_URL_PART),
    "\n",
)


def picture_url(name: str) -> str:
    return f"https://news.example.org/media/{name}"


def make_build(
    *,
    subject: Pattern = ("Summer updates",),
    html: Pattern = HTML,
    text: Pattern = TEXT,
    language: str = "en",
    slug: str = "2023-summer",
    digest: str = "ab" * 32,
) -> Build:
    return Build(
        slug=slug,
        language=language,
        title="Summer & Sun",
        subject=subject,
        html=html,
        text=text,
        pictures=(),
        digest=digest,
    )


def make_recipient(
    name: str = "", *, first_name: str = "", attributes: Mapping[str, object] | None = None
) -> Recipient:
    return Recipient(
        public_id="p1",
        email="anna@example.com",
        name=name,
        first_name=first_name,
        attributes=attributes or {},
    )


IDENTITY = Identity(
    from_name="Mayors Mechanism",
    from_address=parse_address("news@example.org"),
    reply_to=parse_address("office@example.org"),
    bounce_address=parse_address("bounces@mail.example.org"),
    list_slug="main",
    list_name="Mayors Mechanism newsletter",
    sender_id="example-org",
)
ANNA = parse_address("anna@example.com")


def make_template(
    build: Build | None = None, *, identity: Identity = IDENTITY, is_test: bool = False
) -> MessageTemplate:
    return MessageTemplate(
        build or make_build(), identity=identity, picture_url=picture_url, is_test=is_test
    )


def fill(
    template: MessageTemplate,
    recipient: Recipient | None = None,
    *,
    address: Address = ANNA,
    links: Links = LINKS,
    ref: str = REF,
) -> Outgoing:
    return template.fill(
        recipient or make_recipient(), address=address, links=links, ref=ref, date=DATE
    )


def message_bytes(outgoing: Outgoing) -> bytes:
    return b"".join(outgoing.content)


def with_links(**links: str) -> Links:
    return LINKS._replace(**links)


def header_fields(raw: bytes) -> list[tuple[str, str]]:
    """Names and unfolded values, read from the bytes by hand: no library decides what is meant."""
    head = raw.partition(b"\r\n\r\n")[0].decode()
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head)
    fields = []
    for line in unfolded.split("\r\n"):
        name, _, value = line.partition(": ")
        fields.append((name, value))
    return fields

"""Pictures inside a message: any mail program finds them, and the signature holds."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.errors import MessageError
from newsletter_mail.message.dkim import Signer
from newsletter_mail.words import Build, Outgoing, Picture, PictureRef
from tests.unit.message.conftest import (
    fill,
    make_build,
    make_recipient,
    make_template,
    message_bytes,
    picture_url,
)
from tests.unit.message.test_dkim import (
    HEADER_VALUES,
    each_signer,
    signed_template,
    verifies,
)
from tests.unit.message.test_template import assert_lines_are_legal

PICTURES = st.dictionaries(
    st.sampled_from(["0123.png", "abcd.jpg", "ffff.gif"]),
    st.one_of(st.binary(max_size=400), st.sampled_from([b"", b"." * 57, b"\r\n.\r\n" * 30])),
    min_size=1,
)


def embedding(pictures: dict[str, bytes]) -> Build:
    html = tuple(
        part for name in pictures for part in ('<img src="', PictureRef(name), '" alt="">\n')
    )
    types = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}
    return replace(
        make_build(html=html),
        embeds_pictures=True,
        pictures=tuple(
            Picture(name=name, media_type=types[name[-4:]], content=content)
            for name, content in pictures.items()
        ),
    )


def parsed(outgoing: Outgoing) -> EmailMessage:
    return message_from_bytes(message_bytes(outgoing), policy=policy.default)


@given(pictures=PICTURES)
def test_every_picture_is_found_where_the_html_looks_for_it(pictures: dict[str, bytes]) -> None:
    made = fill(make_template(embedding(pictures)), make_recipient("Anna"))
    raw = message_bytes(made)
    assert_lines_are_legal(raw)

    message = parsed(made)
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "multipart/alternative"
    assert all(part.defects == [] for part in message.walk())
    root, *rest = message.iter_parts()
    assert root.get_content_type() == "multipart/alternative"
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert [part.get_content_type() for part in root.iter_parts()] == ["text/plain", "text/html"]
    html = str(rich.get_content())
    assert "https://news.example.org/media/" not in html

    by_id = {str(part["Content-ID"]): part for part in rest}
    assert len(by_id) == len(rest) == len(pictures)
    for name, content in pictures.items():
        part = by_id[f"<{name}@example.org>"]
        assert f'src="cid:{name}@example.org"' in html
        assert part.get_content() == content
        assert part.get_content_maintype() == "image"
        assert part.get_content_disposition() == "inline"
        assert part.get_filename() == name


def test_a_picture_that_is_shown_twice_travels_once() -> None:
    build = embedding({"0123.png": b"x"})
    build = replace(build, html=build.html * 2)
    (_, *rest) = parsed(fill(make_template(build), make_recipient())).iter_parts()
    assert len(rest) == 1


def test_what_is_not_shown_does_not_travel() -> None:
    build = replace(embedding({"0123.png": b"x"}), html=("<p>No picture</p>",))
    assert list(parsed(fill(make_template(build), make_recipient())).iter_parts())[1:] == []


def test_a_picture_that_is_not_there_is_named() -> None:
    build = replace(embedding({"0123.png": b"x"}), pictures=())
    with pytest.raises(MessageError, match=r"the picture 0123\.png of 2023-summer is not there"):
        make_template(build)


def test_the_same_build_hosted_names_the_web() -> None:
    build = replace(embedding({"0123.png": b"x"}), embeds_pictures=False)
    message = parsed(fill(make_template(build), make_recipient()))
    assert message.get_content_type() == "multipart/alternative"
    rich = message.get_body(("html",))
    assert rich is not None
    assert picture_url("0123.png") in str(rich.get_content())


@each_signer
@given(pictures=PICTURES, first_name=HEADER_VALUES)
def test_the_signature_covers_the_pictures(
    signer: Signer, pictures: dict[str, bytes], first_name: str
) -> None:
    template = signed_template(signer, embedding(pictures))
    raw = message_bytes(fill(template, make_recipient(first_name=first_name)))

    assert verifies(raw)
    at = raw.rindex(b"filename=") + 10
    assert not verifies(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])

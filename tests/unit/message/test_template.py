import re
from dataclasses import FrozenInstanceError, replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, message_from_string, policy
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.errors import (
    HeaderInjection,
    InvalidAddress,
    MergeValueMissing,
    MessageError,
)
from newsletter_mail.message.identity import sender_id_for
from newsletter_mail.message.patterns import fill_pattern
from newsletter_mail.message.scope import merge_scope
from newsletter_mail.words import Hole, HoleContext, Pattern
from tests.unit.message.conftest import (
    ANNA,
    DATE,
    FIRST_NAME,
    IDENTITY,
    LINKS,
    REF,
    fill,
    header_fields,
    make_build,
    make_recipient,
    make_template,
    message_bytes,
    picture_url,
    with_links,
)

VALUES = st.text(
    st.one_of(st.sampled_from("= \t.\n<>&\"'{}%-é€😀"), st.characters(exclude_categories=["Cs"])),
    max_size=200,
)
HEADER_VALUES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=200
)
GREETING: Pattern = ("Hello ", Hole(FIRST_NAME, HoleContext.HEADER), "!")
TEMPLATE = make_template(make_build(subject=GREETING))
BUILD = make_build()
PLAIN = make_template(BUILD)


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def parts(message: EmailMessage) -> tuple[str, str]:
    """Text and HTML."""
    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert [message.defects, plain.defects, rich.defects] == [[], [], []]
    text, html = (str(part.get_content()).replace("\r\n", "\n") for part in (plain, rich))
    return text, html


def assert_lines_are_legal(raw: bytes) -> None:
    assert raw.endswith(b"\r\n")
    assert not set(raw.replace(b"\r\n", b"")) & set(b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))


def test_the_head_of_a_message() -> None:
    links = with_links(unsubscribe_mailto="mailto:leave@example.org")
    raw = message_bytes(fill(PLAIN, make_recipient("Anna Berg"), links=links))

    assert header_fields(raw)[:-1] == [
        ("From", "Mayors Mechanism <news@example.org>"),
        ("To", "Anna Berg <anna@example.com>"),
        ("Reply-To", "office@example.org"),
        ("Subject", "Summer updates"),
        ("Date", "Tue, 24 Nov 2026 09:30:00 +0000"),
        ("Message-ID", f"<{REF}@example.org>"),
        ("List-ID", "Mayors Mechanism newsletter <main.example.org>"),
        (
            "List-Unsubscribe",
            "<https://news.example.org/u/token>, <mailto:leave@example.org>",
        ),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("Feedback-ID", "2023-summer:main:newsletter:example-org"),
        ("Content-Language", "en"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("MIME-Version", "1.0"),
    ]
    name, value = header_fields(raw)[-1]
    assert name == "Content-Type"
    assert re.fullmatch(r'multipart/alternative; boundary="=_[0-9a-f]{24}"', value)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


def test_what_is_not_known_is_left_out() -> None:
    identity = replace(IDENTITY, reply_to=None, from_name="")
    raw = message_bytes(fill(make_template(make_build(language=""), identity=identity)))

    fields = dict(header_fields(raw))
    assert fields["From"] == "news@example.org"
    assert fields["To"] == "anna@example.com"
    assert fields["List-Unsubscribe"] == "<https://news.example.org/u/token>"
    assert not {"Reply-To", "Content-Language"} & set(fields)


@given(VALUES)
@example("{{ 7*7 }}")
@example("<script>alert(1)</script>")
@example(".")
@example("From here")
@example("x" * 200)
@example("a\r\n.\r\nBcc: x@x.org\r\n\r\n--=_")
def test_the_bodies_are_what_the_patterns_give(value: str) -> None:
    recipient = make_recipient(first_name=value)
    # A name of the person would stand in the header, which refuses what the body takes.
    recipient = replace(recipient, name="Anna")
    raw = message_bytes(fill(PLAIN, recipient))

    assert_lines_are_legal(raw)
    scope = merge_scope(BUILD, recipient, LINKS)
    assert parts(parse(raw)) == (
        fill_pattern(BUILD.text, scope, picture_url=picture_url),
        fill_pattern(BUILD.html, scope, picture_url=picture_url),
    )


@pytest.mark.parametrize("value", ["{{ 7*7 }}", "{% import os %}", "{{ unsubscribe_url }}"])
def test_a_value_is_never_read_as_a_merge_tag(value: str) -> None:
    text, html = parts(parse(message_bytes(fill(TEMPLATE, make_recipient(first_name=value)))))

    assert text.startswith(f"Dear {value},\n")
    assert f"<p>Dear {value},</p>" in html


@given(HEADER_VALUES)
@example("Ünïcödé" * 20)
@example("a" * 200)
def test_a_subject_is_what_its_pattern_gives(value: str) -> None:
    recipient = replace(make_recipient(first_name=value), name="Anna")
    raw = message_bytes(fill(TEMPLATE, recipient))

    assert_lines_are_legal(raw)
    scope = merge_scope(make_build(), recipient, LINKS)
    subject = parse(raw)["Subject"]
    assert str(subject) == fill_pattern(GREETING, scope, picture_url=picture_url)
    assert list(subject.defects) == []
    assert raw.partition(b"\r\n\r\n")[0].isascii()


@given(HEADER_VALUES)
def test_any_name_leaves_the_message_whole(name: str) -> None:
    raw = message_bytes(fill(PLAIN, make_recipient(name)))

    message = parse(raw)
    parts(message)
    assert [address.addr_spec for address in message["To"].addresses] == ["anna@example.com"]
    assert list(message["To"].defects) == []
    assert len(message.keys()) == 15


ADDRESSES = st.builds(
    "{}@{}".format,
    st.one_of(
        st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True),
        st.text("jörgдми用户", min_size=1, max_size=20),
    ),
    st.sampled_from(["example.org", "bücher.example", "例え.example", f"{'a' * 60}.example"]),
)


@given(ADDRESSES, HEADER_VALUES)
@example("jörg@bücher.example", "Jörg, der Große")
@example("j.o'r+g=x@bücher.example", "")
@example(f"{'ü' * 30}@{'a' * 60}.example", "é" * 100)
def test_any_address_comes_back_and_utf8_stands_only_where_it_is_needed(
    email: str, name: str
) -> None:
    address = parse_address(email)
    outgoing = fill(PLAIN, make_recipient(name), address=address)

    raw = message_bytes(outgoing)
    assert_lines_are_legal(raw)
    parsed = message_from_string(raw.decode(), policy=policy.SMTPUTF8)
    [found] = parsed["To"].addresses
    needs_smtputf8 = not email.partition("@")[0].isascii()
    assert found.addr_spec == (address.display if needs_smtputf8 else address.wire)
    # What RFC 6531 allows, the stdlib notes as a defect all the same.
    defects = [type(defect) for defect in parsed["To"].defects]
    assert defects == [NonASCIILocalPartDefect] * needs_smtputf8
    assert outgoing.envelope.needs_smtputf8 is needs_smtputf8
    assert outgoing.envelope.recipient.rpartition("@")[2].isascii()
    assert raw.isascii() is not needs_smtputf8
    assert outgoing.is_ascii is raw.isascii()


def test_a_test_says_so_in_the_subject() -> None:
    raw = message_bytes(fill(make_template(make_build(subject=GREETING), is_test=True)))
    assert dict(header_fields(raw))["Subject"] == "[Test] Hello friend!"


def test_the_envelope_names_the_delivery() -> None:
    outgoing = PLAIN.fill(
        make_recipient(),
        address=parse_address("anna@bücher.example"),
        links=LINKS,
        ref=REF,
        date=DATE,
        key=7,
    )

    assert (outgoing.key, outgoing.ref) == (7, REF)
    assert outgoing.envelope.sender == f"bounces+{REF}@mail.example.org"
    assert outgoing.envelope.recipient == "anna@xn--bcher-kva.example"
    assert not outgoing.envelope.needs_smtputf8
    assert dict(header_fields(message_bytes(outgoing)))["To"] == "anna@xn--bcher-kva.example"


def test_a_local_part_that_is_not_ascii_stands_in_the_header_as_utf8() -> None:
    outgoing = fill(PLAIN, make_recipient("Jörg"), address=parse_address("jörg@bücher.example"))

    assert outgoing.envelope.needs_smtputf8
    assert outgoing.envelope.recipient == "jörg@xn--bcher-kva.example"
    raw = message_bytes(outgoing)
    assert "To: =?utf-8?b?SsO2cmc=?= <jörg@bücher.example>\r\n".encode() in raw
    parts(parse(raw))


def test_the_same_delivery_gives_the_same_bytes() -> None:
    first = message_bytes(fill(make_template(make_build(subject=GREETING)), make_recipient("A")))
    again = message_bytes(fill(make_template(make_build(subject=GREETING)), make_recipient("A")))

    assert first == again


def test_the_message_id_is_the_same_at_every_fill() -> None:
    later = PLAIN.fill(
        make_recipient("Other"),
        address=ANNA,
        links=with_links(unsubscribe_url="https://x.org/u/2"),
        ref=REF,
        date=DATE + timedelta(days=1),
    )
    for outgoing in (fill(PLAIN), later):
        assert dict(header_fields(message_bytes(outgoing)))["Message-ID"] == f"<{REF}@example.org>"


def test_everybody_gets_their_own_values_however_many_they_are() -> None:
    template = make_template(BUILD)
    names = [f"Anna {number}" for number in range(1200)] + ["<&>", "x" * 400, "é" * 400]
    for name in names:
        fill(template, make_recipient(first_name=name))
    for name in [*names[-3:], *names[::-100], *names[::100]]:
        person = make_recipient(first_name=name)
        expected = fill_pattern(
            BUILD.text, merge_scope(BUILD, person, LINKS), picture_url=picture_url
        )
        assert parts(parse(message_bytes(fill(template, person))))[0] == expected


def test_what_all_have_in_common_is_kept_once() -> None:
    one, two = fill(PLAIN, make_recipient("A")), fill(PLAIN, make_recipient("B"))

    shared = {id(piece) for piece in one.content} & {id(piece) for piece in two.content}
    assert len(shared) >= len(one.content) // 2
    assert one.size == len(message_bytes(one))


def test_the_date_is_given_in_utc() -> None:
    cest = timezone(timedelta(hours=2))
    outgoing = PLAIN.fill(
        make_recipient(),
        address=ANNA,
        links=LINKS,
        ref=REF,
        date=datetime(2026, 7, 1, 0, 30, 5, 999, tzinfo=cest),
    )
    assert b"\r\nDate: Tue, 30 Jun 2026 22:30:05 +0000\r\n" in message_bytes(outgoing)

    with pytest.raises(ValueError, match="time zone"):
        PLAIN.fill(
            make_recipient(), address=ANNA, links=LINKS, ref=REF, date=DATE.replace(tzinfo=None)
        )


def boundary_of(raw: bytes) -> bytes:
    found = re.search(rb'boundary="([^"]+)"', raw)
    assert found
    return found[1]


def test_the_boundary_is_the_builds_own_and_nowhere_in_it() -> None:
    boundary = boundary_of(message_bytes(fill(PLAIN)))
    assert boundary == boundary_of(message_bytes(fill(make_template())))
    assert boundary != boundary_of(message_bytes(fill(make_template(make_build(digest="cd")))))

    # Somebody who knows it writes it into the issue and into a name.
    delimiter = f"\n--{boundary.decode()}--\n"
    text: Pattern = (delimiter, Hole(FIRST_NAME, HoleContext.TEXT), delimiter)
    template = make_template(make_build(text=text, html=("<p>html</p>",)))
    recipient = replace(make_recipient(first_name=delimiter), name="Anna")
    raw = message_bytes(fill(template, recipient))

    assert raw.count(b"--" + boundary) == 3
    name = delimiter.replace("\n", " ")
    assert parts(parse(raw)) == (f"{delimiter}{name}{delimiter}", "<p>html</p>")


@pytest.mark.parametrize(
    "text",
    [
        (),
        ("",),
        ("no line end",),
        ("space at the end ",),
        (Hole(FIRST_NAME, HoleContext.TEXT),),
        (Hole(FIRST_NAME, HoleContext.TEXT), Hole("web_url", HoleContext.TEXT)),
        ("a\n\n\n",),
    ],
)
def test_a_body_may_start_and_end_anywhere(text: Pattern) -> None:
    build = make_build(text=text, html=text)
    raw = message_bytes(fill(make_template(build)))

    assert_lines_are_legal(raw)
    expected = fill_pattern(
        text, merge_scope(build, make_recipient(), LINKS), picture_url=picture_url
    )
    assert parts(parse(raw)) == (expected, expected)


def test_a_tag_about_the_issue_is_filled_once_for_all() -> None:
    constant: Pattern = ("<p>", Hole("issue.title | upper", HoleContext.HTML), "</p>")
    outgoing = fill(make_template(make_build(html=constant, text=("x",))))

    # The head, and one piece for everything else.
    assert len(outgoing.content) == 2
    assert parts(parse(message_bytes(outgoing)))[1] == "<p>SUMMER &amp; SUN</p>"


def test_a_missing_value_names_its_tag() -> None:
    template = make_template(make_build(text=(Hole("subscriber.last_name", HoleContext.TEXT),)))
    with pytest.raises(MergeValueMissing, match=r"subscriber\.last_name"):
        fill(template)


@pytest.mark.parametrize("broken", ["\r\nBcc: x@x.org\r\n", "\n", "\r", "\0"])
def test_no_field_lets_a_header_in(broken: str) -> None:
    value = f"a{broken}b"
    bad = Address(f"{value}@x.org", f"{value}@x.org", "a@x.org", needs_smtputf8=False)

    with pytest.raises(HeaderInjection):
        fill(PLAIN, make_recipient(value))
    with pytest.raises(HeaderInjection):
        fill(TEMPLATE, replace(make_recipient(first_name=value), name="Anna"))
    with pytest.raises(HeaderInjection):
        fill(PLAIN, address=bad)
    with pytest.raises(HeaderInjection):
        fill(PLAIN, links=with_links(unsubscribe_url=f"https://x.org/{value}"))
    with pytest.raises(HeaderInjection):
        fill(PLAIN, links=with_links(unsubscribe_mailto=f"mailto:{value}"))
    with pytest.raises(MessageError):
        fill(PLAIN, ref=value)
    with pytest.raises(HeaderInjection):
        fill(make_template(make_build(subject=(value,))))
    with pytest.raises(HeaderInjection):
        make_template(make_build(language=value))
    with pytest.raises(HeaderInjection):
        make_template(identity=replace(IDENTITY, from_name=value))
    with pytest.raises(HeaderInjection):
        make_template(identity=replace(IDENTITY, list_name=value))
    for identity in (
        replace(IDENTITY, from_address=bad),
        replace(IDENTITY, reply_to=bad),
        replace(IDENTITY, bounce_address=bad),
    ):
        with pytest.raises(HeaderInjection):
            make_template(identity=identity)
    with pytest.raises(MessageError):
        replace(IDENTITY, sender_id=value)
    slugs = make_template(make_build(slug=value), identity=replace(IDENTITY, list_slug=value))
    assert len(header_fields(message_bytes(fill(slugs)))) == 15


@pytest.mark.parametrize("subject", [(), ("",), (" ",)])
def test_a_message_has_a_subject(subject: Pattern) -> None:
    with pytest.raises(MessageError, match="subject is empty"):
        fill(make_template(make_build(subject=subject)))


def test_a_sender_is_reachable_without_smtputf8() -> None:
    address = parse_address("jörg@example.org")
    with pytest.raises(InvalidAddress, match="must be ASCII"):
        replace(IDENTITY, from_address=address)
    with pytest.raises(InvalidAddress, match="must be ASCII"):
        replace(IDENTITY, reply_to=address)
    with pytest.raises(InvalidAddress, match="must be ASCII"):
        replace(IDENTITY, bounce_address=address)


def test_a_bounce_address_leaves_room_for_the_ref() -> None:
    identity = replace(IDENTITY, bounce_address=parse_address("b" * 40 + "@example.org"))
    with pytest.raises(InvalidAddress, match="characters at most"):
        fill(make_template(identity=identity))


@pytest.mark.parametrize("sender_id", ["", "abcd", "a" * 16, "with:colon", "münchen"])
def test_a_sender_id_has_the_form_that_feedback_loops_take(sender_id: str) -> None:
    with pytest.raises(MessageError, match="sender id"):
        replace(IDENTITY, sender_id=sender_id)


@given(st.from_regex(r"[a-z0-9.-]{1,60}", fullmatch=True))
@example("example.org")
@example("a-very-long-domain-of-a-city.example.org")
@example("t.co")
def test_a_sender_id_can_be_made_from_any_domain(domain: str) -> None:
    sender_id = sender_id_for(domain)

    assert replace(IDENTITY, sender_id=sender_id).sender_id == sender_id
    assert sender_id_for(domain) == sender_id


def test_an_identity_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        IDENTITY.list_slug = "other"  # type: ignore[misc]  # that it cannot is what is tested

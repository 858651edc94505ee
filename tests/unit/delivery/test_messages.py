from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.delivery.links import LinkMaker
from newsletter_mail.delivery.messages import ListName, MessageMaker
from newsletter_mail.errors import MessageError
from newsletter_mail.message.headers import MAX_URI
from newsletter_mail.settings import SenderSection
from newsletter_mail.tokens import REF_LENGTH, Grant, Purpose, Tokens
from newsletter_mail.words import Build, Hole, HoleContext, Pattern, Recipient

TOKENS = Tokens(["the key of these tests"])
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
BASE_URL = "https://news.example.org"

HOLES = [
    Hole('subscriber.first_name | default("friend")', HoleContext.HTML),
    Hole("subscriber.last_name", HoleContext.TEXT),
    Hole("subscriber.attributes.site", HoleContext.URL),
    Hole('subscriber.attributes.site | default("https://example.org")', HoleContext.URL),
    Hole("subscriber.attributes.site or subscriber.email", HoleContext.URL_PART),
    Hole("unsubscribe_url", HoleContext.URL),
    Hole("preferences_url | upper", HoleContext.TEXT),
    Hole("web_url if subscriber.attributes.site else unsubscribe_url", HoleContext.TEXT_URL_PART),
]
HEADER_HOLES = [
    Hole('subscriber.first_name | default("friend")', HoleContext.HEADER),
    Hole("subscriber.attributes.site", HoleContext.HEADER),
    Hole("subscriber.name | default(' ')", HoleContext.HEADER),
]
PIECES = st.text(st.sampled_from("a=.é \n"), max_size=4)
BODIES = st.lists(st.one_of(PIECES, st.sampled_from(HOLES)), max_size=5).map(tuple)
SUBJECTS = st.lists(st.one_of(st.just("News"), st.sampled_from(HEADER_HOLES)), max_size=3)
#: What somebody could have imported, and what only a broken database holds.
WORDS = st.one_of(
    st.sampled_from(
        ["", " ", "Anna", "Jörg", "a\r\nBcc: x@x.org", "\0", "\u202e", "\ud83d", "From ", "." * 90]
    ),
    st.text(max_size=8),
)
EMAILS = st.one_of(
    st.sampled_from(
        [
            "anna@example.org",
            "jörg@bücher.example",
            "anna@bücher.example",
            "a@b",
            "a b@example.org",
            "anna@example.org\r\nRCPT TO:<x@x.org>",
            '"a b"@example.org',
            f"{'a' * 64}@example.org",
            f"{'a' * 65}@example.org",
            "",
        ]
    ),
    WORDS,
)
VALUES = st.one_of(
    WORDS,
    st.sampled_from(["https://example.org/a b", "javascript:alert(1)", "mailto:a@x.org"]),
    st.none(),
    st.booleans(),
    st.floats(),
    st.lists(st.text(max_size=3), max_size=2),
)
PEOPLE = st.builds(
    Recipient,
    public_id=st.sampled_from(["a" * 22, "b" * 22, "test", "", "é"]),
    email=EMAILS,
    name=WORDS,
    first_name=WORDS,
    last_name=WORDS,
    language=st.just("en"),
    attributes=st.dictionaries(st.just("site"), VALUES),
)


def maker_of(
    *,
    subject: Pattern = ("News",),
    html: Pattern = ("<p>Hi</p>",),
    slug: str = "summer",
    bounces: str = "bounces@example.org",
    base_url: str = BASE_URL,
) -> MessageMaker:
    build = Build(
        slug=slug,
        language="en",
        title="Summer",
        subject=subject,
        html=html,
        text=html,
        pictures=(),
        digest="ab" * 32,
    )
    sender = SenderSection.model_validate({"from": "News <news@example.org>", "bounces": bounces})
    return MessageMaker(
        slug=slug,
        builds={"en": build},
        default_language="en",
        sender=sender,
        newsletter_name="News",
        links=LinkMaker(base_url, TOKENS),
        lists={1: ListName("main", "main")},
    )


def refusal_of_make(maker: MessageMaker, person: Recipient) -> type[MessageError] | None:
    build = maker.builds["en"]
    ref = TOKENS.message_ref(build.digest, person.public_id)
    try:
        maker.make(person, build, 1, ref=ref, date=NOW)
    except MessageError as error:
        return type(error)
    return None


def refusal_of_check(maker: MessageMaker, person: Recipient) -> type[MessageError] | None:
    try:
        maker.check(person, maker.builds["en"], 1)
    except MessageError as error:
        return type(error)
    return None


def person_of(
    *,
    public_id: str = "a" * 22,
    email: str = "anna@example.org",
    name: str = "",
    attributes: Mapping[str, object] | None = None,
) -> Recipient:
    return Recipient(
        public_id=public_id, email=email, name=name, language="en", attributes=attributes or {}
    )


@given(SUBJECTS.map(tuple), BODIES, st.lists(PEOPLE, min_size=1, max_size=4))
@example(("News",), (HOLES[2],), [person_of(attributes={"site": "example.org"})])
@example(("News",), (HOLES[0],), [person_of(name="a\r\nb"), person_of()])
@example((HEADER_HOLES[2],), (), [person_of()])
def test_a_check_refuses_whom_the_message_cannot_be_made_for(
    subject: Pattern, html: Pattern, people: list[Recipient]
) -> None:
    maker = maker_of(subject=subject, html=html)
    for person in people:
        assert refusal_of_check(maker, person) is refusal_of_make(maker, person)
    for person in reversed(people):
        assert refusal_of_make(maker, person) is refusal_of_check(maker, person)


@pytest.mark.parametrize("room", [-1, 0, 1])
@pytest.mark.parametrize("public_id", ["", "a", "ab", "abc", "a" * 22, "é"])
def test_a_check_knows_the_length_of_each_link(public_id: str, room: int) -> None:
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, Grant(public_id, "summer"))
    base_url = "https://example.org/".ljust(MAX_URI - len(f"/u/{token}") - room, "x")
    maker, person = maker_of(base_url=base_url), person_of(public_id=public_id)
    expected = MessageError if room < 0 else None
    # Whoever was looked at before may have another length.
    refusal_of_check(maker, person_of(public_id="a" * 9))
    assert refusal_of_make(maker, person) is expected
    assert refusal_of_check(maker, person) is expected


@pytest.mark.parametrize("room", [-1, 0, 1])
def test_a_check_knows_the_length_of_the_envelope_sender(room: int) -> None:
    local = "b" * (64 - len("+") - REF_LENGTH - room)
    maker, person = maker_of(bounces=f"{local}@example.org"), person_of()
    assert refusal_of_check(maker, person) is refusal_of_make(maker, person)
    assert (refusal_of_check(maker, person) is None) is (room >= 0)


def test_a_check_leaves_no_trace_in_a_message() -> None:
    html: Pattern = tuple(HOLES[5:])
    checked, fresh = maker_of(html=html), maker_of(html=html)
    person, build = person_of(attributes={"site": "x"}), checked.builds["en"]
    checked.check(person, build, 1)
    ref = TOKENS.message_ref(build.digest, person.public_id)
    assert checked.make(person, build, 1, ref=ref, date=NOW) == fresh.make(
        person, build, 1, ref=ref, date=NOW
    )

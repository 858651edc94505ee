import html
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.errors import HeaderInjection, MergeValueMissing, MessageError
from newsletter_mail.message.patterns import escape, fill_pattern
from newsletter_mail.message.scope import merge_scope
from newsletter_mail.words import Hole, HoleContext, PictureRef
from tests.unit.message.conftest import LINKS, make_build, make_recipient, picture_url

BODY_CONTEXTS = [context for context in HoleContext if context is not HoleContext.HEADER]
LINE_BREAKS_AND_CONTROLS = ["\r\n", "\n", "\r", "\0", "\t", "\x1b", "\x7f", "\x85", "\u2028"]


@pytest.mark.parametrize(
    ("context", "value", "escaped"),
    [
        (HoleContext.HTML, "<script>'\"&", "&lt;script&gt;&#x27;&quot;&amp;"),
        (HoleContext.HTML, "{{ 7*7 }}", "{{ 7*7 }}"),
        (HoleContext.HTML, "{% import os %}", "{% import os %}"),
        (HoleContext.TEXT, "<b> & {{ 7*7 }}", "<b> & {{ 7*7 }}"),
        (HoleContext.URL_PART, "a/b c&d=é'", "a%2Fb%20c%26d%3D%C3%A9%27"),
        (HoleContext.TEXT_URL_PART, "a/b?#", "a%2Fb%3F%23"),
        (HoleContext.URL_PART, "x\r\nBcc: y", "x%20Bcc%3A%20y"),
        (HoleContext.URL, "https://x.org/?a=1&b='\"", "https://x.org/?a=1&amp;b=&#x27;&quot;"),
        (HoleContext.URL, " HTTP://x.org/a b ", "HTTP://x.org/a%20b"),
        (HoleContext.URL, "mailto:a@x.org", "mailto:a@x.org"),
        (HoleContext.HEADER, "Anna\u202e & \u2066<Bo>", "Anna & <Bo>"),
        (HoleContext.HEADER, "a\tb\x1bc\x85d", "a b c d"),
    ],
)
def test_a_value_is_escaped_for_where_it_lands(
    context: HoleContext, value: str, escaped: str
) -> None:
    assert escape(value, context) == escaped


@pytest.mark.parametrize("context", [HoleContext.HTML, HoleContext.TEXT])
@pytest.mark.parametrize("broken", LINE_BREAKS_AND_CONTROLS)
def test_a_line_break_in_a_value_becomes_one_space(context: HoleContext, broken: str) -> None:
    assert escape(f"a{broken}b", context) == "a b"


@pytest.mark.parametrize("broken", ["\r\n", "\n", "\r", "\0"])
def test_a_line_break_is_refused_in_a_header(broken: str) -> None:
    with pytest.raises(HeaderInjection, match="line break"):
        escape(f"a{broken}b", HoleContext.HEADER)


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "//example.org",
        "/path",
        "example.org",
        "https://",
        "https:///path",
        "mailto:",
        "x https://example.org",
        "vbscript:https://example.org",
    ],
)
def test_a_whole_link_must_be_one(value: str) -> None:
    with pytest.raises(MessageError, match="is not a link"):
        escape(value, HoleContext.URL)


@given(st.text(), st.sampled_from(BODY_CONTEXTS))
def test_nothing_gets_out_of_its_context(value: str, context: HoleContext) -> None:
    if context is HoleContext.URL:
        value = f"https://example.org/{value}"
    escaped = escape(value, context)

    escaped.encode()
    assert all(line_break not in escaped for line_break in LINE_BREAKS_AND_CONTROLS)
    if context in (HoleContext.HTML, HoleContext.URL):
        assert not set(escaped) & set("<>\"'")
    if context in (HoleContext.URL_PART, HoleContext.TEXT_URL_PART):
        assert not set(escaped) & set("<>\"'&/?#=: ")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_a_reader_gets_the_value_back(value: str) -> None:
    assert html.unescape(escape(value, HoleContext.HTML)) == value
    assert unquote(escape(value, HoleContext.URL_PART)) == value
    assert escape(value, HoleContext.TEXT) == value


def test_half_a_surrogate_pair_can_still_be_encoded() -> None:
    for context in BODY_CONTEXTS:
        escape("https://x.org/\ud800", context).encode()
    assert escape("a\ud800", HoleContext.HEADER) == "a\ufffd"


def test_a_pattern_is_filled_in_order() -> None:
    scope = merge_scope(make_build(), make_recipient(first_name="<Anna>"), LINKS)
    pattern = (
        "Dear ",
        Hole("subscriber.first_name", HoleContext.HTML),
        '<img src="',
        PictureRef("a&b.png"),
        '">{{ untouched }}',
        Hole('subscriber.attributes.city | default("here")', HoleContext.HTML),
    )

    assert fill_pattern(pattern, scope, picture_url=picture_url) == (
        'Dear &lt;Anna&gt;<img src="https://news.example.org/media/a&amp;b.png">{{ untouched }}here'
    )


def test_a_value_that_is_not_there_stops_the_message() -> None:
    scope = merge_scope(make_build(), make_recipient(), LINKS)
    with pytest.raises(MergeValueMissing, match="no value and no default"):
        fill_pattern(
            (Hole("subscriber.first_name", HoleContext.TEXT),), scope, picture_url=picture_url
        )

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.web.preview.choices import Choice, Show
from newsletter_mail.web.preview.frames import Scheme

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(str.strip)


@given(
    st.builds(
        Choice,
        language=WORDS,
        reader=WORDS,
        show=st.sampled_from(Show),
        scheme=st.sampled_from(Scheme),
        pictures=st.sampled_from(["on", "off"]),
        file=WORDS,
        line=st.integers(0, 9_999_999),
    )
)
def test_an_address_says_the_whole_choice(choice: Choice) -> None:
    link = urlsplit(choice.link("summer", file=choice.file, line=choice.line))
    assert link.path == "/issue/summer"
    assert link.fragment == (f"L{choice.line}" if choice.line else "")
    assert Choice.of(dict(parse_qsl(link.query, keep_blank_values=True))) == choice


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"show": "hologram", "scheme": "x", "pictures": "x", "line": "-1"},
        {"line": "²"},
        {"line": "9" * 5000},
        {"line": "x", "reader": "  "},
    ],
)
def test_what_an_address_cannot_mean_counts_as_not_said(query: dict[str, str]) -> None:
    assert Choice.of(query) == Choice()


def test_another_view_forgets_the_line() -> None:
    choice = Choice(show=Show.SOURCE, file="a.md", line=4, language="fr")
    assert choice.link("a b", show=Show.PHONE) == "/issue/a%20b?language=fr&show=phone"


def test_frames() -> None:
    assert Choice(show=Show.BOTH).frames == (Show.DESKTOP, Show.PHONE)
    assert Choice(show=Show.SMALL).frames == (Show.SMALL,)
    assert Choice(show=Show.TEXT).frames == ()

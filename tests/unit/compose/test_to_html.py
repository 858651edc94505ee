"""The adapters of mjml-python and premailer, given what they cannot digest."""

import pytest

from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.to_html import make_html
from newsletter_mail.errors import MjmlError

_MARKS = Marks("")


def _make(inside: str, css: str = "") -> str:
    mjml = (
        '<mjml lang="en" dir="ltr"><mj-body><mj-section><mj-column>'
        f"{inside}</mj-column></mj-section></mj-body></mjml>"
    )
    return make_html(mjml, css, _MARKS)


@pytest.mark.parametrize(
    "inside",
    [
        "<mj-text>",
        "<mj-text><p>x</mj-text>",
        # These make mrml panic, which is no Exception in Python.
        "<mj-raw><![endif]</mj-raw>",
        "<mj-raw><!--[if</mj-raw>",
    ],
)
def test_what_mjml_python_refuses_is_an_error_of_ours(inside: str) -> None:
    with pytest.raises(MjmlError):
        _make(inside)


def test_a_mark_that_gets_lost_stops_the_build() -> None:
    mark = _MARKS.merge("subscriber.name")

    with pytest.raises(MjmlError, match="got lost"):
        _make(f'<mj-text colr="{mark}">x</mj-text>')


def test_white_space_between_words_stays() -> None:
    assert "<b>one</b> \n<i>two</i>" in _make("<mj-text><b>one</b>\n<i>two</i></mj-text>")


def test_letters_in_attributes_are_written_as_letters() -> None:
    html = _make('<mj-image src="x" alt="a\u00a0b\u200bé\u0301 ❤️" />')

    assert 'alt="a&nbsp;b\u200bé\u0301 ❤️"' in html or 'alt="a\u00a0b\u200bé\u0301 ❤️"' in html


def test_content_inside_content_is_put_in() -> None:
    inner = _MARKS.content("<em>inner</em>")
    outer = _MARKS.content(f"<p>{inner}</p>")

    html = _make(f'<mj-text css-class="t">{outer}</mj-text>', ".t em { color: #123456 }")

    assert '<p><em style="color:#123456">inner</em></p>' in html


def test_styles_of_the_theme_do_not_replace_those_of_mjml() -> None:
    html = _make('<mj-text css-class="t" color="#111111">x</mj-text>', ".t div { color: #222222 }")

    assert "color:#111" in html
    assert "color:#222" not in html


def test_marks_do_not_occur_in_what_the_author_wrote() -> None:
    first = Marks("some text")
    second = Marks(f"some text {first.merge('subscriber.name')}")

    assert first.merge("subscriber.name") == first.merge("subscriber.name")
    assert not second.pattern.search(first.merge("subscriber.name"))
    assert Marks("some text").merge("web_url") == first.merge("web_url").replace("0001", "0000")

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.web.preview.frames import Scheme, framed_copy, guessed_height

DARK = "@media (prefers-color-scheme: dark) {p{color:#fff}}"
LIGHT = "@media screen and ( Prefers-Color-Scheme:LIGHT ) {p{color:#000}}"


def page(style: str = "", body: str = "<p>text</p>", head: str = "") -> str:
    return f"<html><head>{head}<style>{style}</style></head><body>{body}</body></html>"


def copied(html: str, scheme: Scheme = Scheme.LIGHT, *, has_pictures: bool = True) -> str:
    return framed_copy(html, scheme=scheme, has_pictures=has_pictures)


@pytest.mark.parametrize(
    ("scheme", "dark", "light"),
    [
        (Scheme.DARK, "(min-width:0)", "(max-width:0)"),
        (Scheme.LIGHT, "(max-width:0)", "(min-width:0)"),
        (Scheme.INVERTED, "(max-width:0)", "(min-width:0)"),
    ],
)
def test_the_rules_of_one_scheme_hold_and_those_of_the_other_do_not(
    scheme: Scheme, dark: str, light: str
) -> None:
    copy = copied(page(DARK + LIGHT), scheme)
    assert f"@media {dark} {{p{{color:#fff}}}}" in copy
    assert f"@media screen and {light} {{p{{color:#000}}}}" in copy


def test_media_of_elements_are_decided_too() -> None:
    source = '<source srcset="d.png" media="(prefers-color-scheme: dark)">'
    assert 'media="(min-width:0)"' in copied(page(body=source), Scheme.DARK)
    assert 'media="(max-width:0)"' in copied(page(body=source))


def test_what_the_browser_paints_by_itself_follows() -> None:
    meta = (
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
    )
    style = ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    copy = copied(page(style, head=meta), Scheme.DARK)
    assert copy.count('content="dark"') == 2
    assert ":root{color-scheme:dark;supported-color-schemes:light dark}" in copy


def test_words_about_colours_are_words() -> None:
    body = "<p>(prefers-color-scheme: dark) and color-scheme: light dark</p>"
    assert body in copied(page(body=body), Scheme.DARK)


def test_links_lead_nowhere_and_the_mail_is_the_same_else() -> None:
    html = page(body='<a href="https://example.org/">x</a>')
    assert copied(html) == html.replace("</head>", '<base target="_blank"></head>')
    assert copied("<p>no head</p>") == '<base target="_blank"><p>no head</p>'


def test_pictures_are_taken_away_and_their_words_stay() -> None:
    body = '<img width="4" alt="a > b src=x" src="/media/a.png" srcset="b.png 2x"/><img src="c">'
    copy = copied(page(body=body), has_pictures=False)
    assert '<img width="4" alt="a > b src=x"/><img>' in copy


@given(st.text(st.characters(exclude_characters='<>&"', exclude_categories=["Cs"])))
def test_no_text_is_changed(text: str) -> None:
    html = page(body=f'<p title="{text}">{text}</p>')
    for scheme in Scheme:
        copy = copied(html, scheme, has_pictures=False)
        assert f'<p title="{text}">{text}</p>' in copy


def test_a_narrow_frame_is_higher() -> None:
    html = page(body="<p>" + "word " * 400)
    heights = [guessed_height(html, width) for width in (860, 640, 375, 320)]
    assert heights == sorted(heights)
    assert heights[-1] > 2 * heights[0]


@pytest.mark.parametrize("html", ["", " ", "<p>", "<!-- -->", "<html></html>", "<img width=x>"])
def test_every_mail_has_some_height(html: str) -> None:
    assert guessed_height(html, 320) > 0


def test_hidden_text_has_no_height() -> None:
    shown = page(body="<p>a</p>")
    hidden = page(body=f'<div style="display: none">{"x " * 900}</div><p>a</p>')
    assert guessed_height(hidden, 640) == guessed_height(shown, 640)


def test_the_sum_of_a_page_of_pictures() -> None:
    one = '<img width="600" height="300">'
    rows = [guessed_height(page(body=one * number), 640) for number in (1, 11)]
    assert 2500 < rows[1] - rows[0] < 3500

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.web.access_log import shown_path

TOKEN = "WyJhYmMiLCJzdW1tZXIiXQ.c2lnbmF0dXJlLWluLXNlY3JldA"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/u/" + TOKEN, "/u/WyJhYm…"),
        ("/p/" + TOKEN, "/p/WyJhYm…"),
        ("/u/" + TOKEN + "/", "/u/WyJhYm…/"),
        ("/U/" + TOKEN, "/U/WyJhYm…"),
        ("/news/u/" + TOKEN, "/news/u/WyJhYm…"),
        ("/elsewhere/" + TOKEN, "/elsewhere/WyJhYm…"),
        ("/u/abc", "/u/abc"),
        ("/i/2023-summer-updates/fr", "/i/2023-summer-updates/fr"),
        (f"/media/{'0123456789abcdef' * 2}.png", f"/media/{'0123456789abcdef' * 2}.png"),
        ("/healthz", "/healthz"),
        ("/a\r\nGET /forged 200", "/a%0D%0AGET%20/forged%20200"),
        ("/ü\x1b[31m", "/%C3%BC%1B%5B31m"),
    ],
)
def test_the_log_shows_no_token(path: str, shown: str) -> None:
    assert shown_path(path) == shown


@given(st.text())
def test_a_path_is_one_printable_line(path: str) -> None:
    assert shown_path(path.encode("utf-8", "replace").decode()).replace("…", "").isprintable()

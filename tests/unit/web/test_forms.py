import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.web.forms import parse_multipart, parse_urlencoded

# As Yahoo and Apple write it, with a preamble of nothing and with fields around it.
PART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"List-Unsubscribe=One-Click", {"List-Unsubscribe": "One-Click"}, id="pair"),
        pytest.param(
            b"a=1&List-Unsubscribe=One-Click&b=",
            {"a": "1", "List-Unsubscribe": "One-Click", "b": ""},
        ),
        pytest.param(b"a=1&a=2", {"a": "1"}, id="the first counts"),
        pytest.param(b"List%2DUnsubscribe=One%2DClick", {"List-Unsubscribe": "One-Click"}),
        pytest.param(b"", {}),
        pytest.param(b"\xff\x00&&&===", {"ÿ\x00": "", "": "=="}),
    ],
)
def test_urlencoded(body: bytes, expected: dict[str, str]) -> None:
    assert parse_urlencoded(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(PART, id="plain"),
        pytest.param(PART.removesuffix(b"\r\n"), id="no line end after the last boundary"),
        pytest.param(b"\r\n" + PART, id="an empty line first"),
        pytest.param(
            PART.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", 1),
            id="a type",
        ),
        pytest.param(PART.replace(b"Content-Disposition", b"content-disposition"), id="lower case"),
        pytest.param(PART.replace(b'"List-Unsubscribe"', b"List-Unsubscribe"), id="unquoted"),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n' + PART,
            id="after another",
        ),
        pytest.param(PART[:-4] + b"\r\nX-Half: a part that was cut", id="cut in the next part"),
    ],
)
def test_multipart(body: bytes) -> None:
    assert parse_multipart(body, b"b")["List-Unsubscribe"] == "One-Click"


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (PART, b""),
        (PART, b"another"),
        (PART, b"x" * 4000),
        (PART[:70], b"b"),
        (b"List-Unsubscribe=One-Click", b"b"),
        (b"", b"b"),
    ],
)
def test_multipart_that_holds_no_whole_field(body: bytes, boundary: bytes) -> None:
    assert parse_multipart(body, boundary) == {}


@given(st.binary(max_size=300), st.binary(max_size=10))
def test_no_body_is_an_error(body: bytes, boundary: bytes) -> None:
    parse_urlencoded(body)
    parse_multipart(body, boundary)


@given(st.data())
def test_a_damaged_form_is_no_error(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(PART)))
    parse_multipart(PART[:position] + data.draw(st.binary(max_size=5)) + PART[position:], b"b")

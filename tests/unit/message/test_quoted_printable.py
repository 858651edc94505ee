import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.message.quoted_printable import encode_text

#: Heavy on what the encoding has rules about.
TEXTS = st.text(
    st.one_of(st.sampled_from("= \t.\nF-é€😀"), st.characters(exclude_categories=["Cs"])),
    max_size=400,
) | st.sampled_from(["From ", "." * 200, "=" * 100, " " * 90, "a" * 75, "a" * 76, "a" * 77])


def encode_all(pieces: list[str]) -> bytes:
    return b"".join(
        encode_text(piece, is_last=position == len(pieces))
        for position, piece in enumerate(pieces, start=1)
    )


@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["a" * 75, "", "b"])
@example(["a" * 76, "."])
@example(["line ", "\n"])
@example(["a" * 73 + "é" + "b"])
@example(["a" * 65 + "😀" + "b"])
@example(["é" * 40, "😀" * 40, "€" * 40])
@example(["x\n", "From here", " \n"])
@example(["." + "=" * 60, "F"])
def test_pieces_decode_to_their_texts_and_keep_every_line_legal(pieces: list[str]) -> None:
    encoded = encode_all(pieces)

    assert quopri.decodestring(encoded) == "".join(pieces).replace("\n", "\r\n").encode()
    assert b"\n" not in encoded.replace(b"\r\n", b"")
    assert b"\r" not in encoded.replace(b"\r\n", b"")
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert re.fullmatch(rb"(?:[\t -<>-~]|=[0-9A-F]{2})*=?", line)
        # No character goes over the end of a line.
        quopri.decodestring(line).decode()


@given(TEXTS, TEXTS, TEXTS)
def test_a_value_does_not_change_the_bytes_around_it(before: str, value: str, after: str) -> None:
    encoded = encode_all([before, value, after])

    assert encoded.startswith(encode_text(before, is_last=False))
    assert encoded.endswith(encode_text(after, is_last=True))


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", b""),
        ("a=b", b"a=3Db"),
        ("é", b"=C3=A9"),
        ("a \nb\t", b"a=20\r\nb=09"),
        ("a \t\n", b"a =09\r\n"),
        (".a\n.b", b"=2Ea\r\n=2Eb"),
        ("From a\nFromage", b"=46rom a\r\nFromage"),
        ("\x00\r", b"=00=0D"),
        ("a" * 76, b"a" * 76),
        ("a" * 77, b"a" * 75 + b"=\r\naa"),
        ("a" * 75 + "..", b"a" * 75 + b"=\r\n=2E."),
        ("a" * 69 + "é" + "bb", b"a" * 69 + b"=C3=A9=\r\nbb"),
        ("a" * 70 + "é" + "bb", b"a" * 70 + b"=\r\n=C3=A9bb"),
        ("a" * 64 + "😀" + "bb", b"a" * 64 + b"=\r\n=F0=9F=98=80bb"),
    ],
)
def test_encodes_as_the_rfc_says(text: str, encoded: bytes) -> None:
    assert encode_text(text, is_last=True) == encoded


@pytest.mark.parametrize(
    ("text", "encoded"),
    [("", b""), ("a\n", b"a\r\n"), ("a ", b"a =\r\n"), ("a" * 76, b"a" * 75 + b"=\r\na=\r\n")],
)
def test_a_piece_that_goes_on_ends_in_a_soft_break(text: str, encoded: bytes) -> None:
    assert encode_text(text, is_last=False) == encoded

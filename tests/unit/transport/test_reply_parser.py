import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.transport.extensions import Extensions, parse_extensions
from newsletter_mail.transport.reply_parser import NotSmtp, RawReply, ReplyParser, clean_reply
from newsletter_mail.words import Reply


def parse(*chunks: bytes) -> list[RawReply]:
    parser = ReplyParser()
    replies: list[RawReply] = []
    for chunk in chunks:
        replies += parser.read(chunk)
    return replies


@pytest.mark.parametrize(
    ("received", "replies"),
    [
        (b"250 Ok\r\n", [(250, (b"Ok",))]),
        (b"250\r\n", [(250, (b"",))]),
        (b"250 Ok\n", [(250, (b"Ok",))]),
        (b"250-a\r\n250-b\r\n250 c\r\n", [(250, (b"a", b"b", b"c"))]),
        (b"250 a\r\n354 b\r\n", [(250, (b"a",)), (354, (b"b",))]),
        (b"250-a\r\n250\r\n", [(250, (b"a", b""))]),
        (b"250 " + b"x" * 2000 + b"\r\n", [(250, (b"x" * 2000,))]),
        (b"250-not whole", []),
        (b"", []),
    ],
)
def test_replies(received: bytes, replies: list[tuple[int, tuple[bytes, ...]]]) -> None:
    assert [(reply.code, reply.lines) for reply in parse(received)] == replies


@pytest.mark.parametrize(
    "received",
    [
        b"hello\r\n",
        b"\r\n",
        b"25 0\r\n",
        b"250_x\r\n",
        b"650 x\r\n",
        b"250-a\r\n251 b\r\n",
        b"x" * 3000,
        b"250 " + b"x" * 3000 + b"\r\n",
        b"250-more\r\n" * 101,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "２５０ Ok\r\n".encode(),
    ],
)
def test_what_is_no_reply(received: bytes) -> None:
    with pytest.raises(NotSmtp):
        parse(received)


def test_a_hundred_lines_are_a_reply() -> None:
    assert len(parse(b"250-more\r\n" * 99 + b"250 last\r\n")[0].lines) == 100


CONVERSATION = (
    b"220 hi\r\n250-a\r\n250-8BITMIME\r\n250 SIZE\r\n250 2.1.0 Ok\r\n354\r\n550 5.1.1 no\r\n"
)


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=20))
def test_chunks_make_no_difference(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    chunks = [CONVERSATION[start:end] for start, end in itertools.pairwise(edges)]
    assert parse(*chunks) == parse(CONVERSATION)


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_garbage_is_refused_and_nothing_else(chunks: list[bytes]) -> None:
    try:
        for reply in parse(*chunks):
            reply.cleaned()
    except NotSmtp:
        pass


@pytest.mark.parametrize(
    ("code", "lines", "reply"),
    [
        (250, (b"2.0.0 Ok",), Reply(250, "2.0.0 Ok", "2.0.0")),
        (
            550,
            (b"5.1.1 The account", b"5.1.1 does not", b"5.1.1 exist"),
            Reply(550, "5.1.1 The account does not exist", "5.1.1"),
        ),
        (550, (b"no code",), Reply(550, "no code", "")),
        (550, (b"5.7.515",), Reply(550, "5.7.515", "5.7.515")),
        (550, (b"5.1.1.2 is an address",), Reply(550, "5.1.1.2 is an address", "")),
        (550, (b"3.1.1 no class",), Reply(550, "3.1.1 no class", "")),
        (550, (b"a\x1b[31mred\x07\0",), Reply(550, "a [31mred", "")),
        (550, ("\u202eevil".encode(), b"\xff"), Reply(550, "evil \ufffd", "")),
        (550, (), Reply(550, "", "")),
    ],
)
def test_cleaned(code: int, lines: tuple[bytes, ...], reply: Reply) -> None:
    assert clean_reply(code, lines) == reply


@given(st.lists(st.binary(max_size=2048), max_size=5))
def test_cleaned_text_can_be_shown(lines: list[bytes]) -> None:
    text = clean_reply(550, tuple(lines)).text
    assert len(text) <= 1024
    assert not any(unicodedata.category(char) == "Cc" for char in text)


@pytest.mark.parametrize(
    ("lines", "extensions"),
    [
        ((), Extensions()),
        ((b"PIPELINING", b"8bitmime"), Extensions(pipelining=True, eight_bit=True)),
        ((b"SIZE 1000",), Extensions(announces_size=True, max_size=1000)),
        ((b"SIZE",), Extensions(announces_size=True)),
        ((b"SIZE 0",), Extensions(announces_size=True)),
        ((b"SIZE lots",), Extensions(announces_size=True)),
        ((b"SIZE " + b"9" * 5000,), Extensions(announces_size=True)),
        (("SIZE ٣".encode(),), Extensions(announces_size=True)),
        ((b"AUTH PLAIN LOGIN",), Extensions(auth=frozenset({"PLAIN", "LOGIN"}))),
        ((b"AUTH=LOGIN", b"AUTH plain"), Extensions(auth=frozenset({"PLAIN", "LOGIN"}))),
        ((b"STARTTLS", b"", b"SMTPUTF8"), Extensions(starttls=True, smtputf8=True)),
        ((b"X-WHATEVER a b", b"\xff\xfe"), Extensions()),
    ],
)
def test_extensions(lines: tuple[bytes, ...], extensions: Extensions) -> None:
    assert parse_extensions(lines) == extensions

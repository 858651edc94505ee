import re
from base64 import b64decode
from email import message_from_bytes, policy
from email.header import decode_header
from email.headerregistry import AddressHeader, UnstructuredHeader
from quopri import decodestring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.errors import HeaderInjection, InvalidAddress, MessageError
from newsletter_mail.message.headers import (
    MAX_URI,
    addr_spec,
    ascii_label,
    clean_header,
    language_header,
    list_id_header,
    list_unsubscribe_header,
    mailbox_header,
    text_header,
)

ANNA = parse_address("anna@example.org")
BIDI_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: One line of text as people write it; what is cleaned away has tests of its own.
LINES = (
    st.text(
        st.one_of(
            st.sampled_from(' ".,=?_()<>@\\é'),
            st.characters(
                exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=BIDI_CONTROLS
            ),
        ),
        max_size=250,
    )
    .map(str.strip)
    .filter(bool)
)
NAMES = [
    "Anna Berg",
    "O'Brien, Pat",
    'Pat "the Mayor" Smith',
    "back\\slash",
    "=?utf-8?q?evil?=",
    "(comment)",
    "Müller",
    "Мария Ивановна",
    "李小龙",
    "やまだ　たろう",
    "محمد بن سلمان",
    "שרה כהן",
    "สมชาย",
    "👩‍👩‍👧‍👦 Family",
    "x" * 200,
    "Anna Berg " * 20 + "Z",
    "é" * 200,
    "😀" * 200,
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "anna@bank.example",
]


def defects_of(header: object) -> list[object]:
    # Added to the class at run time, where no type checker sees it.
    return list(getattr(header, "defects"))  # noqa: B009


def unfold(header: str) -> str:
    assert header.endswith("\r\n")
    value = re.sub("\r\n(?=[ \t])", "", header[:-2])
    assert "\r" not in value
    assert "\n" not in value
    return value.partition(": ")[2]


def assert_lines_are_legal(header: str) -> None:
    for line in header[:-2].split("\r\n"):
        assert line.strip()
        assert not line.endswith(" ")
        assert len(line) <= (76 if "=?utf-8?" in line and "?=" in line else 78)
    for word in re.findall(r"=\?utf-8\?[qb]\?[^? ]*\?=", header):
        assert len(word) <= 75
        _, _, encoding, text, _ = word.split("?")
        if encoding == "b":
            b64decode(text, validate=True).decode()
        else:
            assert re.fullmatch(r"(?:[A-Za-z0-9!*+/_-]|=[0-9A-F]{2})+", text)
            decodestring(text.encode(), header=True).decode()


def decode_words(value: str) -> str:
    """RFC 2047 as the older half of the stdlib reads it.

    The newer half leaves the spaces between two encoded-words of a display name in (bpo-35547).
    """
    return "".join(
        part if isinstance(part, str) else part.decode(charset or "ascii")
        for part, charset in decode_header(value)
    )


@given(LINES)
@example("Summer updates")
@example("word " * 40 + "end")
@example("two  spaces " * 10 + "end")
@example("x" * 69)
@example("x" * 70)
@example("ab " + "x" * 77)
@example("ab " + "x" * 78)
@example("Réunion " * 30 + "fin")
@example("=?utf-8?q?evil?=")
def test_text_comes_back_from_the_stdlib(value: str) -> None:
    header = text_header("Subject", value)

    assert header.isascii()
    assert_lines_are_legal(header)
    parsed = message_from_bytes(header.encode() + b"\r\n", policy=policy.default)["Subject"]
    assert isinstance(parsed, UnstructuredHeader)
    assert str(parsed) == value
    assert defects_of(parsed) == []


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Summer", "Subject: Summer\r\n"),
        ("x" * 69, f"Subject: {'x' * 69}\r\n"),
        (f"{'a ' * 34}bb", f"Subject: {('a ' * 34).strip()}\r\n bb\r\n"),
        ("é", "Subject: =?utf-8?b?w6k=?=\r\n"),
        ("Réunion de Paris", "Subject: =?utf-8?q?R=C3=A9union_de_Paris?=\r\n"),
        ("Лето", "Subject: =?utf-8?b?0JvQtdGC0L4=?=\r\n"),
        ("a \u2067b\u2069", "Subject: =?utf-8?b?YSDigadi4oGp?=\r\n"),
    ],
)
def test_text_takes_the_shortest_form(value: str, header: str) -> None:
    assert text_header("Subject", value) == header


@given(LINES)
def test_a_name_comes_back_whole(name: str) -> None:
    header = mailbox_header("To", name, ANNA)

    assert header.isascii()
    assert_lines_are_legal(header)
    phrase, _, rest = unfold(header).rpartition(" ")
    assert rest == "<anna@example.org>"
    one_space = re.sub(" {2,}", " ", name)
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', phrase)
    assert (re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else decode_words(phrase)) == one_space


@pytest.mark.parametrize("unit", ["x", "x.", "é", "李", "😀"])
def test_no_length_of_a_name_makes_a_line_too_long(unit: str) -> None:
    for length in range(1, 121):
        assert_lines_are_legal(mailbox_header("To", unit * length, ANNA))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_from_the_stdlib(name: str) -> None:
    header = mailbox_header("To", name, ANNA)
    parsed = message_from_bytes(header.encode() + b"\r\n", policy=policy.default)["To"]

    assert isinstance(parsed, AddressHeader)
    assert defects_of(parsed) == []
    (address,) = parsed.addresses
    assert address.addr_spec == "anna@example.org"
    if header.count("=?utf-8?") <= 1:
        assert address.display_name == name


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", "To: anna@example.org\r\n"),
        ("Anna Berg", "To: Anna Berg <anna@example.org>\r\n"),
        ("A. Berg", 'To: "A. Berg" <anna@example.org>\r\n'),
        ('"\\', 'To: "\\"\\\\" <anna@example.org>\r\n'),
        ("Åsa", "To: =?utf-8?q?=C3=85sa?= <anna@example.org>\r\n"),
        ("x" * 74, f"To: {'x' * 74}\r\n <anna@example.org>\r\n"),
        ("  Anna   Berg ", "To: Anna Berg <anna@example.org>\r\n"),
        ("Anna\u202e\u2066 Berg\u2069", "To: Anna Berg <anna@example.org>\r\n"),
        ("\u202e", "To: anna@example.org\r\n"),
        ("Anna\tBerg\x1b", "To: Anna Berg <anna@example.org>\r\n"),
        ("Anna \ud83d", "To: anna@example.org\r\n"),
    ],
)
def test_a_mailbox_is_written_plainly(name: str, header: str) -> None:
    assert mailbox_header("To", name, ANNA) == header


def test_a_domain_is_in_a_labels_unless_the_local_part_is_not_ascii() -> None:
    assert mailbox_header("To", "", parse_address("anna@bücher.example")) == (
        "To: anna@xn--bcher-kva.example\r\n"
    )
    assert mailbox_header("To", "Jörg", parse_address("jörg@bücher.example")) == (
        "To: =?utf-8?b?SsO2cmc=?= <jörg@bücher.example>\r\n"
    )


@pytest.mark.parametrize("broken", ["\r\nBcc: x@x.org", "\n", "\r", "\0"])
def test_nothing_ends_a_header_line(broken: str) -> None:
    value = f"a{broken}b"
    address = Address(f"{value}@x.org", f"{value}@x.org", "k@x.org", needs_smtputf8=False)

    with pytest.raises(HeaderInjection):
        text_header("Subject", value)
    with pytest.raises(HeaderInjection):
        mailbox_header("To", value, ANNA)
    with pytest.raises(HeaderInjection):
        mailbox_header("To", "", address)
    with pytest.raises(HeaderInjection):
        list_id_header(value, "main.x.org")
    with pytest.raises(HeaderInjection):
        list_unsubscribe_header(f"https://x.org/{value}")
    with pytest.raises(HeaderInjection):
        list_unsubscribe_header("https://x.org/", f"mailto:{value}")
    with pytest.raises(HeaderInjection):
        language_header(value)
    assert re.fullmatch("[a-z0-9-]+", ascii_label(value))


def test_a_bad_wire_address_is_found_behind_a_good_display() -> None:
    with pytest.raises(HeaderInjection):
        addr_spec(Address("jörg@x.org", "jörg@x.org\r\nRCPT", "j@x.org", needs_smtputf8=True))


@pytest.mark.parametrize(
    "wire",
    ["a b@x.org", "<a@x.org>", "a@b@x.org", "a,b@x.org", "a@x.org\t", "@x.org", "a", "é@x.de"],
)
def test_an_address_that_would_need_quotes_is_refused(wire: str) -> None:
    with pytest.raises(InvalidAddress):
        addr_spec(Address(wire, wire, wire, needs_smtputf8=False))


def test_half_a_character_is_refused_in_an_address() -> None:
    with pytest.raises(InvalidAddress):
        addr_spec(Address("\ud83d@x.org", "\ud83d@x.org", "k@x.org", needs_smtputf8=True))


@pytest.mark.parametrize("length", [50, 76, 77, 78, 79, 150, 500, 900, MAX_URI])
@pytest.mark.parametrize("mailto", ["", "mailto:leave@example.org?subject=abc"])
def test_the_unsubscribe_link_is_whole_and_raw(length: int, mailto: str) -> None:
    url = "https://example.org/u/".ljust(length, "x")
    raw = list_unsubscribe_header(url, mailto).encode()

    expected = f"List-Unsubscribe: <{url}>" + (f",\r\n <{mailto}>" if mailto else "") + "\r\n"
    assert raw == expected.encode()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


@pytest.mark.parametrize(
    "url",
    ["", "https://x.org/a b", "https://x.org/é", "https://x.org/>", "https://x.org/<", "a\tb"],
)
def test_a_link_that_would_have_to_be_encoded_is_refused(url: str) -> None:
    with pytest.raises(MessageError, match="ASCII only"):
        list_unsubscribe_header(url)


def test_a_link_that_no_line_holds_is_refused() -> None:
    with pytest.raises(MessageError, match=f"longer than {MAX_URI}"):
        list_unsubscribe_header("https://example.org/".ljust(MAX_URI + 1, "x"))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", "List-ID: <main.example.org>\r\n"),
        ("Our list", "List-ID: Our list <main.example.org>\r\n"),
        ("La liste, été", "List-ID: =?utf-8?b?TGEgbGlzdGUsIMOpdMOp?= <main.example.org>\r\n"),
    ],
)
def test_a_list_has_a_name_and_an_identifier(name: str, header: str) -> None:
    assert list_id_header(name, "main.example.org") == header


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("2023-summer", "2023-summer"),
        ("Été_2023: a", "ete-2023-a"),
        ("--", ascii_label("--")),
        ("лето", ascii_label("лето")),
    ],
)
def test_a_label_is_ascii_without_colons(text: str, label: str) -> None:
    assert ascii_label(text) == label
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", label)


def test_labels_of_other_scripts_differ() -> None:
    assert ascii_label("лето") != ascii_label("зима")


@pytest.mark.parametrize(
    ("language", "header"),
    [("", ""), ("en", "Content-Language: en\r\n"), ("pt-BR", "Content-Language: pt-BR\r\n")],
)
def test_the_language_is_named_where_it_is_known(language: str, header: str) -> None:
    assert language_header(language) == header


@given(st.text())
def test_a_cleaned_value_is_one_line_or_refused(value: str) -> None:
    try:
        cleaned = clean_header(value)
    except HeaderInjection:
        assert re.search("[\r\n\0]", value)
        return
    cleaned.encode()
    assert not set(cleaned) & set(BIDI_CONTROLS)
    assert len(cleaned.splitlines()) <= 1

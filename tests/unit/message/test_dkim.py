import binascii
import re
import threading
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim.canonicalization import Relaxed
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.errors import ConfigError
from newsletter_mail.message.dkim import Signer, canonical_header, canonical_lines, is_aligned
from newsletter_mail.message.identity import Identity
from newsletter_mail.message.template import MessageTemplate
from newsletter_mail.words import Build, Hole, HoleContext, Outgoing, Pattern
from tests.unit.message.conftest import (
    ANNA,
    DATE,
    FIRST_NAME,
    IDENTITY,
    REF,
    fill,
    header_fields,
    make_build,
    make_recipient,
    make_template,
    message_bytes,
    picture_url,
    with_links,
)

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
GREETING: Pattern = ("Hello ", Hole(FIRST_NAME, HoleContext.HEADER), "!")
CORNERS = "= \t.\n<>&\"'{}%-é€😀"
VALUES = st.text(
    st.one_of(st.sampled_from(CORNERS), st.characters(exclude_categories=["Cs"])), max_size=200
)
HEADER_VALUES = st.text(
    st.one_of(
        st.sampled_from(" \t=?.é😀"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"),
    ),
    max_size=120,
)
HOLES = [
    Hole(FIRST_NAME, HoleContext.TEXT),
    Hole("subscriber.attributes.note | default('-')", HoleContext.TEXT),
    Hole("unsubscribe_url", HoleContext.TEXT),
    Hole("issue.title", HoleContext.TEXT),
]
PATTERNS = st.lists(st.one_of(VALUES, st.sampled_from(HOLES)), max_size=8).map(tuple)
LONG_DOMAIN = ".".join(["a" * 60] * 3 + ["example", "org"])


def pem_of(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def rsa_key_of_511_bits() -> rsa.RSAPrivateKey:
    """Made by hand: ``cryptography`` generates none as short as this."""
    p, q = 2**255 - 19, 2**256 - 189
    d = pow(65537, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(65537, p * q),
    ).private_key()


RSA_KEY = rsa.generate_private_key(65537, 2048)
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()
RSA_PEM, ED25519_PEM = pem_of(RSA_KEY), pem_of(ED25519_KEY)
RECORDS = {
    b"rsa": "v=DKIM1; k=rsa; p="
    + b64encode(
        RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
    b"ed": "v=DKIM1; k=ed25519; p="
    + b64encode(ED25519_KEY.public_key().public_bytes_raw()).decode(),
}
RSA = Signer.from_pem(RSA_PEM, domain="example.org", selector="rsa", origin="rsa.pem")
ED25519 = Signer.from_pem(ED25519_PEM, domain="example.org", selector="ed", origin="ed.pem")
each_signer = pytest.mark.parametrize("signer", [RSA, ED25519], ids=["rsa", "ed25519"])


def record(name: bytes, timeout: int = 5) -> bytes:
    """The DNS of these tests."""
    label, _, _domain = name.partition(b"._domainkey.")
    return RECORDS.get(label, "").encode()


def verifies(raw: bytes) -> bool:
    try:
        return bool(dkim.verify(raw, dnsfunc=record))
    except (dkim.DKIMException, binascii.Error):
        return False


def signed_template(
    signer: Signer | None,
    build: Build | None = None,
    *,
    identity: Identity = IDENTITY,
    is_test: bool = False,
) -> MessageTemplate:
    return MessageTemplate(
        build or make_build(subject=GREETING),
        identity=identity,
        picture_url=picture_url,
        is_test=is_test,
        signer=signer,
    )


def tags(raw: bytes) -> dict[str, str]:
    """The tags of the signature, read by hand."""
    name, value = header_fields(raw)[0]
    assert name == "DKIM-Signature"
    return dict(tag.strip().split("=", 1) for tag in value.split(";"))


def signed_names(raw: bytes) -> list[str]:
    return [name.strip() for name in tags(raw)["h"].split(":")]


TEMPLATES = {signer: signed_template(signer) for signer in (RSA, ED25519)}


@each_signer
@given(first_name=HEADER_VALUES, name=HEADER_VALUES, token=st.text("aZ-_.0", max_size=900))
@example(first_name="  two  spaces, and an end \t ", name="Anna  Berg", token="t")
@example(first_name="." * 160, name='"A", B', token="t" * 900)
@example(first_name=" " * 120, name="Jörg " * 20, token="")
def test_every_message_verifies(signer: Signer, first_name: str, name: str, token: str) -> None:
    person = replace(make_recipient(name), first_name=first_name)
    links = with_links(
        unsubscribe_url=f"https://news.example.org/u/{token}",
        unsubscribe_mailto="mailto:leave@example.org",
    )
    assert verifies(message_bytes(fill(TEMPLATES[signer], person, links=links)))


@given(text=PATTERNS, html=PATTERNS, first_name=HEADER_VALUES, note=VALUES)
@example(text=(), html=(), first_name="", note="")
@example(text=("a \t \n\n \n",), html=("  \n\n\n",), first_name="", note="")
@example(text=(HOLES[1], HOLES[1]), html=(HOLES[1],), first_name="", note=" \t ")
@example(text=("x ", HOLES[0], "\n\n"), html=("\t", HOLES[1], " y"), first_name="a  b", note=" ")
def test_any_text_and_any_value_verify(
    text: Pattern, html: Pattern, first_name: str, note: str
) -> None:
    template = signed_template(ED25519, make_build(text=text, html=html))
    person = make_recipient(first_name=first_name, attributes={"note": note})
    assert verifies(message_bytes(fill(template, person)))


@each_signer
def test_any_changed_byte_of_what_is_signed_fails(signer: Signer) -> None:
    build = make_build(text=("Dear ", HOLES[0], ",\n\nbye\n"), html=("<p>Hi</p>\n",))
    raw = message_bytes(fill(signed_template(signer, build), make_recipient("Anna  Berg")))
    assert verifies(raw)
    unsigned = [
        range(match.start(), match.end())
        for match in re.finditer(
            # The last bits of b= stand for nothing, so a change there need not be one.
            rb"(?<=\r\n b=)(?s:.*?)(?=\r\nFrom:)|(?<=\n)(Precedence|X-Auto[^:]*):[^\n]*",
            raw,
        )
    ]
    assert len(unsigned) == 3
    passed = [
        raw[max(0, place - 10) : place + 10]
        for place in range(len(raw))
        if not any(place in span for span in unsigned)
        and verifies(raw[:place] + bytes([raw[place] ^ 0x40]) + raw[place + 1 :])
    ]
    assert passed == []
    assert not verifies(re.sub(rb"(?<=\r\n b=).", lambda old: bytes([old[0][0] ^ 3]), raw))


@each_signer
def test_another_sender_cannot_be_put_in_front(signer: Signer) -> None:
    raw = message_bytes(fill(TEMPLATES[signer]))
    for extra in (b"From: Eve <eve@example.com>\r\n", b"from: eve@example.com\r\n"):
        assert not verifies(extra + raw)
        assert not verifies(raw.replace(b"\r\nTo: ", b"\r\n" + extra + b"To: "))
    assert verifies(b"Received: from a by b\r\n" + raw)


def test_white_space_that_a_server_may_change_does_not_matter() -> None:
    build = make_build(text=("two  spaces\nend\n",))
    raw = message_bytes(fill(signed_template(RSA, build)))
    changed = raw.replace(b"two  spaces", b"two \t spaces").replace(b"end\r\n", b"end  \r\n")
    changed = changed.replace(b"Subject: ", b"subject:  ") + b"\r\n\r\n"
    assert len(changed) > len(raw) + 4
    assert verifies(changed)


@each_signer
def test_the_tags_of_a_signature(signer: Signer) -> None:
    found = tags(message_bytes(fill(TEMPLATES[signer])))
    assert list(found) == ["v", "a", "c", "d", "s", "h", "t", "bh", "b"]
    assert found["a"] == ("rsa-sha256" if signer is RSA else "ed25519-sha256")
    assert (found["v"], found["c"], found["d"]) == ("1", "relaxed/relaxed", "example.org")
    assert found["s"] == signer.selector
    assert datetime.fromtimestamp(int(found["t"]), tz=UTC) == DATE


def test_the_headers_that_are_signed() -> None:
    raw = message_bytes(fill(TEMPLATES[RSA]))
    names = signed_names(raw)
    present = [name for name, _ in header_fields(raw)]
    not_signed = {"DKIM-Signature", "Precedence", "X-Auto-Response-Suppress"}
    assert sorted(names) == sorted(["From", *(set(present) - not_signed)])
    assert names.count("From") == 2
    assert {"List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"} < set(names)
    assert present.count("DKIM-Signature") == 1


def test_what_a_message_does_not_have_is_not_signed() -> None:
    identity = replace(IDENTITY, reply_to=None)
    raw = message_bytes(fill(signed_template(RSA, make_build(language=""), identity=identity)))
    assert not {"Reply-To", "Content-Language"} & set(signed_names(raw))
    assert verifies(raw)


@pytest.mark.parametrize(
    ("domain", "selector"),
    [
        ("example.org", "rsa"),
        ("xn--mnchen-3ya.example.org", "rsa"),
        (LONG_DOMAIN, "rsa"),
        (".".join(["b" * 30, "example", "org"]), "rsa"),
    ],
)
def test_the_signature_is_folded(domain: str, selector: str) -> None:
    signer = Signer.from_pem(RSA_PEM, domain=domain, selector=selector, origin="k")
    raw = message_bytes(fill(signed_template(signer)))
    assert verifies(raw)
    assert tags(raw)["d"] == domain
    header = raw.partition(b"\r\nFrom:")[0]
    for line in header.split(b"\r\n"):
        # A domain cannot be broken.
        assert len(line) <= 78 or line == f" d={domain};".encode()
        assert line.strip()


def test_without_a_key_nothing_changes() -> None:
    plain = fill(make_template(make_build(subject=GREETING)), make_recipient("Anna"))
    for signer, template in TEMPLATES.items():
        signed = fill(template, make_recipient("Anna"))
        head, *body = signed.content
        signature, _, rest = head.partition(b"\r\nFrom:")
        assert signature.startswith(b"DKIM-Signature: v=1; "), signer
        assert (b"From:" + rest, *body) == plain.content
        assert signed.envelope == plain.envelope


@each_signer
def test_the_same_arguments_give_the_same_bytes(signer: Signer) -> None:
    first = fill(signed_template(signer), make_recipient("Anna"))
    assert fill(signed_template(signer), make_recipient("Anna")) == first
    other = TEMPLATES[signer].fill(
        make_recipient("Anna"), address=ANNA, links=with_links(), ref=REF + "1", date=DATE
    )
    assert tags(message_bytes(other))["b"] != tags(message_bytes(first))["b"]
    assert tags(message_bytes(other))["bh"] == tags(message_bytes(first))["bh"]


@each_signer
def test_many_threads_sign_with_one_template(signer: Signer) -> None:
    template, threads = TEMPLATES[signer], 4
    people = [make_recipient(f"Anna {number}", first_name=f"A{number}") for number in range(40)]
    start = threading.Barrier(threads)

    def sign_all(_: int) -> list[Outgoing]:
        start.wait(timeout=10)
        return [fill(template, person) for person in people]

    with ThreadPoolExecutor(threads) as pool:
        results: Sequence[list[Outgoing]] = list(pool.map(sign_all, range(threads)))
    assert all(result == results[0] for result in results)
    assert all(verifies(message_bytes(outgoing)) for outgoing in results[0])


@pytest.mark.parametrize("address", ["jörg@bücher.example", "anna@bücher.example"])
def test_an_address_that_is_not_ascii_is_signed_as_it_stands(address: str) -> None:
    parsed: Address = parse_address(address)
    assert verifies(message_bytes(fill(TEMPLATES[RSA], make_recipient("Jörg"), address=parsed)))


def test_a_test_message_is_signed_too() -> None:
    raw = message_bytes(fill(signed_template(RSA, is_test=True)))
    assert b"[Test] " in raw
    assert verifies(raw)


@pytest.mark.parametrize(
    ("domain", "sender", "is_good"),
    [
        ("example.org", "example.org", True),
        ("example.org", "mail.example.org", True),
        ("example.org", "a.mail.example.org", True),
        ("mail.example.org", "example.org", True),
        ("a.mail.example.org", "example.org", True),
        ("example.com", "example.org", False),
        ("ample.org", "example.org", False),
        ("example.org", "ample.org", False),
        ("example.org", "myexample.org", False),
        ("mail.example.org", "news.example.org", False),
        ("org", "example.org", False),
        ("example.org", "org", False),
        ("", "example.org", False),
    ],
)
def test_which_domains_sign_for_a_sender(domain: str, sender: str, *, is_good: bool) -> None:
    assert is_aligned(domain, sender) is is_good


LINES = st.lists(st.text(st.sampled_from(" \tab=."), max_size=12), max_size=6)


@given(LINES)
def test_lines_are_canonical_as_another_library_makes_them(lines: list[str]) -> None:
    # With a last line that is not empty, as all our messages have one.
    body = "".join(f"{line}\r\n" for line in [*lines, "end"]).encode()
    assert canonical_lines(body) == Relaxed.canonicalize_body(body)


@given(LINES)
def test_pieces_of_whole_lines_are_canonical_one_by_one(lines: list[str]) -> None:
    pieces = [f"{line}\r\n".encode() for line in lines]
    assert canonical_lines(b"".join(pieces)) == b"".join(map(canonical_lines, pieces))


@given(st.lists(st.text(st.sampled_from(" \tab:=é"), min_size=1, max_size=9), max_size=4))
def test_headers_are_canonical_as_another_library_makes_them(parts: list[str]) -> None:
    value = "\r\n ".join(parts)
    [(name, expected)] = Relaxed.canonicalize_headers([(b"List-ID ", f" {value}\r\n".encode())])
    assert canonical_header(f"List-ID : {value}\r\n").encode() == name + b":" + expected


def test_an_old_pem_of_rsa_is_a_key_too() -> None:
    pem = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    signer = Signer.from_pem(pem, domain="example.org", selector="rsa", origin="k")
    assert verifies(message_bytes(fill(signed_template(signer))))


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "not a private key in PEM"),
        (b"\x00\xff\n", "not a private key in PEM"),
        (RSA_PEM[: len(RSA_PEM) // 2], "not a private key in PEM"),
        (
            RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not a private key in PEM",
        ),
        (pem_of(RSA_KEY, BestAvailableEncryption(b"pass")), "encrypted"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "RSA and Ed25519 keys only"),
        (pem_of(rsa_key_of_511_bits()), "511 bits is too short"),
    ],
    ids=["empty", "bytes", "cut", "public", "encrypted", "curve", "short"],
)
def test_a_key_that_cannot_sign_is_refused(pem: bytes, reason: str) -> None:
    with pytest.raises(ConfigError, match=f"keys/news.pem: .*{reason}") as caught:
        Signer.from_pem(pem, domain="example.org", selector="s", origin="keys/news.pem")
    assert "\n" not in str(caught.value)
    assert "PRIVATE KEY" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "is_short"),
    [
        (rsa.generate_private_key(65537, 1024), True),
        (RSA_KEY, False),
        (ED25519_KEY, False),
    ],
    ids=["rsa1024", "rsa2048", "ed25519"],
)
def test_a_key_that_receivers_may_refuse_is_known(key: PrivateKey, *, is_short: bool) -> None:
    signer = Signer.from_pem(pem_of(key), domain="example.org", selector="s", origin="k")
    assert signer.is_short is is_short


@each_signer
def test_a_signer_never_shows_its_key_nor_changes(signer: Signer) -> None:
    assert repr(signer) == f"Signer(domain='example.org', selector={signer.selector!r})"
    with pytest.raises(FrozenInstanceError):
        signer.domain = "example.com"  # type: ignore[misc] # that is the point

import re
import unicodedata

import pytest
from email_validator import validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail import addresses
from newsletter_mail.addresses import Address, mask_address, parse_address
from newsletter_mail.errors import InvalidAddress

# The module's own pattern: what is tested is that it is narrower than email-validator.
_PLAIN = addresses._PLAIN
# What it is made of, short enough that most of what comes out is taken by the pattern.
_LOCALS = st.from_regex(r"[A-Za-z0-9_+-]{1,8}(\.[A-Za-z0-9_+-]{1,8}){0,2}", fullmatch=True)
_LABELS = st.from_regex(r"[a-z0-9]{1,9}(-{1,2}[a-z0-9]{1,9})?", fullmatch=True)
_SUFFIXES = st.one_of(
    st.sampled_from(["com", "org", "net", "edu", "gov", "int", "info", "test", "local", "arpa"]),
    st.from_regex(r"[a-z]{2}", fullmatch=True),
)
_PLAIN_LOOKING = st.builds(
    lambda local, labels, suffix: f"{local}@{'.'.join([*labels, suffix])}",
    _LOCALS,
    st.lists(_LABELS, min_size=1, max_size=3),
    _SUFFIXES,
)


@given(_PLAIN_LOOKING)
@example("a" * 64 + "@example.org")
@example("a" * 65 + "@example.org")
@example("a@" + "b" * 63 + ".org")
@example("a@" + "b" * 64 + ".org")
@example("a@b-.org")
@example("a@b--c.org")
@example("a@xn--a.org")
@example("a@1.org")
@example("a@b.org\n")
def test_the_short_way_takes_nothing_that_the_long_one_refuses(text: str) -> None:
    if not _PLAIN.fullmatch(text):
        return
    checked = validate_email(text, check_deliverability=False, test_environment=True)

    assert parse_address(text) == Address(
        display=checked.normalized,
        wire=f"{checked.local_part}@{checked.ascii_domain}",
        key=f"{checked.local_part.casefold()}@{checked.ascii_domain}",
        needs_smtputf8=checked.smtputf8,
    )


@given(st.one_of(st.text(max_size=40), _PLAIN_LOOKING.map(str.swapcase), st.emails()))
@example("a@b")
@example("a@[127.0.0.1]")
@example("a@\ud800.org")
@example("\ud800@b.org")
@example("a@" + "b." * 200 + "org")
@example("a" * 100_000)
@example("@" * 5000)
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress as error:
        assert error.address == text.strip()  # noqa: PT017 - either is right
        assert "\n" not in str(error)  # noqa: PT017 - either is right
        return
    validate_email(address.display, check_deliverability=False, test_environment=True)
    for form in (address.display, address.wire, address.key):
        assert form.count("@") == 1
        assert form.isprintable()
    assert address.wire.partition("@")[2].isascii()
    assert address.domain == address.domain.lower()
    assert parse_address(address.display).key == address.key
    assert parse_address(address.wire).key == address.key


@given(
    st.one_of(
        _PLAIN_LOOKING,
        st.builds(
            lambda local: f"{local}@bücher.example",
            st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
        ),
    )
)
@example("Ångström@example.org")
@example("straße@example.org")
@example("ǅ@bücher.example")
@example("ΐ@bücher.example")
@example("ᾳ@bücher.example")
def test_case_and_composition_do_not_make_another_address(text: str) -> None:
    try:
        key = parse_address(text).key
    except InvalidAddress:
        return
    local, _, domain = text.partition("@")
    # The dotless i of Turkish is the one letter whose capital is another letter's.
    if "ı" in local:
        return
    for form in ("NFC", "NFD"):
        for variant in (
            text,
            f"{local.casefold()}@{domain}",
            f"{local}@{domain.upper()}",
            f"{local.upper()}@{domain}",
        ):
            written = unicodedata.normalize(form, variant)
            try:
                assert parse_address(written).key == key
            except InvalidAddress:
                # Some letters become longer than 64 octets, or signs, in the other case.
                assert not written.isascii() or len(local) > 60


def test_the_case_of_the_local_part_is_kept_and_does_not_count() -> None:
    address = parse_address(" Anna.B+c@EXAMPLE.org\r\n")
    assert address.display == address.wire == "Anna.B+c@example.org"
    assert address.key == "anna.b+c@example.org"


@pytest.mark.parametrize(
    "text", ["anna@bücher.example", "anna@xn--bcher-kva.example", "Anna@BÜCHER.example"]
)
def test_a_domain_in_another_script_has_two_forms(text: str) -> None:
    address = parse_address(text)
    assert address.display.casefold() == "anna@bücher.example"
    assert address.wire.casefold() == "anna@xn--bcher-kva.example"
    assert address.key == "anna@xn--bcher-kva.example"
    assert address.domain == "xn--bcher-kva.example"
    assert not address.needs_smtputf8


def test_a_local_part_in_another_script_needs_smtputf8() -> None:
    address = parse_address("用户@例え.jp")
    assert address.needs_smtputf8
    assert address.display == "用户@例え.jp"
    assert address.wire == "用户@xn--r8jz45g.jp"


def test_one_that_a_rig_has_is_good() -> None:
    assert parse_address("a@mail.test").key == "a@mail.test"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must have an @-sign"),
        ("anna", "must have an @-sign"),
        ("@example.org", "something before the @-sign"),
        ("anna@", "something after the @-sign"),
        ("anna@example", "after the @-sign is not valid"),
        ("a@b@example.org", "@"),
        ("anna @example.org", "before the @-sign"),
        ("anna@example..org", "period"),
        (".anna@example.org", "period"),
        ("anna@-example.org", "hyphen"),
        ("Anna <anna@example.org>", ""),
        ('"anna b"@example.org', "Quoting"),
        ("anna@[127.0.0.1]", ""),
        ("anna@example.org\r\nBcc: b@example.org", ""),
        ("anna\r@example.org", ""),
        ("anna\n@example.org", ""),
        ("anna@exa\nmple.org", ""),
        ("anna\0@example.org", ""),
        ("anna@example.org, b@example.org", ""),
        ("anna\u202e@example.org", ""),
        ("a@" + "b" * 64 + ".org", "so many characters"),
        ("a@" + "b." * 130 + "org", "too long"),
    ],
)
def test_what_cannot_be_written_to(text: str, reason: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_address(text)
    message = str(caught.value)
    assert reason in message
    assert message.startswith(repr(text.strip()))
    assert not re.search(r"[\r\n\0]", message)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("anna@example.org", "a•••@e•••.org"),
        ("a@b.co.uk", "a•••@b•••.uk"),
        ("用户@例え.jp", "用•••@例•••.jp"),
        ("", "•••@•••"),
    ],
)
def test_a_masked_address(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@given(_PLAIN_LOOKING)
def test_a_mask_shows_two_letters_and_the_suffix(address: str) -> None:
    masked = mask_address(address)
    suffix = address.rpartition(".")[2]
    local, _, domain = address.partition("@")
    assert masked == f"{local[0]}•••@{domain[0]}•••.{suffix}"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.addresses import parse_address
from newsletter_mail.errors import InvalidAddress, MessageError
from newsletter_mail.message.verp import check_ref, envelope_sender, read_envelope_sender

BOUNCES = parse_address("bounces@x.org")
REFS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=1, max_size=26)


def test_the_ref_stands_after_a_plus() -> None:
    assert envelope_sender(BOUNCES, "ref7") == "bounces+ref7@x.org"


@given(
    REFS, st.sampled_from(["bounces@x.org", "b+list@x.org", "Bounces@X.org", "b@bücher.example"])
)
def test_a_ref_comes_back_whatever_the_servers_do_to_the_case(ref: str, bounces: str) -> None:
    address = parse_address(bounces)
    sender = envelope_sender(address, ref)

    assert sender.isascii()
    for seen in (sender, sender.upper(), f"<{sender}>", f" {sender}\r\n"):
        assert read_envelope_sender(seen, address) == ref


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bounces@x.org",
        "bounces+@x.org",
        "bounces+a@y.org",
        "bounces+a@mail.x.org",
        "other+a@x.org",
        "bounces+a+b@x.org",
        "bounces+a-b@x.org",
        "bounces+é@x.org",
        "bounces+a",
        "bounces+" + "a" * 65 + "@x.org",
    ],
)
def test_what_is_not_ours_names_nothing(address: str) -> None:
    assert read_envelope_sender(address, BOUNCES) is None


def test_the_local_part_holds_64_octets_and_no_more() -> None:
    ref = "a" * 26
    sender = envelope_sender(parse_address("b" * 37 + "@x.org"), ref)
    assert len(sender.partition("@")[0]) == 64

    with pytest.raises(InvalidAddress, match="37 characters at most"):
        envelope_sender(parse_address("b" * 38 + "@x.org"), ref)


@pytest.mark.parametrize("ref", ["", "a b", "a\r\nb", "a>", "a+b", "é", "٣", "a\n", "a" * 65])
def test_a_ref_is_letters_and_digits(ref: str) -> None:
    with pytest.raises(MessageError, match="only letters and digits"):
        check_ref(ref)
    with pytest.raises(MessageError, match="only letters and digits"):
        envelope_sender(BOUNCES, ref)

import hashlib
import hmac
import re
import string
from base64 import b32encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import Signer
from itsdangerous.encoding import base64_encode

from newsletter_mail.errors import BadToken
from newsletter_mail.tokens import MAX_TOKEN_LENGTH, REF_LENGTH, Grant, Purpose, Tokens

TOKENS = Tokens(["the key of these tests"])
GRANT = Grant("Zm9vYmFyYmF6", "2023-summer")
TOKEN = TOKENS.sign(Purpose.UNSUBSCRIBE, GRANT)
_BASE64 = string.ascii_letters + string.digits + "-_"

# A public id and a slug are of one line.
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)
_GRANTS = st.builds(Grant, _WORDS, _WORDS, is_test=st.booleans())
_PURPOSES = st.sampled_from(Purpose)


def _is_refused(
    token: str, tokens: Tokens = TOKENS, purpose: Purpose = Purpose.UNSUBSCRIBE
) -> bool:
    try:
        tokens.read(purpose, token)
    except BadToken:
        return True
    return False


@given(_PURPOSES, _GRANTS)
def test_what_is_signed_is_read(purpose: Purpose, grant: Grant) -> None:
    token = TOKENS.sign(purpose, grant)
    assert TOKENS.read(purpose, token) == grant
    assert re.fullmatch(r"[A-Za-z0-9._-]+", token)
    assert len(token) <= MAX_TOKEN_LENGTH


@given(st.text(min_size=1, max_size=200), _PURPOSES, _GRANTS)
@example("k" * 64, Purpose.UNSUBSCRIBE, GRANT)
@example("k" * 65, Purpose.PREFERENCES, GRANT)
def test_a_token_is_what_itsdangerous_signs(key: str, purpose: Purpose, grant: Grant) -> None:
    signer = Signer(key, salt=purpose.value, key_derivation="hmac", digest_method=hashlib.sha256)
    words = f"{grant.subscriber}\n{grant.issue}" + ("\ntest" if grant.is_test else "")
    tokens = Tokens([key, "an older key"])
    # Twice: to sign leaves nothing behind.
    for _ in range(2):
        assert tokens.sign(purpose, grant) == signer.sign(base64_encode(words)).decode()


@given(st.text(min_size=1, max_size=200), st.text(max_size=80), st.text(max_size=30))
def test_a_message_ref_is_the_start_of_an_hmac(key: str, edition: str, subscriber: str) -> None:
    mac = hmac.digest(key.encode(), f"{edition}\0{subscriber}".encode(), "sha256")
    ref = b32encode(mac[:16]).decode().rstrip("=").lower()
    tokens = Tokens([key])
    assert [tokens.message_ref(edition, subscriber) for _ in range(2)] == [ref, ref]
    assert len(ref) == REF_LENGTH


def test_a_token_says_the_same_every_time() -> None:
    assert TOKENS.sign(Purpose.UNSUBSCRIBE, GRANT) == TOKEN
    assert len(TOKEN) < 100


def test_a_token_of_another_purpose_grants_nothing() -> None:
    assert _is_refused(TOKEN, purpose=Purpose.PREFERENCES)
    assert not _is_refused(TOKEN)


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_one_other_character_and_it_grants_nothing(position: int) -> None:
    for character in [*_BASE64, ".", "=", "é", " ", "\n", "+", "/"]:
        if character != TOKEN[position]:
            assert _is_refused(TOKEN[:position] + character + TOKEN[position + 1 :])


@pytest.mark.parametrize("position", range(len(TOKEN) + 1))
def test_one_more_or_one_less_and_it_grants_nothing(position: int) -> None:
    assert position == len(TOKEN) or _is_refused(TOKEN[:position] + TOKEN[position + 1 :])
    for character in "A.=é\n %":
        assert _is_refused(TOKEN[:position] + character + TOKEN[position:])


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_token_that_was_cut_grants_nothing(length: int) -> None:
    assert _is_refused(TOKEN[:length])
    assert _is_refused(TOKEN[length + 1 :])


@given(st.one_of(st.text(), st.text("ab.-_", max_size=60), st.binary().map(str)))
@example("\ud800")
@example("." + "A" * 60 + "." + "A" * 43)
@example("A" * 20 + "." + "A" * 43)
@example("x" * (MAX_TOKEN_LENGTH + 1))
@example("")
@example(".")
@example("..")
def test_any_text_is_refused_and_nothing_breaks(text: str) -> None:
    assert _is_refused(text)


@given(_GRANTS)
def test_a_token_of_another_key_grants_nothing(grant: Grant) -> None:
    foreign = Tokens(["the key of other people"])
    assert _is_refused(foreign.sign(Purpose.UNSUBSCRIBE, grant))


def test_a_new_key_signs_and_the_old_one_is_still_good() -> None:
    old, new = Tokens(["the old key"]), Tokens(["the new key", "the old key"])
    before, after = old.sign(Purpose.UNSUBSCRIBE, GRANT), new.sign(Purpose.UNSUBSCRIBE, GRANT)
    assert before != after
    assert new.read(Purpose.UNSUBSCRIBE, before) == GRANT
    assert new.read(Purpose.UNSUBSCRIBE, after) == GRANT
    assert after == Tokens(["the new key"]).sign(Purpose.UNSUBSCRIBE, GRANT)
    assert _is_refused(after, old)
    assert _is_refused(before, Tokens(["the new key"]))


@pytest.mark.parametrize(
    "payload",
    [b"Zm9v", b"YQpiCmM", b"YQpiCnRlc3QKdGVzdA", b"_w", b"A", b"Zm9vCg=", b"."],
    ids=["one word", "no test", "four words", "not UTF-8", "not Base64", "padding", "a dot"],
)
def test_a_good_signature_over_another_shape_grants_nothing(payload: bytes) -> None:
    signer = Signer(
        "the key of these tests",
        salt=Purpose.UNSUBSCRIBE.value,
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
    assert _is_refused(signer.sign(payload).decode())
    # It is the payload that is refused.
    good = TOKEN.partition(".")[0].encode()
    assert signer.sign(good).decode() == TOKEN


@given(st.text(max_size=80), st.text(max_size=30))
def test_a_message_ref_is_26_characters_for_any_edition_and_person(
    edition: str, subscriber: str
) -> None:
    ref = TOKENS.message_ref(edition, subscriber)
    assert re.fullmatch(r"[a-z2-7]{26}", ref)
    assert ref == TOKENS.message_ref(edition, subscriber)


def test_a_message_ref_is_of_one_edition_one_person_and_one_key() -> None:
    refs = {
        TOKENS.message_ref("edition", "anna"),
        TOKENS.message_ref("edition", "ben"),
        TOKENS.message_ref("other", "anna"),
        TOKENS.message_ref("editionanna", ""),
        Tokens(["another key"]).message_ref("edition", "anna"),
    }
    assert len(refs) == 5
    # Old keys verify links; a message keeps its name only as long as the first key stays.
    assert Tokens(["k1", "k0"]).message_ref("e", "a") == Tokens(["k1"]).message_ref("e", "a")

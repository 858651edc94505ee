import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.audience.details import (
    MAX_ATTRIBUTE_LENGTH,
    MAX_NAME_LENGTH,
    Names,
    attribute_key,
    clean_attribute,
    clean_name,
    complete_names,
    language_tag,
    make_person,
    parse_attributes,
    updated_names,
)
from newsletter_mail.errors import InputError, InvalidAddress
from newsletter_mail.merge import parse_merge_tag

NAMES = st.builds(
    Names,
    name=st.text("abc ", max_size=8).map(str.strip),
    first_name=st.text("abc ", max_size=4).map(str.strip),
    last_name=st.text("abc ", max_size=4).map(str.strip),
)


@pytest.mark.parametrize(
    ("given_names", "name", "first_name", "last_name"),
    [
        (Names(name="Ana"), "Ana", "Ana", ""),
        (Names(name="Ana Maria Silva"), "Ana Maria Silva", "Ana", ""),
        (Names(first_name="Ana", last_name="Silva"), "Ana Silva", "Ana", "Silva"),
        (Names(last_name="Silva"), "Silva", "", "Silva"),
        (Names(name="Dr Silva", first_name="Ana"), "Dr Silva", "Ana", ""),
        (Names(), "", "", ""),
    ],
)
def test_names_are_completed(
    given_names: Names, name: str, first_name: str, last_name: str
) -> None:
    expected = Names(name=name, first_name=first_name, last_name=last_name)
    assert complete_names(given_names) == expected


@given(NAMES)
def test_completing_twice_changes_nothing(names: Names) -> None:
    once = complete_names(names)
    assert complete_names(once) == once


@given(NAMES.map(complete_names), NAMES)
def test_updating_twice_changes_nothing(stored: Names, new: Names) -> None:
    once = updated_names(stored, new)
    assert updated_names(once, new) == once


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (Names(), Names(name="Ana Silva", first_name="Ana")),
        (Names(first_name="Anna"), Names(name="Ana Silva", first_name="Anna")),
        (Names(name="Berta Jones"), Names(name="Berta Jones", first_name="Berta")),
        (Names(last_name="Costa"), Names(name="Ana Costa", first_name="Ana", last_name="Costa")),
    ],
)
def test_a_known_person_keeps_what_is_not_given(new: Names, expected: Names) -> None:
    assert updated_names(Names(name="Ana Silva", first_name="Ana"), new) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Ana\r\nBcc: x@example.org", r"name: has a line break \(U\+000D\)"),
        ("Ana\nSilva", r"a line break \(U\+000A\)"),
        ("Ana\u2028Silva", r"a line break \(U\+2028\)"),
        ("Ana\x00", r"a control character \(U\+0000\)"),
        ("Ana\tSilva", r"a control character \(U\+0009\)"),
        ("Ana\x85", r"a control character \(U\+0085\)"),
        ("Ana \u202egro", r"turns the direction of text \(U\+202E\)"),
        ("An\udce1", "bytes that are not text"),
        ("x" * (MAX_NAME_LENGTH + 1), "is 201 characters long; 200 are allowed"),
    ],
)
def test_a_name_that_cannot_be_stored_says_why(value: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        clean_name("name", value)


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "{{ 7*7 }}", "{% import os %}", "José Ñ", "李", "x" * 200, "O'N"],
)
def test_a_strange_name_is_kept_as_it_is(name: str) -> None:
    assert clean_name("name", f"  {name} \xa0") == name


def test_an_attribute_may_have_several_lines() -> None:
    assert clean_attribute("notes", " one\r\ntwo\rthree\n") == "one\ntwo\nthree"


@pytest.mark.parametrize("value", ["a\x00b", "a\x1bb", "x" * (MAX_ATTRIBUTE_LENGTH + 1)])
def test_an_attribute_that_cannot_be_stored_names_its_column(value: str) -> None:
    with pytest.raises(InputError, match=r"^notes: "):
        clean_attribute("notes", value)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("", ""),
        ("EN", "en"),
        ("pt_br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        (" fr ", "fr"),
        ("es-419", "es-419"),
    ],
)
def test_a_language_tag_is_written_as_the_rfc_does(text: str, tag: str) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize("text", ["English", "e", "en us", "en-", "x" * 36, "ü", "en\r\nX: y"])
def test_what_is_no_language_tag_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^language: .*not a language tag"):
        language_tag(text)


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Region", "region"),
        ("Job Title", "job_title"),
        ("  E-Mail (work) ", "e_mail_work"),
        ("2023 gift", "x_2023_gift"),
        ("Straße", "strasse"),
        ("***", ""),
    ],
)
def test_a_title_becomes_a_name_for_merge_tags(title: str, key: str) -> None:
    assert attribute_key(title) == key


@given(st.text(max_size=100))
def test_an_attribute_key_is_stable_and_can_be_used_in_a_merge_tag(title: str) -> None:
    key = attribute_key(title)
    assert attribute_key(key) == key
    if key.isascii() and key:
        assert parse_merge_tag(f"subscriber.attributes.{key}").names


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("region", "write KEY=VALUE"),
        ("Job Title=x", "write job_title=…"),
        ("=x", "cannot be named"),
        ("region=a\x00", "region: has a control character"),
    ],
)
def test_an_attribute_typed_wrong_says_how_to_write_it(setting: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_attributes([setting])


def test_a_value_may_have_an_equals_sign_in_it() -> None:
    assert parse_attributes(["formula=a=b"]) == {"formula": "a=b"}


def test_a_bad_address_is_refused() -> None:
    with pytest.raises(InvalidAddress):
        make_person("nobody", names=Names(), language="", attributes={})

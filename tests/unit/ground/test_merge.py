import re
import time
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.errors import MergeTagError, MergeValueMissing, MessageError
from newsletter_mail.merge import (
    KNOWN_NAMES,
    MAX_LENGTH,
    MergeTag,
    parse_merge_tag,
    split_merge_tags,
)

SCOPE: Mapping[str, object] = {
    "subscriber": {
        "email": "anna@example.org",
        "name": "Anna Adler",
        "first_name": "Anna",
        "last_name": "",
        "language": "fr",
        "attributes": {"city": "Mardan", "children": 2.0, "member": True, "nothing": None},
    },
    "issue": {"slug": "s", "title": "The title", "language": "en"},
    "web_url": "https://example.org/i/s",
}

_PIECES = st.sampled_from(
    [
        *(
            "subscriber",
            "subscriber.name",
            "subscriber.attributes",
            "issue.title",
            "web_url",
            "self",
        ),
        *(".__class__", ".__mro__", ".name", "['name']", "[0]", "[", "]", "(", ")", "()", "{", "}"),
        *(
            "|",
            "|upper",
            "|default('x')",
            "|default",
            "|attr('x')",
            "|map",
            " if ",
            " else ",
            " or ",
        ),
        *(
            " and ",
            " not ",
            " in ",
            " is ",
            "==",
            "!=",
            "<",
            "~",
            "+",
            "-",
            "*",
            "**",
            "//",
            "%",
            ",",
        ),
        *(
            "'",
            '"',
            "'x'",
            "1",
            "1e999",
            "9" * 300,
            "true",
            "none",
            "\\",
            "\\ud800",
            "\\N{x}",
            "\\x",
        ),
        *("{{", "}}", "{%", "%}", "{#", "#}", "raw", "import os", "\n", "\r", "\0", " ", "\u2028"),
    ]
)
_EXPRESSIONS = st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=25).map("".join)


def _filled(expression: str) -> str:
    return parse_merge_tag(expression).value(SCOPE)


def _refusal(expression: str) -> str:
    with pytest.raises(MergeTagError) as caught:
        parse_merge_tag(expression)
    return str(caught.value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("subscriber.name", "Anna Adler"),
        ("  subscriber.name\t", "Anna Adler"),
        ("subscriber['name']", "Anna Adler"),
        ("(subscriber.name)", "Anna Adler"),
        ("subscriber.attributes.city", "Mardan"),
        ("subscriber.attributes['city']", "Mardan"),
        ("subscriber.attributes.children", "2"),
        ("subscriber.attributes.member", "true"),
        ("issue.title", "The title"),
        ("web_url", "https://example.org/i/s"),
        ("subscriber.last_name | default('friend')", "friend"),
        ("subscriber.attributes.nothing | default('friend')", "friend"),
        ("subscriber.attributes.absent | default('friend')", "friend"),
        ("subscriber.attributes.absent | default('friend', true)", "friend"),
        ("subscriber.name | default('friend')", "Anna Adler"),
        ("subscriber.last_name | default(subscriber.first_name)", "Anna"),
        ("subscriber.last_name | default(7)", "7"),
        ("subscriber.last_name | upper | default('x')", "x"),
        ("subscriber.first_name | upper", "ANNA"),
        ("subscriber.first_name | lower", "anna"),
        ("subscriber.attributes.absent | default('são paulo') | capitalize", "São paulo"),
        ("subscriber.attributes.absent | default(' x ') | trim", "x"),
        ("subscriber.last_name or subscriber.first_name", "Anna"),
        ("subscriber.first_name or 'x'", "Anna"),
        ("subscriber.last_name or none or 'x'", "x"),
        ("'Bonjour' if subscriber.language == 'fr' else 'Hello'", "Bonjour"),
        ("'Bonjour' if subscriber.language != 'fr' else 'Hello'", "Hello"),
        ("'yes' if subscriber.attributes.member else 'no'", "yes"),
        ("'yes' if subscriber.last_name else 'no'", "no"),
        ("'yes' if subscriber.attributes.absent == 'x' else 'no'", "no"),
        ("'{{' or subscriber.name", "{{"),
    ],
)
def test_what_a_merge_tag_says(expression: str, value: str) -> None:
    assert _filled(expression) == value


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "is not a merge tag: Expected an expression"),
        ("7*7", "it may have names, texts, filters, 'or' and 'if … else', nothing else"),
        ("7", "says the same to everybody"),
        ("'text'", "says the same to everybody"),
        ("'a' if true else 'b'", "says the same to everybody"),
        ("subscriber.name()", "nothing else"),
        ("subscriber.name ~ 'x'", "nothing else"),
        ("not subscriber.name", "nothing else"),
        ("subscriber.name and 'x'", "nothing else"),
        ("subscriber.name is defined", "nothing else"),
        ("subscriber.name < 'x'", "nothing else"),
        ("'x' if subscriber.name", "nothing else"),
        ("[subscriber.name]", "nothing else"),
        ("{'a': subscriber.name}", "nothing else"),
        ("subscriber.name, subscriber.email", "nothing else"),
        ("subscriber.name | default(7*7)", "nothing else"),
        ("subscriber", "there is no subscriber; did you mean "),
        ("subscriber.attributes", "there is no subscriber.attributes"),
        ("subscriber.frist_name", "did you mean subscriber.first_name?"),
        ("subscriber.__class__", "there is no subscriber.__class__"),
        ("subscriber.attributes.a.b", "there is no subscriber.attributes.a.b"),
        ("''.__class__.__mro__", "write names such as subscriber.name"),
        ("subscriber[web_url]", "write names such as subscriber.name"),
        ("subscriber.attributes[0]", "write names such as subscriber.name"),
        ("config", "there is no config; known are subscriber.email, "),
        ("subscriber.name | defualt('x')", "no filter defualt of that form; did you mean default?"),
        ("subscriber.name | default", "there is no filter default of that form"),
        ("subscriber.name | default()", "there is no filter default of that form"),
        ("subscriber.name | default('x', 7*7)", "there is no filter default of that form"),
        ("subscriber.name | default('x', boolean=true)", "no filter default of that form"),
        ("subscriber.name | upper('x')", "there is no filter upper of that form"),
        ("subscriber.name | attr('x')", "there is no filter attr of that form; known are default"),
        ("subscriber.name }} {{ subscriber.email", "is not a merge tag"),
        ("subscriber.name }} text", "is not a merge tag"),
        ("subscriber.name %}{% import os", "is not a merge tag"),
        ("subscriber.\nname", "a merge tag must stand on one line"),
        ("'\\ud800' or subscriber.name", "half a character"),
        ("(" * 140 + "web_url" + ")" * 140, "nested too deeply"),
        ("x" * (MAX_LENGTH + 1), f"a merge tag has {MAX_LENGTH} letters at most"),
        ("9" * 5000 + " or web_url", "letters at most"),
        ("web_url" + "|trim" * 3000, "letters at most"),
    ],
)
def test_what_a_merge_tag_may_not_have(expression: str, sentence: str) -> None:
    refusal = _refusal(expression)
    assert sentence in refusal
    assert "\n" not in refusal
    assert len(refusal) < 2 * MAX_LENGTH


@given(_EXPRESSIONS)
@example("(" * 290)
@example("web_url" + "|trim" * 58)
@example("web_url" + " or 1" * 58)
@example("1if 1else " * 29 + "web_url")
@example("-" * 299)
@example("web_url or " + "9" * 289)
@example("web_url or 1e999")
def test_any_text_is_a_merge_tag_or_refused(expression: str) -> None:
    try:
        tag = parse_merge_tag(expression)
    except MergeTagError:
        return
    assert tag.names
    assert all(
        name in KNOWN_NAMES or name.startswith("subscriber.attributes.") for name in tag.names
    )
    try:
        value = tag.value(SCOPE)
    except MergeValueMissing as error:
        assert error.expression == tag.expression  # noqa: PT017 - either is right
        return
    assert value
    # Nothing of Python shows.
    assert "<class" not in value
    assert " object at 0x" not in value


class _Trap:
    """Tells on whoever touches it."""

    def __getattribute__(self, name: str) -> object:
        if name in ("__class__", "__str__", "__repr__"):
            return object.__getattribute__(self, name)
        raise AssertionError(name)

    def __str__(self) -> str:
        return "literally"


@pytest.mark.parametrize("key", ["__class__", "__init__", "keys", "get", "secret", "items"])
def test_no_attribute_of_a_python_object_is_reached(key: str) -> None:
    tag = parse_merge_tag(f"subscriber.attributes.{key} | default('nothing')")
    assert tag.value({"subscriber": {"attributes": {}}}) == "nothing"
    assert tag.value({"subscriber": {"attributes": _Trap()}}) == "nothing"
    assert tag.value({"subscriber": _Trap()}) == "nothing"
    assert tag.value({}) == "nothing"


@given(st.text(min_size=1))
@example("{{ 7*7 }}")
@example("{% import os %}")
@example("<script>alert(1)</script>")
@example("%s {0} ${x} \\1")
def test_a_value_comes_out_as_it_is(value: str) -> None:
    scope = {"subscriber": {"first_name": value}}
    assert parse_merge_tag("subscriber.first_name").value(scope) == value
    assert parse_merge_tag("subscriber.first_name | default('x')").value(scope) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (3.0, "3"),
        (3.5, "3.5"),
        (float("inf"), "inf"),
        (False, "false"),
        (["a", 2.0, True], "a, 2, true"),
        (0, "0"),
    ],
)
def test_how_values_that_are_no_texts_are_written(value: object, text: str) -> None:
    scope = {"subscriber": {"attributes": {"x": value}}}
    assert parse_merge_tag("subscriber.attributes.x").value(scope) == text


@pytest.mark.parametrize(
    "expression", ["subscriber.attributes.x", "subscriber.attributes.x | upper"]
)
def test_a_list_that_is_nested_beyond_the_stack_is_refused(expression: str) -> None:
    nested: list[object] = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(MessageError, match="nested too deeply"):
        parse_merge_tag(expression).value({"subscriber": {"attributes": {"x": nested}}})


@pytest.mark.parametrize(
    "expression",
    ["subscriber.last_name", "subscriber.last_name | default('')", "subscriber.attributes.absent"],
)
def test_no_value_and_no_default_is_an_error_that_says_what_to_write(expression: str) -> None:
    with pytest.raises(MergeValueMissing) as caught:
        parse_merge_tag(expression).value(SCOPE)
    assert caught.value.expression == expression
    assert f'write {{{{ {expression} | default("…") }}}}' in str(caught.value)


def test_names_are_those_that_are_read() -> None:
    tag = parse_merge_tag(
        "subscriber.name or issue.title if subscriber.attributes.a == 'x' else web_url"
    )
    assert tag.names == {"subscriber.name", "issue.title", "subscriber.attributes.a", "web_url"}


def test_a_text_is_taken_apart_in_order() -> None:
    parts = split_merge_tags("Dear {{ subscriber.name }},\n{{web_url}}{{ issue.title }} }")
    assert [part.expression if isinstance(part, MergeTag) else part for part in parts] == [
        "Dear ",
        "subscriber.name",
        ",\n",
        "web_url",
        "issue.title",
        " }",
    ]


@pytest.mark.parametrize("text", ["", "plain { text } 100% #1", "{ {x} }", "}"])
def test_a_text_without_merge_tags_stays(text: str) -> None:
    assert split_merge_tags(text) == ([text] if text else [])


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("a\nb {{ 7*7 }}", 2, "nothing else"),
        ("a\n\n{{ web_url", 3, "{{ without its }}"),
        ("{{ web_url }}\n}}", 2, "}} without its {{"),
        ("{{ web_url }} }} {{ web_url }}", 1, "}} without its {{"),
        ("a\n{% import os %}", 2, "{% is not allowed here"),
        ("a %}", 1, "%} is not allowed here"),
        ("\n\n\n{# a #}", 4, "{# is not allowed here"),
        ("#}", 1, "#} is not allowed here"),
        ("x\n{{ web_url\n}}", 2, "must stand on one line"),
        ("{% x %}\n{{ nope }}", 1, "{% is not allowed here"),
        ("{{ {{ web_url }} }}", 1, "is not a merge tag"),
        ("{{", 1, "{{ without its }}"),
    ],
)
def test_a_refusal_names_the_line(text: str, line: int, sentence: str) -> None:
    with pytest.raises(MergeTagError, match=re.escape(sentence)) as caught:
        split_merge_tags(text)
    assert caught.value.line == line


@given(st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=25).map("".join))
def test_any_text_splits_or_is_refused_with_its_line(text: str) -> None:
    try:
        parts = split_merge_tags(text)
    except MergeTagError as error:
        assert error.line is not None  # noqa: PT017 - either is right
        assert 1 <= error.line <= text.count("\n") + 1  # noqa: PT017 - either is right
        return
    for part in parts:
        if isinstance(part, str):
            assert not re.search(r"\{\{|\}\}|\{%|%\}|\{#|#\}", part)
    literal = sum(len(part) for part in parts if isinstance(part, str))
    assert literal + sum(len(tag[0]) for tag in re.finditer(r"\{\{.*?\}\}", text)) == len(text)


@pytest.mark.parametrize("text", ["{{" * 200_000, "{" * 400_000, "{{ a " * 100_000])
def test_a_long_text_is_read_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(MergeTagError):
        split_merge_tags(text)
    assert time.perf_counter() - start < 2

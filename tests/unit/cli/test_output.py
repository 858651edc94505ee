import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.cli.console import say_table
from newsletter_mail.cli.output import (
    as_json,
    complain,
    note,
    say,
    say_json,
    shown,
    warn,
)

#: What moves a cursor, rings, colours, or turns text round (C0, C1, and the bidi controls).
FORBIDDEN = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} | set(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
HOSTILE = "Anna\x1b[2J\x1b]0;title\x07\r\x9b31m\u202e\u2066\x08\x7f\0\tx\ny"


def _printed(print_it: Callable[[], None]) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        print_it()
    return out.getvalue(), err.getvalue()


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example(HOSTILE)
def test_what_is_shown_is_one_line_and_moves_nothing(text: str) -> None:
    safe = shown(text)
    assert len(safe) == len(text)
    assert not set(safe) & FORBIDDEN
    assert all(new in (old, " ", "�") for old, new in zip(text, safe, strict=True))


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@example({HOSTILE: [HOSTILE, "São Paulo 用户"]})
def test_json_is_safe_on_a_terminal_and_loses_nothing(document: object) -> None:
    for text in (as_json(document), as_json(document, indent=2)):
        assert not set(text) & (FORBIDDEN - {"\n"})
        assert json.loads(text) == document
    assert "\n" not in as_json(document)


def test_json_is_for_people_too() -> None:
    out, err = _printed(lambda: say_json({"name": "São Paulo", "count": 2}))
    assert out == '{\n  "name": "São Paulo",\n  "count": 2\n}\n'
    assert err == ""


@pytest.mark.parametrize(
    ("print_it", "stream"),
    [(complain, "err"), (warn, "err"), (lambda x: say_table(["a"], [[x]]), "out")],
)
def test_nothing_hostile_gets_through(print_it: Callable[[str], None], stream: str) -> None:
    out, err = _printed(lambda: print_it(HOSTILE))
    text = err if stream == "err" else out
    assert "Anna" in text
    assert not set(text) & (FORBIDDEN - {"\n"})
    assert (out if stream == "err" else err) == ""


def test_results_and_notes_go_different_ways() -> None:
    assert _printed(lambda: say("result")) == ("result\n", "")
    assert _printed(lambda: note("note")) == ("", "note\n")
    assert _printed(lambda: warn("careful")) == ("", "Warning: careful\n")
    assert _printed(lambda: complain("one\ntwo")) == ("", "Error: one\nError: two\n")


def test_a_table_in_a_pipe_is_not_cut() -> None:
    long = "x" * 300
    out, _ = _printed(lambda: say_table(["first", "second"], [[long, 1], ["[bold]", None]]))
    assert long in out
    # What looks like rich's own markup is text.
    assert "[bold]" in out
    assert len(out.splitlines()) == 3

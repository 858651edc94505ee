import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter_mail.audience.spreadsheets import guard, unguard


@given(st.text("'=+-@\t\rab", max_size=6))
@example("''=x")
def test_what_is_guarded_comes_back(value: str) -> None:
    assert unguard(guard(value)) == value


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_guarded(value: str) -> None:
    assert guard(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", "a=b", "'quoted'", "O'Neill", "anna@example.org"])
def test_other_text_stays(value: str) -> None:
    assert guard(value) == unguard(value) == value

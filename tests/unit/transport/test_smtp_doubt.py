"""What one fault may leave uncertain: a window at most, whatever the order of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.transport.smtp_doubt import Doubt


@pytest.mark.parametrize("connections", [1, 2, 3, 10, 50])
def test_a_fault_costs_a_window_at_most(connections: int) -> None:
    doubt = Doubt(connections)
    for _ in range(connections):
        assert not doubt.is_final
        doubt.lose(is_probe=False)
    probes = 0
    while not doubt.is_final:
        doubt.lose(is_probe=True)
        probes += 1
    assert probes >= 1
    assert connections + probes <= 2 * connections


def test_a_few_messages_show_whether_a_fault_has_passed() -> None:
    doubt = Doubt(50)
    doubt.lose(is_probe=False)
    assert doubt.is_open
    for _ in range(3):
        assert not doubt.is_final
        doubt.lose(is_probe=True)
    assert doubt.is_final


def test_an_answer_ends_the_doubt() -> None:
    doubt = Doubt(2)
    doubt.lose(is_probe=False)
    doubt.lose(is_probe=False)
    doubt.answer()
    assert not doubt.is_open
    assert not doubt.is_final
    for _ in range(20):
        doubt.answer()
    doubt.lose(is_probe=False)
    doubt.lose(is_probe=False)
    assert not doubt.is_final


def test_every_second_message_lost_is_a_fault() -> None:
    doubt = Doubt(10)
    lost = 0
    while not doubt.is_final:
        doubt.answer()
        doubt.lose(is_probe=False)
        lost += 1
    assert lost <= 20


def test_one_message_in_a_hundred_lost_is_a_bad_line() -> None:
    doubt = Doubt(1)
    for _ in range(1000):
        for _ in range(99):
            doubt.answer()
        doubt.lose(is_probe=False)
        assert not doubt.is_final


@given(st.integers(1, 20), st.lists(st.booleans(), max_size=100))
def test_what_is_lost_in_a_row_is_bounded(connections: int, losses: list[bool]) -> None:
    doubt = Doubt(connections)
    row = 0
    for is_loss in losses:
        if doubt.is_final:
            break
        if is_loss:
            doubt.lose(is_probe=doubt.is_open)
            row += 1
        else:
            doubt.answer()
            row = 0
        assert doubt.is_open == (row > 0)
        assert row <= connections + 1

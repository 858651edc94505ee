from enum import StrEnum

import pytest

from newsletter_mail import words
from newsletter_mail.store.schema import DELIVERY_STATE, SUBSCRIPTION_STATE
from newsletter_mail.words import DeliveryState, Envelope, Outgoing, Reply, SubscriptionState

_ENUMS = [
    one
    for one in vars(words).values()
    if isinstance(one, type) and issubclass(one, StrEnum) and one is not StrEnum
]


@pytest.mark.parametrize("enum", _ENUMS, ids=lambda one: one.__name__)
def test_a_word_is_its_name_in_small_letters(enum: type[StrEnum]) -> None:
    assert [member.value for member in enum] == [name.lower() for name in enum.__members__]


def test_every_state_has_its_number_in_the_tables() -> None:
    assert set(DELIVERY_STATE.members) == set(DeliveryState)
    assert set(SUBSCRIPTION_STATE.members) == set(SubscriptionState)


def test_an_answer_of_no_server_has_no_number() -> None:
    assert str(Reply(250, "2.0.0 OK", "2.0.0")) == "250 2.0.0 OK"
    assert str(Reply(0, "the connection was lost")) == "the connection was lost"


def test_the_size_of_a_message_is_that_of_its_pieces() -> None:
    envelope = Envelope(sender="b+r@x.org", recipient="a@x.org")
    assert Outgoing(1, "r", envelope, (b"ab", b"", b"c\r\n")).size == 5

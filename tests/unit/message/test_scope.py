from collections.abc import Mapping

import pytest

from newsletter_mail.merge import KNOWN_NAMES
from newsletter_mail.message.scope import full_name, merge_scope
from newsletter_mail.words import Recipient
from tests.unit.message.conftest import LINKS, make_build


@pytest.mark.parametrize("name", KNOWN_NAMES)
def test_every_known_name_is_in_the_scope(name: str) -> None:
    recipient = Recipient(public_id="p", email="a@example.org")
    value: object = merge_scope(make_build(), recipient, LINKS)
    for key in name.split("."):
        assert isinstance(value, Mapping)
        assert key in value
        value = value[key]


def test_the_scope_says_whose_message_it_is() -> None:
    recipient = Recipient(
        public_id="p",
        email="Anna@example.org",
        first_name="Anna",
        last_name="Berg",
        language="sv",
        attributes={"city": "Malmö"},
    )

    assert merge_scope(make_build(), recipient, LINKS) == {
        "subscriber": {
            "email": "Anna@example.org",
            "first_name": "Anna",
            "last_name": "Berg",
            "name": "Anna Berg",
            "language": "sv",
            "attributes": {"city": "Malmö"},
        },
        "issue": {"slug": "2023-summer", "title": "Summer & Sun", "language": "en"},
        "unsubscribe_url": LINKS.unsubscribe_url,
        "preferences_url": LINKS.preferences_url,
        "web_url": LINKS.web_url,
    }


@pytest.mark.parametrize(
    ("name", "first", "last", "full"),
    [
        ("Dr. Berg", "Anna", "Berg", "Dr. Berg"),
        ("", "Anna", "", "Anna"),
        ("", "", "Berg", "Berg"),
        ("", "", "", ""),
    ],
)
def test_a_name_is_put_together_only_where_none_is_given(
    name: str, first: str, last: str, full: str
) -> None:
    recipient = Recipient(
        public_id="p", email="a@example.org", name=name, first_name=first, last_name=last
    )
    assert full_name(recipient) == full

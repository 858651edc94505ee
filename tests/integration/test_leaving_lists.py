from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter_mail.audience.details import Names, make_person
from newsletter_mail.audience.erasure import erase_subscriber
from newsletter_mail.audience.history import history_of
from newsletter_mail.audience.subscribers import (
    Subscriber,
    add_subscriber,
    find_by_public_id,
    find_subscriber,
)
from newsletter_mail.audience.subscriptions import undo_unsubscribe, unsubscribe
from newsletter_mail.audience.suppressions import add_suppression, is_suppressed
from newsletter_mail.store.migrate import open_database
from newsletter_mail.words import Recipient, SuppressionReason

NOW = datetime(2023, 7, 1, tzinfo=UTC)
KEYS = ["a key that is only for tests"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'newsletter.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def anna(engine: Engine) -> Subscriber:
    person = make_person(
        "anna@example.org", names=Names(name="Anna Smith"), language="en", attributes={"a": "b"}
    )
    add_subscriber(engine, person, list_slug="main", source="cli", now=NOW, secret_keys=KEYS)
    return find_subscriber(engine, "anna@example.org")


def test_a_subscriber_is_a_recipient(anna: Subscriber) -> None:
    assert anna.recipient == Recipient(
        public_id=anna.public_id,
        email="anna@example.org",
        name="Anna Smith",
        first_name="Anna",
        language="en",
        attributes={"a": "b"},
    )


def test_leaving_is_undone_once_and_all_of_it_is_recorded(engine: Engine, anna: Subscriber) -> None:
    later = NOW + timedelta(minutes=1)
    left = unsubscribe(engine, anna.id, source="one-click summer", now=NOW)
    assert left == ("main",)
    assert unsubscribe(engine, anna.id, source="one-click summer", now=NOW) == ()
    assert undo_unsubscribe(engine, anna.id, list_slugs=left, source="undo", now=later) == left
    assert undo_unsubscribe(engine, anna.id, list_slugs=left, source="undo", now=later) == ()
    events = history_of(engine, "anna@example.org").events
    assert [(event.kind, event.source) for event in events] == [
        ("joined", "cli"),
        ("left", "one-click summer"),
        ("undone", "undo"),
    ]


def test_a_link_finds_its_person_until_they_are_erased(engine: Engine, anna: Subscriber) -> None:
    assert find_by_public_id(engine, anna.public_id) == anna
    assert find_by_public_id(engine, anna.public_id[:-1]) is None
    erase_subscriber(engine, anna.email, secret_keys=KEYS, source="web", now=NOW)
    assert find_by_public_id(engine, anna.public_id) is None
    assert is_suppressed(engine, anna.email_key, secret_keys=KEYS)
    assert not is_suppressed(engine, anna.email_key, secret_keys=["another key, of 20 letters"])


def test_only_what_was_suppressed_is(engine: Engine) -> None:
    add_suppression(
        engine, "Dead@example.org", reason=SuppressionReason.HARD_BOUNCE, source="t", now=NOW
    )
    assert is_suppressed(engine, "dead@example.org", secret_keys=KEYS)
    assert not is_suppressed(engine, "other@example.org", secret_keys=KEYS)

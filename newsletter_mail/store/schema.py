"""The tables, as SQLAlchemy Core; the migrations in ``migrations/`` make them.

Rows of ``deliveries`` hold no address: when a person is erased, what was sent stays countable.
Every state is a small number in the table and a word everywhere else (``Coded``).
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
)

from newsletter_mail.words import DeliveryState, SubscriptionState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite counts only INTEGER PRIMARY KEY by itself.
RowId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone, and give the database UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Coded(TypeDecorator[StrEnum]):
    """A StrEnum stored as a small number: 2 bytes a row, and an order that never changes.

    Args:
        members: in the order of their numbers; new ones go to the end.
    """

    impl = SmallInteger
    cache_ok = True

    def __init__(self, *members: StrEnum) -> None:
        super().__init__()
        self.members = members
        self._codes = {member: code for code, member in enumerate(members)}

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> int | None:
        """The number of a member."""
        return None if value is None else self._codes[value]

    def process_result_value(self, value: int | None, dialect: Dialect) -> StrEnum | None:
        """The member of a number."""
        return None if value is None else self.members[value]


#: Indexes over just the numbers 0 to 3 find the work in a table of any length.
DELIVERY_STATE = Coded(
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
    DeliveryState.UNCERTAIN,
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
    DeliveryState.BOUNCED,
)
SUBSCRIPTION_STATE = Coded(
    SubscriptionState.PENDING, SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", RowId, primary_key=True),
    # Random; stands for the person in links.
    Column("public_id", String(22), nullable=False),
    # Both are NULL once the person is erased.
    Column("email", String(320)),
    Column("email_key", String(320)),
    Column("name", Text, nullable=False, server_default=""),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("language", String(35), nullable=False, server_default=""),
    Column("attributes", JSON, nullable=False, server_default="{}"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),
    UniqueConstraint("public_id"),
    UniqueConstraint("email_key"),
)

lists = Table(
    "lists",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("slug", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("slug"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("list_id", ForeignKey("lists.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("state", SUBSCRIPTION_STATE, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("list_id", "subscriber_id"),
    CheckConstraint("state BETWEEN 0 AND 2", name="state"),
    Index(None, "subscriber_id"),
    sqlite_with_rowid=False,
)

consent_events = Table(
    "consent_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("list_id", ForeignKey("lists.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # What did it: "cli", "import people.csv", "one-click 2023-summer".
    Column("source", Text, nullable=False),
    Index(None, "subscriber_id", "at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("email_key", String(320), primary_key=True),
    Column("reason", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("source", Text, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("slug", String(128), nullable=False),
    # Over the editions of all languages.
    Column("digest", String(64), nullable=False),
    Column("frozen_at", UtcDateTime, nullable=False),
    Column("cancelled_at", UtcDateTime),
    UniqueConstraint("slug"),
)

editions = Table(
    "editions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("issue_id", ForeignKey("issues.id"), nullable=False),
    Column("language", String(35), nullable=False),
    Column("is_default", SmallInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    # The version of this program that compiled it.
    Column("version", String(32), nullable=False),
    UniqueConstraint("issue_id", "language"),
)

pictures = Table(
    "pictures",
    metadata,
    # Hex digest and suffix, as in the address.
    Column("name", String(80), primary_key=True),
    Column("media_type", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    # The dedup: one issue reaches a subscriber once, whatever list or language it went by.
    # issue_id leads, so that PostgreSQL can partition by it.
    Column("issue_id", ForeignKey("issues.id"), nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    # The list that the delivery was planned by; leaving it before the claim means "skipped".
    Column("list_id", ForeignKey("lists.id"), nullable=False),
    Column("state", DELIVERY_STATE, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    # Not to be claimed before; a pending row is due from the moment it is planned.
    Column("due_at", UtcDateTime, nullable=False),
    # Who claims it: a random number of that run, and how long its word holds.
    Column("claim", String(32)),
    Column("leased_until", UtcDateTime),
    # The Date header of the message, the same at every try.
    Column("first_tried_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    # Message-ID and envelope sender; given at the first claim.
    Column("message_ref", String(26)),
    # Why it is where it is, in a word (Verdict, or the reason of a skip).
    Column("reason", String(24), nullable=False, server_default=""),
    # The last answer of the server, word for word.
    Column("reply", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("issue_id", "subscriber_id"),
    CheckConstraint("state BETWEEN 0 AND 7", name="state"),
    Index(None, "subscriber_id"),
    Index(None, "message_ref"),
    sqlite_with_rowid=False,
)
# Written with literal numbers: SQLite takes a partial index only where the query has its very
# condition, and a bound value is not that.
is_waiting = deliveries.c.state.in_([literal_column("0"), literal_column("2")])
is_in_doubt = deliveries.c.state.in_([literal_column("1"), literal_column("3")])
Index(
    "ix_deliveries_waiting",
    deliveries.c.issue_id,
    deliveries.c.due_at,
    deliveries.c.subscriber_id,
    sqlite_where=is_waiting,
    postgresql_where=is_waiting,
)
Index(
    "ix_deliveries_in_doubt",
    deliveries.c.issue_id,
    sqlite_where=is_in_doubt,
    postgresql_where=is_in_doubt,
)

attempts = Table(
    "attempts",
    metadata,
    # A row for each try that did not end in "sent"; that one is in the delivery itself, so that
    # a million good deliveries do not cost a million rows more.
    Column("id", RowId, primary_key=True),
    Column("issue_id", BigInteger, nullable=False),
    Column("subscriber_id", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("verdict", String(24), nullable=False),
    Column("stage", String(8), nullable=False),
    Column("reply", Text, nullable=False),
    Index(None, "issue_id", "subscriber_id"),
)

tests = Table(
    "tests",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("slug", String(128), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("email", String(320), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("verdict", String(24), nullable=False),
    Column("reply", Text, nullable=False),
    Index(None, "slug"),
    Index(None, "digest"),
)

#: A row as SQLAlchemy gives it by name.
Row = dict[str, Any]

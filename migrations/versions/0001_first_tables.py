"""The first tables."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_issue_id_subscriber_id", "attempts", ["issue_id", "subscriber_id"])

    op.create_table(
        "issues",
        sa.Column("id", RowId, nullable=False),
        sa.Column("slug", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", Time, nullable=False),
        sa.Column("cancelled_at", Time, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_issues"),
        sa.UniqueConstraint("slug", name="uq_issues_slug"),
    )
    op.create_table(
        "lists",
        sa.Column("id", RowId, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lists"),
        sa.UniqueConstraint("slug", name="uq_lists_slug"),
    )
    op.create_table(
        "pictures",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pictures"),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", RowId, nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.String(length=35), server_default="", nullable=False),
        sa.Column("attributes", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.Column("erased_at", Time, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("email_key", name="uq_subscribers_email_key"),
        sa.UniqueConstraint("public_id", name="uq_subscribers_public_id"),
    )
    op.create_table(
        "suppressions",
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("email_key", name="pk_suppressions"),
    )
    op.create_table(
        "tests",
        sa.Column("id", RowId, nullable=False),
        sa.Column("slug", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tests"),
    )
    op.create_index("ix_tests_digest", "tests", ["digest"])
    op.create_index("ix_tests_slug", "tests", ["slug"])

    op.create_table(
        "consent_events",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subscriber_id", RowId, nullable=False),
        sa.Column("list_id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_consent_events_list_id_lists"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_consent_events_subscriber_id_subscribers",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consent_events"),
    )
    op.create_index("ix_consent_events_subscriber_id_at", "consent_events", ["subscriber_id", "at"])

    op.create_table(
        "deliveries",
        sa.Column("issue_id", RowId, nullable=False),
        sa.Column("subscriber_id", RowId, nullable=False),
        sa.Column("list_id", RowId, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", Time, nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("leased_until", Time, nullable=True),
        sa.Column("first_tried_at", Time, nullable=True),
        sa.Column("done_at", Time, nullable=True),
        sa.Column("message_ref", sa.String(length=26), nullable=True),
        sa.Column("reason", sa.String(length=24), server_default="", nullable=False),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state BETWEEN 0 AND 7", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_deliveries_issue_id_issues"),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_deliveries_list_id_lists"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_deliveries_subscriber_id_subscribers"
        ),
        sa.PrimaryKeyConstraint("issue_id", "subscriber_id", name="pk_deliveries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deliveries_message_ref", "deliveries", ["message_ref"])
    waiting, in_doubt = sa.text("state IN (0, 2)"), sa.text("state IN (1, 3)")
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["issue_id", "due_at", "subscriber_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index(
        "ix_deliveries_in_doubt",
        "deliveries",
        ["issue_id"],
        sqlite_where=in_doubt,
        postgresql_where=in_doubt,
    )
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])

    op.create_table(
        "editions",
        sa.Column("id", RowId, nullable=False),
        sa.Column("issue_id", RowId, nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("is_default", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_editions_issue_id_issues"),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("issue_id", "language", name="uq_editions_issue_id_language"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("list_id", RowId, nullable=False),
        sa.Column("subscriber_id", RowId, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("changed_at", Time, nullable=False),
        sa.CheckConstraint("state BETWEEN 0 AND 2", name=op.f("ck_subscriptions_state")),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_subscriptions_list_id_lists"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_subscriptions_subscriber_id_subscribers"
        ),
        sa.PrimaryKeyConstraint("list_id", "subscriber_id", name="pk_subscriptions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_subscriptions_subscriber_id", "subscriptions", ["subscriber_id"])
    # A command that names no list means this one.
    lists = sa.table("lists", sa.column("slug"), sa.column("name"), sa.column("created_at", Time))
    op.bulk_insert(lists, [{"slug": "main", "name": "Main list", "created_at": datetime.now(UTC)}])


def downgrade() -> None:
    for table in (
        "subscriptions",
        "editions",
        "deliveries",
        "consent_events",
        "tests",
        "suppressions",
        "subscribers",
        "pictures",
        "lists",
        "issues",
        "attempts",
    ):
        op.drop_table(table)

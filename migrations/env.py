"""Alembic's entry: runs revisions on the connection that newsletter_mail.store.migrate gives."""

from alembic import context

from newsletter_mail.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

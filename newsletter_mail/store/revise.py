"""Runs the revisions in ``migrations/``; the one module that needs Alembic."""

import alembic.command
from alembic.config import Config
from sqlalchemy import Connection

from newsletter_mail.resources import resource_dir


def run_revisions(connection: Connection) -> None:
    """Run every revision that the database has not seen, in the transaction of the connection."""
    config = alembic_config()
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def alembic_config() -> Config:
    """Says where the revisions are."""
    config = Config()
    # "%" has a meaning in Alembic's settings.
    config.set_main_option("script_location", str(resource_dir("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config

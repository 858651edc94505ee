from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter_mail.store.migrate import open_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "newsletter.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()

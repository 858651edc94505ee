"""A newsroom with its settings and one short issue, and nobody on its list yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.newsroom import Newsroom, Post


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    made = Newsroom.make(tmp_path / "room")
    yield made
    made.close()


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as server:
        yield server

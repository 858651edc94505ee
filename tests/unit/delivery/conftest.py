from collections.abc import Iterator

import pytest

from tests.unit.delivery.town import Town


@pytest.fixture
def town() -> Iterator[Town]:
    """A list ``main`` with row 1, and the issue ``summer``; nobody is there yet."""
    with Town() as made:
        made.add_list(1, "main")
        made.freeze()
        yield made

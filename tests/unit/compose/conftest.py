from pathlib import Path

import pytest

from tests.unit.compose.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(workspace=tmp_path)

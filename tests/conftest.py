"""What all tests share."""

from pathlib import Path

import hypothesis
import pytest

from tests.integration.people import SECRET_KEY, Desk

# How long an example takes says something of the machine, and nothing of the program.
hypothesis.settings.register_profile("newsletter", deadline=None)
hypothesis.settings.load_profile("newsletter")

SAMPLE = "2023-summer-updates"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the files of tests/golden anew"
    )
    parser.addoption(
        "--update-looks", action="store_true", help="take the pictures of tests/browser/looks anew"
    )


@pytest.fixture(scope="session")
def built_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a build of the sample issue in a new workspace, signed with a fixed key."""
    desk = Desk(tmp_path_factory.mktemp("sample") / "workspace")
    desk.do("init", desk.path)
    (desk.path / ".env").write_text(f"NEWSLETTER_SECRET_KEY={SECRET_KEY}\n")
    out = desk.path / "out"
    ended = desk.do("build", SAMPLE, "--out", out)
    assert ended.out == f"{out / SAMPLE / 'en' / 'index.html'}\n"
    return out / SAMPLE / "en"

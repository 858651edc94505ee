"""What is in the wheel, and that nothing else is; ``make smoke`` installs and uses it."""

import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hatchling.builders.wheel import WheelBuilder

from newsletter_mail import __version__

ROOT = Path(__file__).parents[2]
#: Folder in the wheel, and where it comes from.
FOLDERS = {
    "newsletter_mail/_bundled/templates": ROOT / "templates",
    "newsletter_mail/_bundled/migrations": ROOT / "migrations",
    "newsletter_mail/_bundled/issues/2023-summer-updates": ROOT / "issues" / "2023-summer-updates",
    "newsletter_mail": ROOT / "newsletter_mail",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_of(folder: Path) -> set[str]:
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_its_name_has_the_version(wheel: Path) -> None:
    assert wheel.name == f"newsletter_mail-{__version__}-py3-none-any.whl"


@pytest.mark.parametrize("target", FOLDERS)
def test_a_folder_is_whole(target: str, names: set[str]) -> None:
    files = files_of(FOLDERS[target])
    assert files
    assert {f"{target}/{name}" for name in files} <= names


def test_nothing_else_is_inside(names: set[str]) -> None:
    expected = {
        f"{target}/{name}" for target, folder in FOLDERS.items() for name in files_of(folder)
    }
    others = {name for name in names - expected if ".dist-info/" not in name}
    assert others == set()
    assert not {name for name in names if "test" in PurePosixPath(name).parts[0]}


def test_its_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"newsletter_mail-{__version__}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        scripts = archive.read(f"{folder}/entry_points.txt").decode()
        assert f"{folder}/licenses/LICENSE" in archive.namelist()
    assert "newsletter = newsletter_mail.__main__:main" in scripts
    assert "Requires-Python: >=3.11" in metadata
    assert "License-Expression: MIT" in metadata
    # Nobody who only uses the program gets the tools of those who write it.
    assert "pytest" not in metadata

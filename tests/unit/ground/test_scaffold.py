import os
import stat
from pathlib import Path

import pytest
import yaml

from newsletter_mail.errors import InputError
from newsletter_mail.resources import resource_dir
from newsletter_mail.scaffold import SAMPLE, make_issue, make_workspace


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_workspace_has_settings_secrets_a_theme_and_the_sample(tmp_path: Path) -> None:
    made = make_workspace(tmp_path / "deep" / "inside")
    folder = tmp_path / "deep" / "inside"
    assert [path.relative_to(folder).as_posix() for path in made] == [
        "newsletter.toml",
        ".gitignore",
        ".env",
        "templates/default/theme.toml",
        f"issues/{SAMPLE}",
    ]
    assert all(path.exists() for path in made)
    assert ".env" in (folder / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_reads_the_secrets_whatever_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        make_workspace(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_every_workspace_has_a_key_of_its_own(tmp_path: Path) -> None:
    make_workspace(tmp_path / "a")
    make_workspace(tmp_path / "b")
    assert (tmp_path / "a" / ".env").read_text() != (tmp_path / "b" / ".env").read_text()


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    before = _contents(tmp_path)
    assert make_workspace(tmp_path) == []
    assert _contents(tmp_path) == before


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MINE=1\n")
    (tmp_path / "issues").mkdir()
    made = {path.name for path in make_workspace(tmp_path)}
    assert made == {"newsletter.toml", ".gitignore", "theme.toml"}
    assert (tmp_path / ".env").read_text() == "MINE=1\n"
    assert list((tmp_path / "issues").iterdir()) == []


def test_a_file_cannot_become_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"file.* cannot become a workspace: "):
            make_workspace(folder)


@pytest.mark.parametrize(
    "slug",
    [
        "2024",
        "no",
        "1.5",
        "null",
        "2024-01-01",
        "a",
        "spring_2024",
        "true",
        "a" * 100,
        "0x1f",
        "1e3",
    ],
)
def test_a_new_issue_has_a_subject_that_is_a_text(slug: str, tmp_path: Path) -> None:
    file = make_issue(tmp_path, slug, origin=None)
    assert file == tmp_path / "issues" / slug / "issue.md"
    front_matter = yaml.safe_load(file.read_text().split("---\n")[1])
    assert isinstance(front_matter["subject"], str)
    assert front_matter["subject"].lower() == slug.replace("-", " ").replace("_", " ")


@pytest.mark.parametrize(
    "slug",
    ["", "Spring", "a b", "../x", "/x", ".x", "-x", "a/b", "é", "a\n", "a" * 101, "..", "a\0", "٣"],
)
def test_what_cannot_name_an_issue(slug: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot name an issue: use small letters") as caught:
        make_issue(tmp_path, slug, origin=None)
    assert "such as 2024-spring" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    file = make_issue(tmp_path, "spring", origin=None)
    file.write_text("mine")
    for origin in (None, resource_dir("issues") / SAMPLE):
        with pytest.raises(InputError, match="there is an issue spring already"):
            make_issue(tmp_path, "spring", origin=origin)
    assert file.read_text() == "mine"


def test_a_copy_has_everything_that_its_origin_has(tmp_path: Path) -> None:
    origin = resource_dir("issues") / SAMPLE
    make_issue(tmp_path, "copy", origin=origin)
    assert _contents(tmp_path / "issues" / "copy") == _contents(origin)


def test_an_issue_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "issues").touch()
    with pytest.raises(InputError, match="cannot be made"):
        make_issue(tmp_path, "spring", origin=None)

import stat
from pathlib import Path

import pytest

from newsletter_mail.settings import Settings
from tests.integration.people import Desk, Ended

SAMPLE = "2023-summer-updates"


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "workspace")
    desk.do("init", desk.path)
    return desk


def test_a_new_workspace_builds_and_checks_at_once(desk: Desk) -> None:
    assert stat.S_IMODE((desk.path / ".env").stat().st_mode) == 0o600
    assert len(Settings.load(desk.path).secret_keys[0]) >= 32
    desk.do("build", SAMPLE, "--out", desk.path / "out")
    assert f"\n{SAMPLE}: 0 errors, " in desk.do("check", SAMPLE).out


def test_the_second_init_changes_nothing(desk: Desk) -> None:
    before = _files(desk.path)
    ended = desk.do("init", desk.path)
    assert ended.out == ""
    assert ended.err == f"{desk.path} is a workspace already: nothing to make\n"
    assert _files(desk.path) == before


def test_a_file_cannot_become_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    ended = Desk(tmp_path).run("init", tmp_path / "file")
    assert ended.code == 2
    assert ended.err.startswith(f"Error: {tmp_path / 'file'} cannot become a workspace: ")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_is_no_workspace_is_a_sentence(tmp_path: Path) -> None:
    ended = Desk(tmp_path).run("status")
    assert ended.code == 2
    assert "there is no such file; run `newsletter init`" in ended.err
    ended = Desk(tmp_path / "no").run("status")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no such folder" in ended.err


def test_the_workspace_is_looked_for_upwards(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.path / "issues" / SAMPLE)
    assert _run("status").code == 0
    monkeypatch.chdir(tmp_path)
    ended = _run("status")
    assert ended.code == 2
    assert "run `newsletter init`, or name the workspace with --workspace" in ended.err
    monkeypatch.setenv("NEWSLETTER_WORKSPACE", str(desk.path))
    assert _run("status").code == 0


def test_a_workspace_that_is_named_is_stronger_than_the_environment(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Desk.make(tmp_path / "other")
    monkeypatch.setenv("NEWSLETTER_WORKSPACE", str(other.path))
    desk.do("subscribers", "add", "anna@example.org")
    assert (desk.path / "newsletter.db").exists()
    assert not (other.path / "newsletter.db").exists()


def _run(*arguments: str) -> Ended:
    import io
    from contextlib import redirect_stderr, redirect_stdout

    from newsletter_mail.cli.app import app
    from newsletter_mail.cli.exits import run

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(app, arguments)
    return Ended(code=code, out=out.getvalue(), err=err.getvalue())


@pytest.mark.parametrize("slug", ["2024-spring", "2024", "no"])
def test_a_new_issue_is_ready_to_be_built(slug: str, desk: Desk) -> None:
    ended = desk.do("new", slug)
    assert ended.out == f"made {desk.path / 'issues' / slug / 'issue.md'}\n"
    desk.do("build", slug, "--out", desk.path / "out")
    assert desk.do("check", slug, "--format", "json").json["errors"] == 0


@pytest.mark.parametrize("origin", [SAMPLE, "path", "file"])
def test_a_copy_of_an_issue_is_named_by_slug_or_path(origin: str, desk: Desk) -> None:
    folder = desk.path / "issues" / SAMPLE
    named = {"path": str(folder), "file": str(folder / "issue.md")}.get(origin, origin)
    desk.do("new", "copy", "--from", named)
    assert _files(desk.path / "issues" / "copy") == _files(folder)
    desk.do("build", "copy", "--out", desk.path / "out")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("Spring",), "'Spring' cannot name an issue: use small letters"),
        (("../../etc",), "'../../etc' cannot name an issue"),
        (("a b",), "'a b' cannot name an issue"),
        ((SAMPLE,), f"there is an issue {SAMPLE} already"),
        (("x", "--from", "2023-sumer-updates"), f"did you mean {SAMPLE}?"),
        (("x", "--from", "zzz"), f"there are: {SAMPLE}"),
        (("x", "--from", "/"), "there is no issue /"),
    ],
)
def test_a_new_issue_that_cannot_be_is_a_sentence_and_nothing_happens(
    arguments: tuple[str, ...], sentence: str, desk: Desk
) -> None:
    before = _files(desk.path)
    ended = desk.run("new", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")
    assert sentence in ended.err
    assert _files(desk.path) == before


def test_a_folder_whose_name_cannot_stand_in_a_link(tmp_path: Path) -> None:
    desk = Desk.make(tmp_path / "desk")
    folder = desk.path / "issues" / "summer news"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text("---\nsubject: A\n---\nB\n")

    ended = desk.run("build", "summer news", "--out", tmp_path / "out")

    assert ended.code == 2
    assert "rename it" in ended.err
    assert not (tmp_path / "out").exists()

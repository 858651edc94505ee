"""What the preview notices, on a real file system."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest

from newsletter_mail.web.preview import watching
from newsletter_mail.web.preview.watching import Watch


def follow(watch: Watch, steps: list[Callable[[], object]]) -> list[str]:
    """The digests: at first, and after each step."""

    async def run() -> list[str]:
        stopping = asyncio.Event()
        seen: list[str] = []
        left = iter(steps)
        async with aclosing(watch.digests(stopping)) as digests:
            async for digest in digests:
                if not digest:
                    continue
                seen.append(digest)
                step = next(left, None)
                if step is None:
                    break
                step()
        return seen

    return asyncio.run(asyncio.wait_for(run(), 60))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "issues" / "summer"
    made.mkdir(parents=True)
    (made / "issue.md").write_text("a")
    return made


def steps_of(folder: Path, tmp_path: Path) -> list[Callable[[], object]]:
    file = folder / "issue.md"
    beside = folder / ".issue.md.swp"

    def replace() -> None:
        beside.write_text("a longer text")
        beside.rename(file)

    return [
        lambda: file.write_text("ab"),
        replace,
        lambda: (folder / "a.png").write_bytes(b"x"),
        lambda: shutil.move(folder, tmp_path / "away"),
        lambda: shutil.move(tmp_path / "away", folder),
        lambda: file.write_text("back again, and changed"),
        lambda: (tmp_path / "newsletter.toml").write_text("x"),
    ]


def test_every_kind_of_save_is_noticed(folder: Path, tmp_path: Path) -> None:
    steps = steps_of(folder, tmp_path)
    seen = follow(Watch((folder, tmp_path / "newsletter.toml")), steps)
    assert len(seen) == len(steps) + 1
    assert all(before != after for before, after in pairwise(seen))


@pytest.mark.parametrize("error", [OSError("no watches left"), RuntimeError("inotify")])
def test_it_is_noticed_without_any_watch(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_places: Path, **_options: object) -> None:
        raise error

    monkeypatch.setattr(watching, "awatch", refuse)
    steps = steps_of(folder, tmp_path)[:2]
    assert len(set(follow(Watch((folder,)), steps))) == 3


def test_places_that_are_not_there_are_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "newsletter.toml"
    assert len(follow(Watch((file,)), [lambda: file.write_text("x")])) == 2


def test_what_an_editor_leaves_beside_a_file_is_no_change(folder: Path) -> None:
    watch = Watch((folder,))
    before = watch.digest()
    for name in (".issue.md.swp", ".hidden", "4913"):
        (folder / name).write_text("x")
    assert watch.digest() == before
    (folder / "issue.fr.md").write_text("x")
    assert watch.digest() != before

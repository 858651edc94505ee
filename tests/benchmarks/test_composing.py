"""The measures of composing see what they look for, and leave out what they cannot measure."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.measures import mjml, spam
from benchmarks.options import read_options
from benchmarks.room import Room
from benchmarks.screenshots import differing_share


def _picture(path: Path, size: tuple[int, int], *, black_rows: int = 0) -> Path:
    picture = Image.new("RGB", size, "white")
    picture.paste("black", (0, 0, size[0], black_rows))
    picture.save(path)
    return path


@pytest.mark.parametrize(
    ("size", "black_rows", "share"), [((20, 10), 0, 0), ((20, 10), 1, 0.1), ((20, 20), 0, 0.5)]
)
def test_the_share_of_pixels_that_differ(
    tmp_path: Path, size: tuple[int, int], black_rows: int, share: float
) -> None:
    one = _picture(tmp_path / "one.png", (20, 10))
    other = _picture(tmp_path / "other.png", size, black_rows=black_rows)

    assert differing_share(one, other) == pytest.approx(share)
    assert differing_share(other, one) == pytest.approx(share)


def test_smoothing_is_not_seen(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    Image.new("RGB", (10, 10), "#ffffff").save(one)
    Image.new("RGB", (10, 10), "#f7f7f7").save(other)

    assert differing_share(one, other) == 0


@pytest.mark.parametrize(
    ("measure", "name"), [(mjml.measure, "node"), (spam.measure, "spamassassin")]
)
def test_a_line_whose_program_is_missing_is_left_out_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measure: object, name: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert callable(measure)
    (section,) = measure(Room(tmp_path, read_options(["--quick"], ["mjml", "spam"])))

    assert f"No line: {name} is missing (Debian: apt-get install" in section.text
    assert not section.targets

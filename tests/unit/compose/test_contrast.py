"""Whether the colours of a theme can be read on one another."""

from pathlib import Path

import pytest

from newsletter_mail.compose.contrast import PAIRS, contrast, low_contrasts
from newsletter_mail.compose.templates import Templates
from tests.unit.compose.desk import Desk

TEMPLATES = ("default", "plain", "digest")


@pytest.mark.parametrize(
    ("front", "back", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#000000", 21.0),
        ("#777777", "#ffffff", 4.48),  # WebAIM's contrast checker says so
        ("#0000FF", "#ffffff", 8.59),
        ("#123456", "#123456", 1.0),
    ],
)
def test_known_contrasts(front: str, back: str, ratio: float) -> None:
    assert contrast(front, back) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_built_in_themes_can_be_read(tmp_path: Path, name: str) -> None:
    assert low_contrasts(Templates(name, tmp_path).theme()) == ()


def test_what_cannot_be_read_is_named(desk: Desk) -> None:
    desk.template("theme.toml", '[light]\nmuted = "#999999"\n[dark]\nbutton = "#06231f"\n')
    found = low_contrasts(Templates("default", desk.workspace).theme())

    assert [(low.mode, low.front, low.back) for low in found] == [
        ("light", "muted", "surface"),
        ("light", "muted", "tint"),
        ("dark", "button_text", "button"),
    ]
    assert str(found[0]) == "[light] muted on surface has a contrast of 2.85:1, and needs 4.5:1"


def test_every_colour_of_letters_is_in_a_pair(tmp_path: Path) -> None:
    roles = set(Templates("default", tmp_path).theme()["light"])
    only_lines = {"line", "masthead_line"}

    assert {name for pair in PAIRS for name in pair} == roles - only_lines

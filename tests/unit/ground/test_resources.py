import pytest

from newsletter_mail.resources import resource_dir
from newsletter_mail.scaffold import MAIN_FILE, SAMPLE


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("templates", "default/theme.toml"),
        ("migrations", "env.py"),
        ("issues", f"{SAMPLE}/{MAIN_FILE}"),
    ],
)
def test_the_files_that_travel_with_the_program_are_there(name: str, file: str) -> None:
    assert (resource_dir(name) / file).is_file()


def test_an_installation_that_is_not_whole_says_what_it_lacks() -> None:
    with pytest.raises(FileNotFoundError, match="installed without its folder wallpapers"):
        resource_dir("wallpapers")

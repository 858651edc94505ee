"""The issue that travels with the program compiles, and stays small."""

from newsletter_mail.compose.build import compile_issue
from newsletter_mail.resources import resource_dir
from tests.unit.compose.desk import SETTINGS, filled


def test_the_sample_is_far_from_where_gmail_clips() -> None:
    issues = resource_dir("issues")
    build = compile_issue(
        issues / "2023-summer-updates", workspace=issues.parent, settings=SETTINGS
    )

    # Gmail clips at 102,000 bytes, and hides the footer with the way out.
    assert len(filled(build.html).encode()) < 60_000

"""Compiles an issue twice, with our renderer and with the ``mjml`` command in its place.

Writes ``OUT/ours/index.html`` and ``OUT/mjml/index.html`` with their pictures, and the MJML that
both were given as ``OUT/issue.mjml``. Without ``--mjml`` it is compiled with ours only.
"""

import argparse
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import mjml

from newsletter_mail.compose import to_html
from newsletter_mail.compose.build import ComposeSettings, compile_issue
from newsletter_mail.words import Build, Hole, PictureRef

_SETTINGS = ComposeSettings(
    newsletter_name="Benchmarks",
    default_language="en",
    default_template="default",
    postal_address="1 Example Street\n08002 Barcelona, Spain",
)


def _ours(out: Path, source: str, **options: Any) -> str:
    out.joinpath("issue.mjml").write_text(source, encoding="utf-8")
    return str(mjml.mjml2html(source, **options))


def _reference(command: str, out: Path, source: str, **_: object) -> str:
    file, html = out / "reference.mjml", out / "reference.html"
    file.write_text(source, encoding="utf-8")
    subprocess.run([command, str(file), "-o", str(html)], check=True, stdin=subprocess.DEVNULL)
    return html.read_text(encoding="utf-8")


def _write(build: Build, folder: Path) -> None:
    folder.mkdir(parents=True)
    parts = [
        "Ada" if isinstance(part, Hole) else part.name if isinstance(part, PictureRef) else part
        for part in build.html
    ]
    folder.joinpath("index.html").write_text("".join(parts), encoding="utf-8")
    for picture in build.pictures:
        folder.joinpath(picture.name).write_bytes(picture.content)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--issue", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mjml", default="")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    renderers: dict[str, Callable[..., str]] = {"ours": partial(_ours, chosen.out)}
    if chosen.mjml:
        renderers["mjml"] = partial(_reference, chosen.mjml, chosen.out)
    for name, renderer in renderers.items():
        # All that stands around the renderer is the same: what differs is what it made.
        with mock.patch.object(to_html, "mjml2html", renderer):
            build = compile_issue(chosen.issue, workspace=chosen.workspace, settings=_SETTINGS)
        _write(build, chosen.out / name)


if __name__ == "__main__":
    main()

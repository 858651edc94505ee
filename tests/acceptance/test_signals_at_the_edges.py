"""A signal while a command starts or ends: an exit code that means something, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.newsroom import ROOT
from tests.integration.people import Ended

WHILE_IT_IMPORTS = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "newsletter_mail.cli.app":
            exec("os.kill(os.getpid(), {number})\\nfor _ in range(100): pass")

sys.meta_path.insert(0, Interrupting())
"""
WHILE_IT_ENDS = """
import atexit, os, signal, sys

atexit.register(lambda: os.kill(os.getpid(), {number}))
"""
MAIN = """
from newsletter_mail.__main__ import main

sys.argv = ["newsletter", "--version"]
main()
"""


def _run(folder: Path, first: str, number: str) -> Ended:
    (folder / "edge.py").write_text(first.format(number=number) + MAIN)
    done = subprocess.run(
        [sys.executable, "-m", "edge"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.mark.parametrize("number", ["signal.SIGINT", "signal.SIGTERM"])
def test_while_it_starts(tmp_path: Path, number: str) -> None:
    ended = _run(tmp_path, WHILE_IT_IMPORTS, number)
    assert (ended.code, ended.out, ended.err) == (3, "", "Error: stopped\n")


@pytest.mark.parametrize("number", ["signal.SIGINT", "signal.SIGTERM"])
def test_while_it_ends(tmp_path: Path, number: str) -> None:
    ended = _run(tmp_path, WHILE_IT_ENDS, number)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("newsletter-mail ")

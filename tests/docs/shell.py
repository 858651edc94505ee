"""Types the commands of the documentation into a workspace, as a reader would."""

import json
import os
import re
import select
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.docs.blocks import CodeBlock

_SERVES = re.compile(r"newsletter (serve|preview)\b")
_ASKS = re.compile(r"newsletter send (?!.*--(yes|dry-run|expect))")
_TIMEOUT_S = 60


class Shell:
    """A working directory, and what stands in every folder that is entered.

    Args:
        files: by name; written where a ``cd`` leads to, and into the first folder.
    """

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._files = files
        self._put_files()
        programs = Path(sys.executable).parent
        own = {name: text for name, text in os.environ.items() if "NEWSLETTER" not in name}
        # `preview` opens a browser; this one sees nothing.
        self._environment = {
            **own,
            "PATH": f"{programs}{os.pathsep}{own['PATH']}",
            "BROWSER": "true",
        }

    def run(self, block: CodeBlock) -> None:
        """Run a block line by line; in a ``console`` block, look for the output that it shows."""
        for command, expected in _commands(block):
            where = f"{block}: {command}"
            if _SERVES.match(command):
                self._visit(command, where)
                continue
            output = self._type(command, where)
            position = 0
            for line in expected:
                found = _pattern(line).search(output, position)
                assert found, f"{where}\nshould show: {line}\nshows:\n{output[position:]}"
                position = found.end()

    def _type(self, command: str, where: str) -> str:
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            self._put_files()
            return ""
        ended = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env=self._environment,
            input=self._answer_to(command),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == 0, f"{where}\nended with {ended.returncode}:\n{ended.stdout}"
        return ended.stdout

    def _answer_to(self, command: str) -> str:
        """The number that ``send`` asks for, as its dry run says it."""
        if not _ASKS.match(command):
            return ""
        looked = subprocess.run(
            ["bash", "-euc", f"{command} --dry-run --json"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
        return f"{json.loads(looked.stdout)['to_send']}\n"

    def _visit(self, command: str, where: str) -> None:
        """Start something that serves for ever, look at it, and stop it."""
        # A fixed port may be in use on the machine of the test.
        command = re.sub(r"--port \d+", "--port 0", command)
        with subprocess.Popen(
            command.split(),
            cwd=self.folder,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                assert server.stdout is not None
                assert select.select([server.stdout], [], [], _TIMEOUT_S)[0], f"{where}: is silent"
                said = re.search(r"http://\S+", server.stdout.readline())
                assert said, f"{where}: does not say where it listens"
                with urllib.request.urlopen(said[0], timeout=_TIMEOUT_S) as answer:
                    assert answer.status == 200
            finally:
                server.terminate()
            assert server.wait(_TIMEOUT_S) == 0, where

    def _put_files(self) -> None:
        for name, text in self._files.items():
            (self.folder / name).write_text(text, encoding="utf-8")


def _commands(block: CodeBlock) -> list[tuple[str, list[str]]]:
    """Each command of a block, and the lines of output that are shown below it."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language != "console":
        return [(line, []) for line in lines if line.strip() and not line.startswith("#")]
    commands: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        elif line.strip():
            commands[-1][1].append(line)
    return commands


def _pattern(line: str) -> re.Pattern[str]:
    """Finds a line of output; the columns of a table may be wider or narrower."""
    return re.compile(r"\s+".join(map(re.escape, line.split())))

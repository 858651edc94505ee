"""Every command that the documentation shows is run, in its order, in a new workspace."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, ROOT, CodeBlock, code_blocks, documents
from tests.docs.shell import Shell

README = ROOT / "README.md"
SHELLS = ("sh", "console", "bash", "shell")
SAMPLE = "2023-summer-updates"
#: Commands that would install something, take an hour, or that another test runs.
NOT_RUN = {
    "make demo",
    "make test",
    (
        "newsletter send 2023-summer-updates --yes --json --progress json "
        "> result.json 2> events.jsonl"
    ),
}
MAIL_LOG = (
    "Nov 24 10:00:00 mx postfix/cleanup[71]: 4XyZ: message-id=<abc@example.org>\n"
    "Nov 24 10:00:00 mx postfix/qmgr[70]: 4XyZ: from=<news@example.org>, size=70000, nrcpt=1 "
    "(queue active)\n"
)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (people,) = code_blocks(DOCS / "people.md", "csv")
    return Shell(tmp_path, {"people.csv": people.text, "mail.log": MAIL_LOG})


def prepare(shell: Shell, *commands: str) -> None:
    """Type what the reader of a page has done before."""
    text = "\n".join(commands)
    here = Path(__file__)
    shell.run(CodeBlock(file=here, line=0, language="sh", is_run=True, text=text))


def new_issues(block: CodeBlock) -> list[str]:
    return re.findall(r"newsletter new ([a-z0-9-]+)", block.text)


def test_the_readme_is_a_tour_that_can_be_taken(shell: Shell) -> None:
    slugs: list[str] = []
    for block in code_blocks(README, *SHELLS, "markdown"):
        if block.language == "markdown":
            # What the reader is told to write, in the issue that they have just made.
            (shell.folder / "issues" / slugs[-1] / "issue.md").write_text(block.text, "utf-8")
        elif block.is_run:
            shell.run(block)
            slugs += new_issues(block)
    assert slugs


def test_sending_as_its_page_tells(shell: Shell) -> None:
    prepare(
        shell,
        "newsletter init",
        "newsletter subscribers import people.csv",
        f"newsletter send {SAMPLE} --yes",
    )
    for block in code_blocks(DOCS / "sending.md", *SHELLS):
        shell.run(block)


def test_the_people_as_their_page_tells(shell: Shell) -> None:
    prepare(shell, "newsletter init")
    for block in code_blocks(DOCS / "people.md", *SHELLS):
        shell.run(block)


def test_no_other_page_shows_commands() -> None:
    run_here = {"README.md", "sending.md", "people.md"}
    others = [
        str(block)
        for file in documents()
        for block in code_blocks(file, *SHELLS)
        if block.is_run and file.name not in run_here
    ]
    assert others == []


def test_little_is_left_out() -> None:
    left_out = {
        line
        for file in documents()
        for block in code_blocks(file, *SHELLS)
        if not block.is_run
        for line in block.text.splitlines()
    }
    assert left_out <= NOT_RUN

"""What the documentation says is so: examples compile, settings and commands are the code's."""

import re
import runpy
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from PIL import Image

from newsletter_mail import __version__
from newsletter_mail.compose.build import ComposeSettings, compile_issue
from newsletter_mail.compose.templates import Templates
from newsletter_mail.merge import KNOWN_NAMES
from newsletter_mail.scaffold import SAMPLE, make_workspace
from newsletter_mail.settings import FILE_NAME, SECRETS, Section, Settings
from newsletter_mail.words import Build, DeliveryState
from tests.docs.blocks import DOCS, ROOT, CodeBlock, code_blocks, documents

COMPOSE = ComposeSettings(
    newsletter_name="City News",
    default_language="en",
    default_template="default",
    postal_address="1 Example Street, Barcelona",
)
FRONT_MATTER = "---\nsubject: An example\n---\n"
EXAMPLES = [
    block
    for file in (ROOT / "README.md", DOCS / "writing.md", DOCS / "blocks.md")
    for block in code_blocks(file, "markdown")
]
SECTIONS = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEWSLETTER_SECRET_KEY", "NEWSLETTER_SMTP_PASSWORD", "NEWSLETTER_TRANSPORT__URL"):
        monkeypatch.delenv(name, raising=False)


def compiled(folder: Path, text: str) -> Build:
    folder.mkdir(parents=True)
    if not text.startswith("---\nsubject"):
        text = FRONT_MATTER + text
    (folder / "issue.md").write_text(text, encoding="utf-8")
    Image.new("RGB", (1200, 600), "teal").save(folder / "photo.png")
    return compile_issue(folder, workspace=folder.parents[1], settings=COMPOSE)


def rows_below(heading: str, text: str) -> dict[str, str]:
    """The first two cells of each row of the first table below a heading."""
    part = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    rows = {}
    for line in part.splitlines():
        if match := re.match(r"\| `([\w.]+)` \| (.*?) \|", line):
            rows[match[1]] = match[2]
    return rows


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_an_example_compiles(block: CodeBlock, tmp_path: Path) -> None:
    build = compiled(tmp_path / "issues" / "example", block.text)
    assert any(isinstance(part, str) and "</html>" in part for part in build.html)


def test_every_block_of_the_template_has_an_example() -> None:
    of_markdown = {"button", "divider", "heading", "picture", "text"}
    names = {*Templates("default", ROOT).block_names(), "html"} - of_markdown
    shown = {
        name for block in EXAMPLES for name in re.findall(r"^:+ (\w+)", block.text, re.MULTILINE)
    }
    assert names == shown


def test_every_merge_tag_is_named() -> None:
    text = (DOCS / "writing.md").read_text(encoding="utf-8")
    for name in KNOWN_NAMES:
        # The table has `subscriber.email`, `.first_name` …
        short = "." + name.partition(".")[2]
        assert f"`{name}`" in text or f"`{short}`" in text, name


@pytest.mark.parametrize("section", SECTIONS)
def test_the_settings_are_those_of_the_code(section: str) -> None:
    model = SECTIONS[section]
    assert model is not None
    rows = rows_below(f"[{section}]", (DOCS / "settings.md").read_text(encoding="utf-8"))
    known = {
        field.alias or name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
    }
    assert {
        name: tomllib.loads(f"value = {cell.strip('`')}")["value"]
        for name, cell in rows.items()
        if name in known
    } == known
    assert set(rows) == set(known)


def test_every_section_and_secret_is_told() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(\w+)\]$", text, re.MULTILINE) == list(SECTIONS)
    assert set(re.findall(r"^\| `NEWSLETTER_(\w+)` \|", text, re.MULTILINE)) == {
        name.upper() for name in SECRETS
    }


@pytest.mark.parametrize(
    "block", [block for file in documents() for block in code_blocks(file, "toml")], ids=str
)
def test_settings_that_are_shown_are_good(block: CodeBlock, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(block.text, encoding="utf-8")
    settings = Settings.load(tmp_path)
    for name, values in tomllib.loads(block.text).items():
        given = getattr(settings, name).model_dump(by_alias=True)
        assert {key: given[key] for key in values} == values


def test_every_state_is_explained() -> None:
    text = (DOCS / "sending.md").read_text(encoding="utf-8")
    assert list(rows_below("States", text)) == [state.value for state in DeliveryState]


def test_the_reference_is_up_to_date() -> None:
    write = runpy.run_path(str(DOCS / "make_reference.py"))["reference"]
    written = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert written == write(), "run: python docs/make_reference.py"


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_no_link_leads_nowhere(file: Path) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(file.read_text(encoding="utf-8"))
    inline = [child for token in tokens for child in token.children or ()]
    targets = [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in inline]
    local = [unquote(target) for target in targets if target and "://" not in target]
    assert [target for target in local if not (file.parent / target).exists()] == []


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in documents()[1:] if f"{file.name})" not in readme] == []


def test_the_picture_of_the_readme_is_no_burden() -> None:
    file = DOCS / "images" / "sample.png"
    assert file.stat().st_size < 400_000
    with Image.open(file) as picture:
        assert picture.width > 1200


def test_the_pictures_of_the_blocks_are_no_burden() -> None:
    files = sorted((DOCS / "images" / "blocks").iterdir())
    text = (DOCS / "blocks.md").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in files) < 400_000
    assert [file.name for file in files if f"images/blocks/{file.name})" not in text] == []


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[([^\]]+)\]", text, re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_the_checkout_is_a_workspace_as_init_makes_it(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    made = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    assert (ROOT / FILE_NAME).read_text(encoding="utf-8") == made
    assert (ROOT / "issues" / SAMPLE / "issue.md").is_file()

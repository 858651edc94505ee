"""The files of a template: where they are, what each block asks for, and rendering them.

A workspace's ``templates/<name>/`` comes first, then the template of that name that came with the
program, then its default one: a workspace changes one file, or adds a block, by adding that file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import jinja2
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from newsletter_mail.compose.findings import did_you_mean
from newsletter_mail.compose.theme import Theme, load_theme
from newsletter_mail.errors import TemplateError
from newsletter_mail.resources import resource_dir

_DEFAULT = "default"
_SUFFIX = ".mjml.j2"
_FIRST_TAG = re.compile(r"<(mj-[a-z]+)")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_PERCENT = re.compile(r"[1-9][0-9]?%")
# What an expression in a template can raise besides Jinja2's own errors.
_RUNTIME = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Level(IntEnum):
    """How wide a block is, told by the first MJML tag of its template, or by its ``columns``."""

    #: Stands in a column: ``mj-text``, ``mj-button`` …
    BLOCK = 1
    #: Is a column: ``mj-column``.
    COLUMN = 2
    #: Takes the full width: ``mj-section``.
    ROW = 3


#: The tag in which a fragment of a level stands.
PARENT_OF = {Level.BLOCK: "mj-column", Level.COLUMN: "mj-section", Level.ROW: "mj-body"}


class OptionRefused(Exception):
    """An option of a block has a value that its template cannot use; becomes an ``IssueError``."""


class Option(str):
    """The value of an option: compared as it was written, rendered as a mark."""

    __slots__ = ("mark",)
    mark: str

    def __html__(self) -> str:
        """Jinja2 asks for this when it puts the value into MJML."""
        return self.mark


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTemplate:
    """One block, and what its template asks for.

    Attributes:
        origin: the file, as the user would look for it.
        options: names read as ``options.NAME`` or ``required.NAME``.
        required: names read as ``required.NAME``.
        variables: the other names read: ``content`` wants the blocks inside as MJML of a column,
            ``columns`` as columns, ``html`` as running text.
    """

    name: str
    file: str
    origin: str
    level: Level
    options: frozenset[str]
    required: frozenset[str]
    variables: frozenset[str]


class Templates:
    """One template by its name.

    Args:
        name: the folder's.
        workspace: the folder with ``templates/``.

    Raises:
        TemplateError: there is no such template, or its theme is not valid.
    """

    def __init__(self, name: str, workspace: Path) -> None:
        self.name = name
        own, built_in = workspace / "templates", resource_dir("templates")
        folders = [own / name, built_in / name]
        if not any(folder.is_dir() for folder in folders):
            names = {f.name for root in (own, built_in) if root.is_dir() for f in root.iterdir()}
            raise TemplateError(f"there is no template {name}; {did_you_mean(name, names)}")
        folders.append(built_in / _DEFAULT)
        self.folders = tuple(folder for folder in dict.fromkeys(folders) if folder.is_dir())
        self._loader = jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(folder) for folder in self.folders]
        )
        self._environment = _make_environment(self._loader)
        self._files = self._environment.list_templates()
        self._blocks: dict[str, BlockTemplate | None] = {}

    def origin(self, file: str) -> str:
        """The path of a file of this template to show in a message."""
        return f"templates/{self.name}/{file}"

    def theme(self) -> Theme:
        """The theme: the default one, with what the others change in it."""
        files = [folder / "theme.toml" for folder in reversed(self.folders)]
        return load_theme([(file, self.origin(file.name)) for file in files if file.is_file()])

    def block_names(self) -> list[str]:
        """All blocks that there are."""
        return [
            name.removeprefix("blocks/").removesuffix(_SUFFIX)
            for name in self._files
            if name.startswith("blocks/") and name.endswith(_SUFFIX)
        ]

    def block(self, name: str) -> BlockTemplate | None:
        """What the template of a block asks for, or None where there is no such block."""
        if name not in self._blocks:
            file = f"blocks/{name}{_SUFFIX}"
            self._blocks[name] = self._read_block(name, file) if file in self._files else None
        return self._blocks[name]

    def render(self, file: str, context: Mapping[str, object]) -> Markup:
        """Render one file.

        Raises:
            TemplateError: Jinja2 cannot; names the file and the line.
            OptionRefused: a filter of ours refused an option.
        """
        try:
            return Markup(self._environment.get_template(file).render(context))  # noqa: S704  the template is autoescaped
        except jinja2.TemplateSyntaxError as error:
            origin = self.origin(error.name or file)
            raise TemplateError(str(error.message), origin=origin, line=error.lineno) from error
        except jinja2.TemplateError as error:
            raise TemplateError(str(error.message), origin=self.origin(file)) from error
        except _RUNTIME as error:
            raise TemplateError(str(error), origin=self.origin(file)) from error

    def _read_block(self, name: str, file: str) -> BlockTemplate:
        try:
            source = self._loader.get_source(self._environment, file)[0]
        except (jinja2.TemplateNotFound, UnicodeDecodeError) as error:
            raise TemplateError("cannot be read", origin=self.origin(file)) from error
        try:
            tree = self._environment.parse(source)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(
                str(error.message), origin=self.origin(file), line=error.lineno
            ) from error
        read = {"options": set[str](), "required": set[str]()}
        for node in tree.find_all(nodes.Getattr):
            if isinstance(node.node, nodes.Name) and node.node.name in read:
                read[node.node.name].add(node.attr)
        variables = find_undeclared_variables(tree)
        return BlockTemplate(
            name=name,
            file=file,
            origin=self.origin(file),
            level=Level.ROW if "columns" in variables else level_of(source),
            options=frozenset(read["options"] | read["required"]),
            required=frozenset(read["required"]),
            variables=frozenset(variables),
        )


def level_of(mjml: str) -> Level:
    """How wide MJML is, told by its first tag."""
    tag = _FIRST_TAG.search(_COMMENT.sub("", mjml))
    levels = {"mj-section": Level.ROW, "mj-wrapper": Level.ROW, "mj-column": Level.COLUMN}
    return levels.get(tag[1] if tag else "", Level.BLOCK)


def _make_environment(loader: jinja2.BaseLoader) -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=loader,
        # select_autoescape() would leave .mjml.j2 alone.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["line"] = _line
    return environment


def _line(size: int, ratio: float) -> int:
    """The height of a line in whole pixels: Outlook rounds others differently from its text."""
    return round(size * ratio)


def _percent(value: str) -> str:
    """A width in percent, for MJML to count with: the one kind of option that is no text."""
    if not _PERCENT.fullmatch(value):
        raise OptionRefused(f"{value!r} is not a width; write one such as 40%")
    return str(value)

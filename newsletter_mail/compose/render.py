"""Blocks to MJML, through the template; every fragment is checked as soon as it is made.

What an author wrote is put into MJML as a mark, never as it stands: so nothing of it can be
misread, escaped twice or nested too deeply there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from markupsafe import Markup

from newsletter_mail.compose.blocks import (
    PROSE,
    Block,
    Buttons,
    Divider,
    Fence,
    Heading,
    PictureBlock,
    plain,
)
from newsletter_mail.compose.document import Document
from newsletter_mail.compose.fences import RAW
from newsletter_mail.compose.findings import Findings, did_you_mean
from newsletter_mail.compose.inlines import InlineReader
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.mjml_lint import lint_mjml
from newsletter_mail.compose.prose import inline_html, prose_html
from newsletter_mail.compose.raw_mjml import RawMjml
from newsletter_mail.compose.templates import (
    PARENT_OF,
    BlockTemplate,
    Level,
    Option,
    OptionRefused,
    Templates,
    level_of,
)
from newsletter_mail.errors import MjmlError, TemplateError

_ROW = "row.mjml.j2"
_HERO = "hero.mjml.j2"
_LAYOUT = "layout.mjml.j2"
# The names by which a template asks for what stands in its block.
_CONTENTS = frozenset({"html", "columns", "content"})
#: Blocks that Markdown itself makes; they have no colons.
_OF_MARKDOWN = frozenset({"text", "heading", "picture", "button", "divider"})
_LINK_OPTION = re.compile(r"(?:^|_)(?:link|url|href)$")


@dataclass(slots=True, kw_only=True)
class Renderer:
    """Renders the blocks of one issue.

    Attributes:
        shared: what every template may use: ``theme``, ``phrases``, ``direction`` …
    """

    templates: Templates
    marks: Marks
    inlines: InlineReader
    findings: Findings
    shared: Mapping[str, object]

    def layout(self, document: Document, context: Mapping[str, object]) -> str:
        """The whole document as MJML.

        Raises:
            TemplateError: Jinja2 cannot render a file of the template.
            MjmlError: a file of the template makes MJML that would be broken in silence.
        """
        opening, hero = document.opening, Markup()
        if opening and isinstance(opening[0], PictureBlock):
            hero, opening = self._hero(opening[0], is_last=len(opening) == 1), opening[1:]
        mjml = self.templates.render(
            _LAYOUT,
            {
                **self.shared,
                **context,
                "hero": hero,
                "contents": self._contents(document),
                "opening": self._rows(opening, kind="opening"),
                "sections": [
                    self._rows(
                        section.blocks, kind="featured" if section.is_featured else "section"
                    )
                    for section in document.sections
                ],
            },
        )
        self._check(mjml, self.templates.origin(_LAYOUT), parent="")
        return str(mjml)

    def _contents(self, document: Document) -> list[str]:
        """The headings of the sections, for a list of them; their words only."""
        return [
            self._html(escape(plain(heading.children)))
            for section in document.sections
            if isinstance(heading := section.blocks[0], Heading)
        ]

    def _rows(self, blocks: Sequence[Block], *, kind: str) -> Markup:
        """Full-width MJML: what stands in columns is gathered into rows."""
        levels = [(self._level(block), block) for block in blocks]
        # Each full-width block is a row of its own; neighbours of a column share one.
        groups: list[tuple[Level, list[Block]]] = []
        for level, group in groupby(levels, key=lambda pair: pair[0]):
            members = [block for _, block in group]
            if level is Level.BLOCK:
                groups.append((level, members))
            elif level is not None:
                groups.extend((level, [member]) for member in members)
        rows: list[Markup] = []
        after = ""
        for position, (level, members) in enumerate(groups):
            place = {
                "kind": kind,
                "is_first": position == 0,
                "is_last": position == len(groups) - 1,
                "after": after,
            }
            after = getattr(members[-1], "name", "")
            content = self._column(members, place) if level is Level.BLOCK else None
            if content is None:
                content = self._block(members[0], place)
            if level is not Level.ROW:
                context = {**self.shared, **place, "content": content, "is_column": level > 1}
                content = self.templates.render(_ROW, context)
                self._check(content, self.templates.origin(_ROW), parent="mj-body")
            rows.append(content)
        return Markup().join(rows)

    def _column(self, blocks: Sequence[Block], place: Mapping[str, object]) -> Markup:
        """MJML that stands in one column: running text that follows on one another is joined."""
        parts: list[Markup] = []
        for is_prose, group in groupby(
            blocks, key=lambda b: isinstance(b, PROSE) and not isinstance(b, Heading)
        ):
            if is_prose:
                html = prose_html(list(group))
                parts.append(self._render("text", {**place, "html": self._html(html)}))
            else:
                parts.extend(self._block(block, place) for block in group)
        return Markup().join(parts)

    def _level(self, block: Block) -> Level | None:
        """How wide a block is; None, with a finding, where it is not known."""
        if not isinstance(block, Fence):
            return Level.BLOCK
        if block.name == RAW:
            return level_of(block.raw)
        template = None if block.name in _OF_MARKDOWN else self.templates.block(block.name)
        if template is None:
            known = {*self.templates.block_names(), RAW} - _OF_MARKDOWN
            self.findings.add(
                f"there is no block {block.name}; {did_you_mean(block.name, known)}", block.line
            )
            return None
        return template.level

    def _block(self, block: Block, place: Mapping[str, object]) -> Markup:
        if not isinstance(block, Fence):
            return self._markdown_block(block, **place)
        if block.name == RAW:
            return RawMjml(marks=self.marks, inlines=self.inlines).render(block)
        template = self.templates.block(block.name)
        if template is None:
            return Markup()
        context = {
            **place,
            "calendar": block.calendar,
            **self._options(block, template),
            **self._content(block, template, place),
        }
        try:
            mjml = self._render(block.name, context)
        except OptionRefused as refused:
            self.findings.add(f"::: {block.name}: {refused}", block.line)
            return Markup()
        # Said after rendering: a template with a slip in it is the template's fault.
        if block.children and not template.variables & _CONTENTS:
            self.findings.add(f"::: {block.name} takes no text inside", block.line)
        return mjml

    def _content(
        self, block: Fence, template: BlockTemplate, place: Mapping[str, object]
    ) -> dict[str, object]:
        """What stands in a block, in the form that its template asks for."""
        wanted = template.variables & _CONTENTS
        if not wanted:
            return {}
        if not block.children and not block.options:
            self.findings.add(f"::: {block.name} is empty", block.line)
        if "html" in wanted:
            self._refuse_others(block)
            return {"html": self._html(prose_html(block.children))}
        if "columns" in wanted:
            columns = [self._block(child, place) for child in self._inside(block, Level.COLUMN)]
            return {"columns": Markup().join(columns)}
        return {"content": self._column(self._inside(block, Level.BLOCK), place)}

    def _inside(self, block: Fence, level: Level) -> list[Block]:
        """The blocks in a block that can stand there; notes the others."""
        fit: list[Block] = []
        for child in block.children:
            child_level = self._level(child)
            if child_level is level:
                fit.append(child)
            elif child_level is not None and level is Level.COLUMN:
                self.findings.add(
                    f"::: {block.name} has ::: column in it, and everything else in these",
                    child.line,
                )
            elif child_level is not None and isinstance(child, Fence):
                self.findings.add(f"::: {child.name} cannot stand in ::: {block.name}", child.line)
        return fit

    def _refuse_others(self, block: Fence) -> None:
        for child in block.children:
            is_quote = isinstance(child, Fence) and child.name == "quote" and not child.options
            if not isinstance(child, PROSE) and not is_quote:
                self.findings.add(f"::: {block.name} has only text in it", child.line)

    def _options(self, block: Fence, template: BlockTemplate) -> dict[str, object]:
        for name in sorted(set(block.options) - template.options):
            hint = did_you_mean(name, template.options) if template.options else "it has none"
            self.findings.add(f"::: {block.name} has no option {name}; {hint}", block.line)
        for name in sorted(template.required - set(block.options)):
            self.findings.add(
                f'::: {block.name} needs {name}: ::: {block.name} {{{name}="…"}}', block.line
            )
        values: dict[str, Option | str] = dict.fromkeys(template.options, "")
        for name, value in block.options.items():
            if name in template.options:
                if _LINK_OPTION.search(name):
                    self.inlines.address(value, block.line)
                values[name] = self._option(value)
        return {"options": values, "required": values}

    def _option(self, value: str) -> Option | str:
        if not value:
            return ""
        option = Option(value)
        option.mark = self._html(escape(value))
        return option

    def _markdown_block(self, block: Block, **place: object) -> Markup:
        match block:
            case Heading(level=level, children=children):
                html = self._html(inline_html(children))
                return self._render("heading", {**place, "level": level, "html": html})
            case PictureBlock():
                return self._render("picture", {**place, **self._picture(block)})
            case Buttons(links=links):
                buttons = [
                    {
                        "href": self._html(escape(link.href)),
                        "label": self._html(escape(plain(link.children))),
                        "is_secondary": "secondary" in link.classes,
                    }
                    for link in links
                ]
                return self._render("button", {**place, "buttons": buttons})
            case Divider():
                return self._render("divider", place)
        return self._render("text", {**place, "html": self._html(prose_html([block]))})

    def _picture(self, block: PictureBlock) -> dict[str, object]:
        image, href = block.image, block.href
        return {
            "src": image.address,
            "alt": self._html(escape(image.alt)) if image.alt else "",
            "caption": self._html(escape(image.caption)) if image.caption else "",
            "href": self._html(escape(href)) if href else "",
            "width": image.width,
            "height": image.height,
        }

    def _hero(self, block: PictureBlock, *, is_last: bool) -> Markup:
        """The picture that opens the issue: as wide as the mail, under the masthead."""
        context = {**self.shared, **self._picture(block), "is_last": is_last}
        mjml = self.templates.render(_HERO, context)
        self._check(mjml, self.templates.origin(_HERO), parent="mj-body")
        return mjml

    def _html(self, html: str) -> str:
        return self.marks.content(html)

    def _render(self, name: str, context: Mapping[str, object]) -> Markup:
        template = self.templates.block(name)
        if template is None:
            raise TemplateError(f"the template has no blocks/{name}.mjml.j2")
        mjml = self.templates.render(template.file, {**self.shared, **context})
        self._check(mjml, template.origin, parent=PARENT_OF[template.level])
        return mjml

    def _check(self, mjml: str, origin: str, *, parent: str) -> None:
        for finding in lint_mjml(mjml, self.marks, parent=parent):
            raise MjmlError(finding.message, origin=origin)

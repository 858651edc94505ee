"""MJML that an author wrote in ``::: html``: its pictures loaded, and all of it checked."""

import re
from dataclasses import dataclass

from markupsafe import Markup

from newsletter_mail.compose.blocks import Fence
from newsletter_mail.compose.fences import RAW
from newsletter_mail.compose.inlines import InlineReader
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.mjml_lint import lint_mjml
from newsletter_mail.compose.pictures import PictureRefused
from newsletter_mail.compose.templates import PARENT_OF, level_of

_SRC = re.compile(r"""\bsrc\s*=\s*(["'])(.*?)\1""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMjml:
    """Takes MJML of authors into an issue; what is wrong is noted with its line."""

    marks: Marks
    inlines: InlineReader

    def render(self, block: Fence) -> Markup:
        """The MJML, or nothing where something in it is wrong."""
        findings = self.inlines.findings
        mjml = _SRC.sub(lambda match: self._own_src(match, block), block.raw)
        found = lint_mjml(mjml, self.marks, parent=PARENT_OF[level_of(block.raw)], is_authors=True)
        for finding in found:
            findings.add(finding.message, block.line + finding.line)
        for name in sorted(set(block.options) - {"text"}):
            hint = "it has text, for the plain-text part"
            findings.add(f"::: {RAW} has no option {name}; {hint}", block.line)
        if not block.raw.strip():
            findings.add(f"::: {RAW} is empty", block.line)
        # It goes in as it stands, once nothing in it can do harm.
        return Markup() if found else Markup(mjml)  # noqa: S704

    def _own_src(self, match: re.Match[str], block: Fence) -> str:
        line = block.line + 1 + block.raw.count("\n", 0, match.start())
        try:
            source = self.inlines.load(match[2], line)
        except PictureRefused as refused:
            self.inlines.findings.add(str(refused), line)
            return match[0]
        return f'src="{self.marks.picture(source.key)}"'

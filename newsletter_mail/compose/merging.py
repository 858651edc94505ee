"""Takes the merge tags out of an issue, before anything reads its Markdown. Pure."""

from dataclasses import dataclass

from newsletter_mail.compose.findings import Findings
from newsletter_mail.compose.marks import Marks
from newsletter_mail.errors import MergeTagError
from newsletter_mail.merge import MergeTag, split_merge_tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Merger:
    """Puts marks where merge tags stand; what is wrong with one is noted with its line."""

    marks: Marks
    findings: Findings

    def body(self, text: str, first_line: int) -> str:
        """The Markdown; ``first_line`` is where it begins in the file."""
        return "\n".join(
            self.line(line, number) for number, line in enumerate(text.split("\n"), first_line)
        )

    def line(self, text: str, number: int | None) -> str:
        """One line; a merge tag cannot go over a line's end.

        A line with a bad tag loses its braces, so that everything after it can be checked too.
        """
        if self.findings.is_full or ("{" not in text and "}" not in text):
            return text
        if text.lstrip().startswith(":::") and "{%" not in text:
            # The options of a block may end so: ::: column {width=40%}
            text = text.replace("%}", "% }")
        try:
            parts = split_merge_tags(text)
        except MergeTagError as error:
            self.findings.add(error.message, number)
        else:
            return "".join(
                self.marks.merge(part.expression) if isinstance(part, MergeTag) else part
                for part in parts
            )
        # Not brackets: after [text] these would make a link.
        return text.replace("{", " ").replace("}", " ")

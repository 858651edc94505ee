"""Writes the tables of rules in ``docs/checks.md``."""

import re
from pathlib import Path

from newsletter_mail.checks.caniemail import MAJOR, load_support
from newsletter_mail.checks.catalogue import GROUPS, all_rules

FILE = Path(__file__).parent / "checks.md"
BEGIN, END = "<!-- rules: made by docs/make_checks.py -->", "<!-- end of rules -->"


def tables() -> str:
    """A table for each group, and the mail programs that the data speaks of."""
    parts: list[str] = []
    for group, about in GROUPS.items():
        rows = [
            f"| `{rule.id}` | {rule.level} | {_cell(rule.says)} | {_cell(rule.source)} |"
            for rule in all_rules()
            if rule.group == group
        ]
        head = [f"### {group}: {about}", "", "| rule | level | what it asks for | from |"]
        parts.append("\n".join([*head, "|---|---|---|---|", *rows]))
    support = load_support()
    others = [client for client in support.clients if client not in MAJOR]
    parts.append(
        f"The data of caniemail.com is of {support.updated}. These count: "
        f"{', '.join(sorted(MAJOR))}. These are only counted: {', '.join(others)}."
    )
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    text = text.replace("|", "\\|")
    return re.sub(
        r"(<[a-z0-9]+>|<script>|\[[a-z]+\] \w+|newsletter\.toml|role=\"\w+\")", r"`\1`", text
    )


def renewed(page: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def main() -> None:
    """Write the page."""
    FILE.write_text(renewed(FILE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()

"""Arguments and options that several commands have."""

from typing import Annotated

import typer

Issue = Annotated[str, typer.Argument(metavar="ISSUE", help="The issue: its slug or a path.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="In any spelling.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

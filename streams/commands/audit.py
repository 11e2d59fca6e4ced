"""`twohand audit`: read a history as it is."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from streams.audit import engine
from streams.audit.asked import Asked
from streams.commands import options
from streams.commands.options import HERE
from streams.sources.git import Repository


class Format(StrEnum):
    """How the audit is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"


def register(app: typer.Typer) -> None:
    app.command(name="audit")(audit)


def audit(
    *,
    revisions: Annotated[
        str, typer.Argument(metavar="[RANGE]", help="A revision or A..B.", show_default=False)
    ] = "HEAD",
    where: options.Where = HERE,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read commit ids from standard input, one a line.")] = False,
    merges: Annotated[bool, typer.Option("--merges", help="Show merge commits too, with their own edits.")] = False,
    rules: Annotated[bool, typer.Option("--rules/--no-rules", help="Run the rules over every diff.")] = True,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many commits.")] = None,
    fmt: Annotated[Format, typer.Option("--format", "-f", help="How to write the result.")] = Format.TEXT,
) -> int:
    """Who wrote each commit of a history, on what evidence, what it weakened, and whether anybody independent looked."""
    repo = Repository.open(where)
    asked = Asked((revisions,), sys.stdin if stdin else None, merges=merges, rules=rules, limit=limit)
    code = 0
    for line in engine.lines(repo, asked):
        sys.stdout.write(line + "\n")
        code = 2 if '"error":' in line and line.startswith('{"commit"') and '"kind":' not in line else code
    return code

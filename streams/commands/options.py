"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Where = Annotated[
    Path, typer.Option("-C", help="The repository, or a directory in it.", metavar="REPO", show_default=False)
]
Settings = Annotated[Path | None, typer.Option("--settings", help="The operator's settings file.", show_default=False)]
Base = Annotated[
    str | None, typer.Option("--base", help="Where the change begins; default: the merge base with the target.")
]
Head = Annotated[str | None, typer.Option("--head", help="The commit or branch to judge; default: HEAD.")]
Target = Annotated[str | None, typer.Option("--target", help="The branch to land on; default: the default branch.")]
Rewrite = Annotated[
    bool,
    typer.Option(
        "--rewrite", help="Judge a forced push: the target moves there from where it stands, whatever it drops."
    ),
]
Number = Annotated[str, typer.Option("--change", help="The forge's number of the change.", show_default=False)]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the result to this file.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only the outcome.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say everything.")]

HERE = Path()


class Format(StrEnum):
    """How a result is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"
    JUNIT = "junit"


class Paged(StrEnum):
    """How a page is written."""

    TEXT = "text"
    JSON = "json"


class Listed(StrEnum):
    """How a list is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


Formatted = Annotated[Format, typer.Option("--format", "-f", help="How to write the result.")]
AsPage = Annotated[Paged, typer.Option("--format", "-f", help="How to write the result.")]
AsList = Annotated[Listed, typer.Option("--format", "-f", help="How to write the result.")]

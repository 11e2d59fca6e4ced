"""`twohand audit`: read a history as it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from rules import globs
from streams import clock
from streams.audit import span
from streams.audit.asked import Asked
from streams.commands import options
from streams.commands.options import HERE
from streams.sources.errors import SourceError
from streams.sources.git import Repository

Range = Annotated[
    str | None,
    typer.Argument(
        metavar="[RANGE]", help="A branch, a commit or A..B; default: HEAD, with --landed the default branch."
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="Read every ref.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read commit ids from standard input, one a line.")]
Merges = Annotated[bool, typer.Option("--merges", help="Show merge commits too, with what they changed themselves.")]
Landed = Annotated[bool, typer.Option("--landed", help="Show what landed, step by step, instead of every commit.")]
Since = Annotated[
    str,
    typer.Option("--since", metavar="SPAN", help="Only commits since: 90d, 12w, 6m, 2026-01-31.", show_default=False),
]
Paths = Annotated[
    list[str] | None, typer.Option("--paths", metavar="GLOB", help="Only commits that change one of these.")
]
Rules = Annotated[bool, typer.Option("--rules/--no-rules", help="Run the rules over every diff; without, it is fast.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many commits.", show_default=False)]
Cached = Annotated[bool, typer.Option("--cache/--no-cache", help="Remember what the rules saw in a commit.")]
Html = Annotated[bool, typer.Option("--html", help="The same as --format html.")]
Check = Annotated[
    bool, typer.Option("--check", help="For CI: exit 1 if anything landed that no admitted decision covers.")
]


class Format(StrEnum):
    """How the audit is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"


Formatted = Annotated[Format, typer.Option("--format", "-f", help="How to write the result.")]


class NotAsked(SourceError):
    """These options do not go together, or one has no meaning."""


def register(app: typer.Typer) -> None:
    app.command(name="audit")(audit)


def audit(
    *,
    revisions: Range = None,
    where: options.Where = HERE,
    everything: Everything = False,
    stdin: Stdin = False,
    merges: Merges = False,
    landed: Landed = False,
    since: Since = "",
    paths: Paths = None,
    rules: Rules = True,
    limit: Limit = None,
    cached: Cached = True,
    check: Check = False,
    fmt: Formatted = Format.TEXT,
    html: Html = False,
    output: options.Output = None,
) -> int:
    """Who wrote each commit, what it weakened, and who looked.

    And on what evidence each is said.
    """
    repo = Repository.open(where)
    if check:
        return _checked(repo, revisions, fmt, output)
    asked = Asked(
        _revisions(repo, revisions, everything=everything, landed=landed), _ids() if stdin else None,
        merges=merges or landed, since=span.since(since, clock.now()) if since else None,
        paths=tuple(map(_glob, paths or ())), landed=landed, rules=rules, limit=limit, cache=cached,
    )  # fmt: skip
    from streams.audit import telling  # noqa: PLC0415 - the help page needs no engine

    with _written(output) as out:
        return telling.tell(repo, asked, Format.HTML if html else fmt, out)


def _ids() -> TextIO:
    """Standard input, whatever bytes it holds."""
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure:
        reconfigure(encoding="utf-8", errors="surrogateescape")
    return sys.stdin


def _checked(repo: Repository, revisions: str | None, fmt: Format, output: Path | None) -> int:
    from streams.audit import check  # noqa: PLC0415

    found = check.check(repo, revisions)
    with _written(output) as out:
        out.write(check.as_text(found) if fmt is Format.TEXT else check.as_json(found))
    return 1 if found.uncovered or found.incidents else 0


def _revisions(repo: Repository, revisions: str | None, *, everything: bool, landed: bool) -> tuple[str, ...]:
    if everything and (revisions or landed):
        raise NotAsked("--all reads every ref; it takes no range and no --landed.", remedy="Leave one of them out.")
    if everything:
        return ("--exclude=refs/twohand/*", "--exclude=refs/notes/*", "--all")
    name = revisions or (repo.default_branch() if landed else None) or "HEAD"
    base, dots, head = name.partition("..")
    if dots and not head.startswith("."):
        return (repo.resolve(head or "HEAD"), f"^{repo.resolve(base or 'HEAD')}")
    if dots:
        raise NotAsked(f"{name!r} is a symmetric range.", remedy="Write A..B: what B has and A has not.")
    return (repo.resolve(name),)


def _glob(text: str) -> str:
    try:
        return globs.checked(text)
    except ValueError as error:
        raise NotAsked(f"--paths {text!r}: {error}.", remedy="Globs read like src/**/*.py; docs/policy.md.") from error


@contextmanager
def _written(output: Path | None) -> Iterator[TextIO]:
    """Where the result goes: letters that standard output cannot say are escaped."""
    if output is None:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", errors="backslashreplace") as file:
        yield file

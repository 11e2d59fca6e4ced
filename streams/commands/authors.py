"""`twohand authors REV`: who made one commit, for people and for other tools."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from rules import tracing
from streams.commands import options
from streams.commands.options import HERE
from streams.sinks.render import write
from streams.sources.git import Repository

Revision = Annotated[str, typer.Argument(metavar="[REV]", help="The commit; default: HEAD.")]


class Format(StrEnum):
    """How authors are written."""

    TEXT = "text"
    JSON = "json"
    AGENT_TRACE = "agent-trace"


Formatted = Annotated[Format, typer.Option("--format", "-f", help="How to write the result.")]


def register(app: typer.Typer) -> None:
    app.command(name="authors")(authors)


def authors(
    revision: Revision = "HEAD",
    *,
    where: options.Where = HERE,
    fmt: Formatted = Format.TEXT,
    output: options.Output = None,
) -> int:
    """Who made one commit, and on what evidence.

    Also as an Agent Trace record.
    """
    repo = Repository.open(where)
    row = _row(repo, repo.resolve(revision))
    write.data(_rendered(repo, row, fmt), output)
    return 0


def _row(repo: Repository, commit: str) -> dict[str, Any]:
    from streams.audit import engine, signatures  # noqa: PLC0415 - the help page needs no engine
    from streams.audit.asked import Asked  # noqa: PLC0415

    return signatures.verified(repo, next(engine.run(repo, Asked(ids=[commit], rules=False))))


def _rendered(repo: Repository, row: dict[str, Any], fmt: Format) -> str:
    if fmt is Format.AGENT_TRACE:
        return write.as_json(tracing.record(row, _blobs(repo, row["commit"])), indent=None)
    if fmt is Format.JSON:
        kept = ("commit", "kind", "authors", "marks", "unmarked", "suspected", "time", "author", "committer")
        return write.as_json({name: row[name] for name in kept})
    return "".join(f"{line}\n" for line in _lines(row))


def _blobs(repo: Repository, commit: str) -> Any:
    from streams.audit import diffs  # noqa: PLC0415

    parents = repo.run("rev-list", "--parents", "--max-count=1", commit, "--").out.decode("ascii").split()[1:]
    change = diffs.changed(repo, [diffs.Edge(commit, parents[0] if parents else "")])[0]
    with repo.cat_file() as objects:
        return diffs.contents(objects, change)


def _lines(row: dict[str, Any]) -> list[str]:
    lines = [f"{row['commit'][:12]}  {row['kind']}  {_plain(row['subject'])}"]
    for author in row["authors"]:
        lines.append(f"  {author['kind']}  {_plain(author['name'])}{_told(author)}")
        lines += [f"      {item['grade']}  {item['channel']}  {_plain(item['claim'])}" for item in author["evidence"]]
    lines += [f"  suspected  {_plain(author['name'])}: its branch is named so" for author in row["suspected"]]
    return lines


def _told(author: dict[str, Any]) -> str:
    told = (f"{name} {author[name]}" for name in ("model", "maker", "session", "operator") if author[name])
    return "".join(f", {_plain(text)}" for text in told)


def _plain(text: object) -> str:
    """Nothing that a terminal would act on."""
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in str(text))

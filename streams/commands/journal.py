"""`twohand journal export|verify|notes`: the record of this repository, as events in a file or notes beside its commits."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from rules.events import ChangeProposed
from streams.commands import options
from streams.commands.options import HERE
from streams.engines import codec
from streams.engines.journal import Journal
from streams.sources.errors import SourceError
from streams.sources.git import Repository

Range = Annotated[
    str | None, typer.Argument(metavar="[RANGE]", help="A branch, a commit or A..B; default: the default branch.")
]
UNNAMED = "unnamed"  # the source of a change that nobody proposed

Change = Annotated[
    str, typer.Option("--change", metavar="ID", help="Only this change (its id, or how it begins).", show_default=False)
]


class NoJournal(SourceError):
    """Nothing was ever recorded here."""

    exit_code = 2


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The record of this repository.", no_args_is_help=True)
    group.command(name="export")(export)
    group.command(name="verify")(verify)
    group.command(name="notes")(notes)
    app.add_typer(group, name="journal")


def export(*, change: Change = "", where: options.Where = HERE, output: options.Output = None) -> int:
    """Write the journal as events, one a line.

    CloudEvents in JSON: what `twohand replay` reads.
    """
    with Journal(_path(where)) as journal:
        wanted = _wanted(journal, change) if change else None
        if output is None:
            sys.stdout.buffer.writelines(_exported(journal, wanted))
            return 0
        with output.open("wb") as file:
            file.writelines(_exported(journal, wanted))
    return 0


def verify(*, where: options.Where = HERE) -> int:
    """Say whether the journal is whole.

    Follows the chain of hashes from the first row to the last; exit code 1 names the broken row.
    """
    path = _path(where)
    with Journal(path) as journal:
        size, broken = journal.size(), journal.broken_row()
    if broken is None:
        print(f"{path}: whole, {size} events")
        return 0
    row, reason = broken
    print(f"{path}: row {row} is broken: {reason}")
    print("hint: what follows that row proves nothing; restore the journal from a backup.", file=sys.stderr)
    return 1


def notes(revisions: Range = None, *, where: options.Where = HERE) -> int:
    """Write decisions as git notes beside what landed.

    For every first-parent step of the default branch, or of A..B, that a recorded admitted decision covers: refs/notes/twohand.
    """
    from rules import noted  # noqa: PLC0415 - the help page needs none of these
    from streams.audit import check  # noqa: PLC0415
    from streams.sinks import notes as sink  # noqa: PLC0415

    repo = Repository.open(where)
    _path(where)
    covered = check.covered(repo, revisions)
    new = sink.write_all(repo, {commit: noted.of_decision(one.decision) for commit, one in covered.items()})
    print(f"{sink.REF}: {len(new)} written, {len(covered) - len(new)} stood there already")
    if new:
        print(f"hint: `git push origin {sink.REF}` carries them to where others read.", file=sys.stderr)
    return 0


def _path(where: Path) -> Path:
    path = Repository.open(where).common_dir / "twohand" / "journal.db"
    if not path.is_file():
        raise NoJournal(f"There is no journal at {path}.", remedy="`twohand review` records the first decision.")
    return path


def _wanted(journal: Journal, prefix: str) -> str:
    found = journal.find_changes(prefix)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoJournal(
            f"No change here begins with {prefix!r}.", remedy="`twohand journal export` writes all of them."
        )
    shown = ", ".join(name[:16] for name in found[:5])
    raise NoJournal(f"{len(found)} changes begin with {prefix!r} ({shown}).", remedy="Write more of the id.")


def _exported(journal: Journal, change: str | None) -> Iterator[bytes]:
    """The lines; each names the repository of the proposal that it belongs to."""
    sources: dict[str, str] = {}
    for event in journal.events(change):
        if isinstance(event, ChangeProposed):
            sources[event.change] = quote(event.repository, safe="/:@") or UNNAMED
        yield codec.encode(event, sources.get(event.change, UNNAMED)) + b"\n"

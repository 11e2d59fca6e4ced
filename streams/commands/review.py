"""`twohand review`: read a change, judge it, say what comes of it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rules.judgement import Judgement
from rules.record import record
from streams import evidence
from streams.commands import options
from streams.commands.options import HERE, Format
from streams.desk import MOST_FILES, Asked, Desk, Reading
from streams.sinks.render import write
from streams.sources.errors import SourceError
from streams.sources.forge_reviews import read

EXIT = {"admitted": 0, "blocked": 1, "escalated": 4, "pending": 5}

OpenedBy = Annotated[
    str,
    typer.Option(
        "--opened-by", metavar="ACCOUNT", help="Who opened the change, as forge, hook or CI knows.", show_default=False
    ),
]
PushedBy = Annotated[
    list[str] | None,
    typer.Option(
        "--pushed-by",
        metavar="ACCOUNT",
        help="Who pushed it, as forge, hook or CI knows; repeated for everybody who pushed a part.",
        show_default=False,
    ),
]
ForgeReviews = Annotated[
    Path | None,
    typer.Option(
        "--forge-reviews",
        metavar="FILE",
        help="The reviews that the forge knows of, as JSON; counted where the settings trust the forge.",
        show_default=False,
    ),
]
Sarif = Annotated[
    list[Path] | None,
    typer.Option(
        "--sarif", metavar="FILE", help="What another scanner found (SARIF 2.1.0); may be repeated.", show_default=False
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Record nothing in the journal, and ask no model.")]
NoModels = Annotated[bool, typer.Option("--no-models", help="Ask none of the model reviewers of the settings.")]


Revision = Annotated[
    str | None,
    typer.Argument(metavar="REV", help="The commit or branch to judge, as --head names it.", show_default=False),
]


class TwoHeads(SourceError):
    """The head was named twice."""


def register(app: typer.Typer) -> None:
    app.command(name="review")(review)


def review(
    rev: Revision = None,
    *,
    base: options.Base = None,
    head: options.Head = None,
    target: options.Target = None,
    rewrite: options.Rewrite = False,
    where: options.Where = HERE,
    number: options.Number = "",
    opened_by: OpenedBy = "",
    pushed_by: PushedBy = None,
    forge_reviews: ForgeReviews = None,
    sarif: Sarif = None,
    no_models: NoModels = False,
    dry_run: DryRun = False,
    fmt: options.Formatted = Format.TEXT,
    output: options.Output = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    settings: options.Settings = None,
) -> int:
    """Decide about a change, and say why and what to do next.

    Reads it, runs the rules, asks the models, hears the statements.

    Only commits are read: what is not committed yet is no part of the change.
    """
    if rev is not None and head is not None:
        raise TwoHeads(f"REV {rev} and --head {head} both name what is judged.", remedy="Leave one of them out.")
    head = head if rev is None else rev
    with Desk.at(where, explicit=settings) as desk:
        told = read(forge_reviews, desk.settings.trust, desk.now()) if forge_reviews else None
        pushers = tuple(evidence.asserted("pushed-by", account) for account in pushed_by or () if account)
        asked = Asked(
            base, head, target, number, opened_by, rewrite=rewrite, claims=pushers, forge=told, sarif=tuple(sarif or ()),
        )  # fmt: skip
        reading = desk.read(asked, outdated=True)
        judgement = desk.judge(reading, asked, dry_run=dry_run)
        if desk.settings.reviewers and 0 < len(reading.read.files) <= MOST_FILES and not (no_models or dry_run):
            judgement = _with_models(desk, reading, asked, judgement=judgement, quiet=quiet)
        for note in desk.notes:
            print(f"note: {note}", file=sys.stderr)
    result = record(judgement)
    write.result(result, fmt, output=output, quiet=quiet, verbose=verbose)
    return 0 if fmt is Format.SARIF else EXIT[judgement.outcome]


def _with_models(desk: Desk, reading: Reading, asked: Asked, *, judgement: Judgement, quiet: bool) -> Judgement:
    """The judgement after the reviewers that the settings configure were asked, as far as they may sit (law 24)."""
    from streams.judges import display, sitting  # noqa: PLC0415 - only where a model is configured

    board = display.board(quiet=quiet)
    with board.live():
        rows, _ = sitting.hold(desk, reading, judgement=judgement, board=board)
    if said := sitting.disagreement(rows):
        print(f"note: the reviewers disagree: {said}", file=sys.stderr)
    return desk.judge(reading, asked)

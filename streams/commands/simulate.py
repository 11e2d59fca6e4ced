"""`twohand simulate CHANGE --with approve:alice`: what if. Nothing is signed and nothing is recorded."""

from pathlib import Path
from typing import Annotated

import typer

from streams.commands import options
from streams.commands.options import HERE, Format
from streams.commands.review import EXIT
from streams.sinks.render import write

Change = Annotated[str, typer.Argument(metavar="CHANGE", help="As in `twohand explain`.")]
With = Annotated[
    list[str] | None, typer.Option("--with", metavar="VERB:NAME", help="As if NAME had said it.", show_default=False)
]
Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="NAME", help="As if NAME had said nothing.", show_default=False)
]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="As if this were the policy.", show_default=False)
]


def register(app: typer.Typer) -> None:
    app.command(name="simulate")(simulate)


def simulate(
    name: Change = "latest", *, with_: With = None, without: Without = None, policy: PolicyFile = None,
    where: options.Where = HERE, fmt: options.Formatted = Format.TEXT, output: options.Output = None,
    quiet: options.Quiet = False, verbose: options.Verbose = False, settings: options.Settings = None,
) -> int:  # fmt: skip
    """Tell what would be decided if something were otherwise.

    If somebody said something more, or less, or the policy were another. Records nothing.
    """
    from streams.commands.recall import recall  # noqa: PLC0415 - other commands need none of it
    from streams.desk import Desk  # noqa: PLC0415
    from streams.imagine import Supposed, imagine, spoken  # noqa: PLC0415

    supposed = Supposed(tuple(map(spoken, with_ or ())), tuple(without or ()), policy)
    with Desk.at(where, explicit=settings) as desk:
        result, outcome = imagine(recall(desk, name).events, supposed, desk.now())
    write.result(result, fmt, output=output, quiet=quiet, verbose=verbose)
    return 0 if fmt is Format.SARIF else EXIT[outcome]

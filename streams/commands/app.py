"""All commands, and what becomes of their errors."""

import sys
import traceback
from typing import Annotated

import typer

from rules.report import Invalid
from streams.cli import INTERNAL, INTERRUPTED, USAGE, VERSION
from streams.commands import demo, explain, init, journal, owners, policy, replay, review, rules, say, simulate
from streams.sources.errors import SourceError

EPILOG = (
    "Exit codes: 0 admitted, 1 blocked, 2 usage or configuration, 3 internal error, 4 escalated, 5 no decision in time."
)

app = typer.Typer(
    name="twohand",
    help="No change lands on one hand: independent review, owners and escalation for code that agents write.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
review.register(app)
say.register(app)
owners.register(app)
policy.register(app)
replay.register(app)
journal.register(app)
explain.register(app)
simulate.register(app)
rules.register(app)
init.register(app)
demo.register(app)


def _version(asked: bool) -> None:
    if asked:
        print(f"twohand {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """No change lands on one hand."""


def run(arguments: list[str]) -> int:
    """Run one command; every error becomes a clear text and its exit code."""
    try:
        result = app(arguments, standalone_mode=False)
    except SourceError as error:
        return _fail(error.message, error.remedy, error.exit_code)
    except Invalid as error:
        return _fail(str(error), "", USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return INTERNAL
    except typer.Exit as done:
        return done.exit_code
    except Exception as error:  # noqa: BLE001 - the gate stays closed, whatever happened
        return _crashed(error)
    return result if isinstance(result, int) else 0


def _fail(message: str, remedy: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    if remedy:
        print(f"hint: {remedy}", file=sys.stderr)
    return code


def _crashed(error: Exception) -> int:
    show = getattr(error, "show", None)
    if callable(show):  # usage errors of the command line
        show()
        return USAGE
    traceback.print_exception(error)
    return _fail(
        f"internal error: {error}", "The gate stays closed. Please report this with the lines above.", INTERNAL
    )

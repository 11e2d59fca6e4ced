"""All commands, and what becomes of their errors."""

import os
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from errno import ENOSPC
from importlib import import_module
from typing import Annotated

import typer
import typer.core

from rules.report import Invalid
from streams.cli import INTERNAL, INTERRUPTED, USAGE, VERSION
from streams.extras import CLIENTS
from streams.sources.errors import SourceError

EPILOG = (
    "Exit codes: 0 admitted, 1 blocked, 2 usage or configuration, 3 internal error, 4 escalated, 5 no decision in time."
)

KAFKA = frozenset(
    ("aiokafka", "cramjam", "faust", "kafka", "psycopg", "zstandard")
)  # packages of the extra of this name
UNREAD = 141  # 128 and SIGPIPE: whoever read standard output has left, as `| head -1` does
DOORS = frozenset({"review", "gate"})  # whose exit code 0 lets something through

COMMANDS = {
    "demo": "demo",
    "init": "init",
    "audit": "audit",
    "authors": "authors",
    "review": "review",
    "explain": "explain",
    "simulate": "simulate",
    "propose": "say",
    "approve": "say",
    "object": "say",
    "withdraw": "say",
    "waive": "say",
    "replay": "replay",
    "policy": "policy",
    "rules": "rules",
    "owners": "owners",
    "oncall": "oncall",
    "escalation": "escalation",
    "alerts": "alerts",
    "serve": "serve",
    "submit": "submit",
    "gate": "gate",
    "relay": "relay",
    "worker": "worker",
    "store": "store",
    "dead-letters": "dead_letters",
    "report": "report",
    "journal": "journal",
    "reviewers": "reviewers",
    "cost": "cost",
    "hook": "hook",
    "doctor": "doctor",
    "selftest": "selftest",
    "topics": "topics",
    "model-server": "model_server",
}  # command -> the module under streams.commands that registers it, in the order of the help page


def _version(asked: bool) -> None:
    if asked:
        print(f"twohand {VERSION}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """No change lands on one hand."""


def build(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands; what is not asked for is not imported."""
    typer.core.HAS_RICH = False  # else it escapes `[default: x]` for a renderer that nobody asked for
    app = typer.Typer(
        name="twohand",
        help="No change lands on one hand: independent review, owners and escalation for code that agents write.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for module in dict.fromkeys(COMMANDS[command] for command in commands):
        import_module(f"streams.commands.{module}").register(app)
    return app


def run(arguments: list[str]) -> int:
    """Run one command; every error becomes a clear text and its exit code."""
    if sys.stdout is None:
        return _fail("standard output is closed, and nothing that cannot be told is decided", "", INTERNAL)
    wanted = [name for name in arguments[:1] if name in COMMANDS] or COMMANDS
    try:
        result = build(wanted)(arguments, prog_name="twohand", standalone_mode=False)
        sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    except SystemExit as done:  # completion ends so, and so does an output that nobody reads
        return _ended(done, wanted)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the gate stays closed, whatever happened
        return _failed(error, wanted)
    return result if isinstance(result, int) else 0


def _ended(done: SystemExit, wanted: Iterable[str]) -> int:
    """What ends a door before it decided is no admission, whatever its code says (law 40)."""
    if done.code:
        return _untold(wanted)
    if DOORS.issuperset(wanted):
        return _fail("something ended this command before it decided", "Nothing was admitted.", INTERNAL)
    return 0


def _untold(wanted: Iterable[str]) -> int:
    """Nobody listens: that is the reader's choice, but of a door that would be a verdict which nobody heard."""
    if (DOORS | {"hook"}).issuperset(wanted):
        return _fail("what was to be told could not be written", "", INTERNAL)
    return UNREAD


def _failed(error: BaseException, wanted: Iterable[str]) -> int:
    if isinstance(error, BrokenPipeError) or (
        isinstance(error.__cause__, BrokenPipeError) and not DOORS.issuperset(wanted)
    ):
        return _untold(wanted)
    if isinstance(error, SourceError):
        return _fail(error.message, error.remedy, error.exit_code)
    if isinstance(error, Invalid):
        return _fail(str(error), "", USAGE)
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in KAFKA:
        return _fail(f"Package {error.name} is not installed.", CLIENTS, USAGE)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED
    return _crashed(error)


def _unhear() -> None:
    """What still waits to be written goes nowhere: else Python fails at its end, in words of its own."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _fail(message: str, remedy: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    if remedy:
        print(f"hint: {remedy}", file=sys.stderr)
    return code


def _crashed(error: BaseException) -> int:
    show = getattr(error, "show", None)
    if callable(show):  # usage errors of the command line
        show()
        return USAGE
    if isinstance(error, OSError) and error.errno == ENOSPC:
        _unhear()
        return _fail(
            "No space left on the device that was written to.", "Make room there, then run it again.", INTERNAL
        )
    traceback.print_exception(error)
    return _fail(
        f"internal error: {error}", "The gate stays closed. Please report this with the lines above.", INTERNAL
    )

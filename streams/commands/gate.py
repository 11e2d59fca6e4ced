"""`twohand gate`: wait for the decision about exactly what lies in this checkout (law 7)."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rules.shape import seconds_of
from streams.commands import options
from streams.commands.options import HERE, Format
from streams.commands.review import EXIT, OpenedBy, PushedBy
from streams.commands.submit import asked
from streams.sources.errors import ShallowEdge, SourceError

if TYPE_CHECKING:
    from streams.desk import Asked, Desk, Reading
    from streams.progress import Teller

Timeout = Annotated[str, typer.Option("--timeout", metavar="10m", help="How long to wait for a decision.")]
Id = Annotated[
    str,
    typer.Option(
        "--id",
        metavar="ID",
        help="The change as `submit` printed it; default: what these options name.",
        show_default=False,
    ),
]
NONE = 5  # exit code: no decision in time


class NoDuration(SourceError):
    """The timeout is no duration."""


class NoChange(SourceError):
    """What --id says is the id of no change."""


class NothingToLand(SourceError):
    """What is asked about is part of its target already."""


class NeverSubmitted(SourceError):
    """The time is up, and no topic names the change."""

    exit_code = NONE


def register(app: typer.Typer) -> None:
    app.command(name="gate")(gate)


def gate(
    *, base: options.Base = None, head: options.Head = None, target: options.Target = None, timeout: Timeout = "10m",
    name: Id = "", where: options.Where = HERE, number: options.Number = "", opened_by: OpenedBy = "",
    pushed_by: PushedBy = None, fmt: options.Formatted = Format.TEXT, output: options.Output = None,
    quiet: options.Quiet = False, verbose: options.Verbose = False, settings: options.Settings = None,
) -> int:  # fmt: skip
    """Wait for the decision about a submitted change.

    It says why and what to do next. The content is computed again from this checkout: a decision about another content counts for nothing.
    """
    from streams.desk import Desk  # noqa: PLC0415 - other commands need none of it
    from streams.progress import Teller  # noqa: PLC0415
    from streams.sinks.render import write  # noqa: PLC0415

    seconds = _seconds(timeout)
    with Desk.at(where, explicit=settings) as desk, Teller(quiet=quiet) as tell:
        wanted = asked(base, head, target, number, opened_by, pushed_by or ())
        reading = _read(desk, wanted)
        if desk.settings.engine == "journal" and not quiet:
            print("engine = journal: decided from this clone", file=sys.stderr)
        waits = _kafka if desk.settings.engine == "kafka" else _journal
        decision, why = waits(desk, reading, wanted, name=name, seconds=seconds, tell=tell)
    if decision is None:
        return _undecided(why, timeout)
    write.result(decision, fmt, output=output, quiet=quiet, verbose=verbose)
    return 0 if fmt is Format.SARIF else EXIT[decision["outcome"]]


def _seconds(timeout: str) -> int:
    try:
        return seconds_of(timeout)
    except ValueError as error:
        raise NoDuration(f"--timeout {timeout}: {error}.", "Write it as 90s, 10m or 2h.") from None


def _read(desk: "Desk", wanted: "Asked") -> "Reading":
    """The change of this checkout. ShallowEdge where that is cut off: its content would be another one."""
    reading = desk.read(wanted)
    for note in (*desk.notes, *reading.read.incomplete):
        print(f"note: {note}", file=sys.stderr)
    if reading.found.incomplete and desk.repo.is_shallow:
        raise ShallowEdge(
            f"This checkout does not hold the whole change: {reading.found.incomplete[-1]}.",
            "Fetch the history, `git fetch --unshallow`, or let CI check out with depth 0.",
        )
    if reading.found.head == reading.found.base:
        raise NothingToLand(
            f"{reading.found.head[:12]} is part of {reading.found.target} already: there is nothing to land.",
            "Name what shall land: twohand gate --head BRANCH --target main.",
        )
    return reading


def _journal(
    desk: "Desk", reading: "Reading", wanted: "Asked", *, name: str, seconds: int, tell: "Teller"
) -> tuple[dict[str, Any] | None, str]:
    from streams.waiting import wait  # noqa: PLC0415

    if name:
        raise NoChange("--id names a change on Kafka, and the engine here is the journal.", "Leave it out.")
    waited = wait(desk, reading, wanted, seconds=seconds, tell=tell)
    return waited.decision, _moved(waited.moved)


def _kafka(
    desk: "Desk", reading: "Reading", wanted: "Asked", *, name: str, seconds: int, tell: "Teller"
) -> tuple[dict[str, Any] | None, str]:
    from rules.case import fold  # noqa: PLC0415
    from rules.judgement import judge  # noqa: PLC0415
    from rules.record import record  # noqa: PLC0415
    from streams.engines.kafka.doors.gating import Sought, Watch, blocked, wait  # noqa: PLC0415
    from streams.engines.kafka.records.dead_letters import named  # noqa: PLC0415

    if name and name != named(name.encode()):
        raise NoChange(f"--id {name} is no id of a change.", "It has 64 hex digits: `twohand submit` prints it.")
    events = desk.events(reading, wanted, desk.memory(write=False), keep=False)
    events = [replace(event, change=name or event.change) for event in events]
    known = Sought.of(record(judge(fold(events), desk.now())))
    watch = Watch(known, ("rules", *desk.settings.reviewers))
    wait(desk.settings, watch, seconds=seconds, tell=tell)
    if watch.decision is None and watch.letters:
        print(
            "note: no decision was made: a worker could not handle what was published of this change", file=sys.stderr
        )
        return blocked(watch, events, desk.now()), ""
    if not (watch.named or watch.away):
        raise NeverSubmitted(
            f"No decision: never submitted. No topic names change {known.change[:12]} within the last day.",
            "Run `twohand submit` with the same options, then this again.",
        )
    decision = watch.decision and watch.decision | ({"trace": watch.trace} if watch.trace else {})
    return decision, _moved(watch.moved) or f"change {known.change[:12]}: {watch.progress()}"


def _moved(head: str) -> str:
    return f"change.head-moved: the newest decision is about head {head[:12]}, not about this content" if head else ""


def _undecided(why: str, timeout: str) -> int:
    print(f"error: no decision within {timeout}: {why}", file=sys.stderr)
    print("hint: `twohand submit` with the same options proposes it, again if need be; are the workers up?", file=sys.stderr)  # fmt: skip
    return NONE

"""`twohand gate`: wait for the decision about exactly what lies in this checkout (law 7)."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from rules.shape import seconds_of
from streams.commands import options
from streams.commands.options import HERE, Format
from streams.commands.review import EXIT, OpenedBy, PushedBy
from streams.commands.submit import asked
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.desk import Asked, Desk
    from streams.engines.kafka.gating import Sought, Watch

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
AGAIN = 30.0  # seconds until the same line is told again
NONE = 5  # exit code: no decision in time


class NoDuration(SourceError):
    """The timeout is no duration."""


def register(app: typer.Typer) -> None:
    app.command(name="gate")(gate)


def gate(
    *, base: options.Base = None, head: options.Head = None, target: options.Target = None, timeout: Timeout = "10m",
    name: Id = "", where: options.Where = HERE, number: options.Number = "", opened_by: OpenedBy = "",
    pushed_by: PushedBy = None, fmt: options.Formatted = Format.TEXT, output: options.Output = None,
    quiet: options.Quiet = False, verbose: options.Verbose = False, settings: options.Settings = None,
) -> int:  # fmt: skip
    """Wait for the decision about a submitted change, and say why and what to do next.

    The content is computed again from this checkout: a decision about another content counts for nothing.
    """
    from streams.desk import Desk  # noqa: PLC0415 - other commands need none of it
    from streams.engines.kafka.gating import wait  # noqa: PLC0415
    from streams.sinks.render import write  # noqa: PLC0415

    seconds = _seconds(timeout)
    with Desk.at(where, explicit=settings) as desk:
        sought = _sought(desk, asked(base, head, target, number, opened_by, pushed_by or ()), name)
        watch = wait(desk.settings, sought, seconds=seconds, tell=_Teller(quiet=quiet))
    if watch.decision is None:
        return _undecided(watch, timeout)
    write.result(watch.decision, fmt, output=output, quiet=quiet, verbose=verbose)
    return 0 if fmt is Format.SARIF else EXIT[watch.outcome]


def _seconds(timeout: str) -> int:
    try:
        return seconds_of(timeout)
    except ValueError as error:
        raise NoDuration(f"--timeout {timeout}: {error}.", "Write it as 90s, 10m or 2h.") from None


def _sought(desk: "Desk", wanted: "Asked", name: str) -> "Sought":
    from streams.engines.kafka.gating import Sought  # noqa: PLC0415

    reading = desk.read(wanted)
    change = name or desk.events(reading, wanted, desk.memory(write=False), keep=False)[0].change
    return Sought(change, reading.repository, reading.found.target, reading.key)


def _undecided(watch: "Watch", timeout: str) -> int:
    sought = watch.sought
    if watch.moved:
        print(f"error: change.head-moved: the newest decision is about head {watch.moved[:12]}, not about this content", file=sys.stderr)  # fmt: skip
    else:
        print(f"error: no decision within {timeout} about change {sought.change[:12]}: {watch.progress()}", file=sys.stderr)  # fmt: skip
    print("hint: `twohand submit` with the same options proposes it, again if need be; are the workers up?", file=sys.stderr)  # fmt: skip
    return NONE


class _Teller:
    """A line of progress on stderr, whenever it changes and from time to time."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._last, self._at, self._begun = quiet, "", 0.0, time.monotonic()

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if self._quiet or (text == self._last and now - self._at < AGAIN):
            return
        self._last, self._at = text, now
        shown = "".join(c if c.isprintable() else "?" for c in text)
        print(f"twohand gate: {shown} ({now - self._begun:.0f} s)", file=sys.stderr, flush=True)

"""What is seen of a sitting while it lasts, on standard error: who judges, since when, how many tokens so far."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TextIO

from streams.settings_reviewers import MILLION
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from reviewers.judging import Progress
    from reviewers.panel import Bar
    from streams.judges.sitting import Sat

OFTEN: Final = 8  # times a second that a terminal is drawn anew
LONGEST: Final = 200  # characters of what a model said


class Quiet:
    """Tells nothing."""

    def told(self, name: str, progress: Progress) -> None:
        """Nothing."""

    def ended(self, row: Sat) -> None:
        """Nothing."""

    def barred(self, bar: Bar) -> None:
        """Nothing."""

    def waits(self, command: str) -> None:
        """Nothing."""

    def live(self) -> AbstractContextManager[Any]:
        """Nothing to draw."""
        return nullcontext()


class Lines(Quiet):
    """One line when a reviewer is asked, tries again, and is done: for logs and pipes."""

    def __init__(self, out: TextIO | None = None) -> None:
        """Nobody was asked yet."""
        self._out = out or sys.stderr
        self._asked: set[str] = set()

    def told(self, name: str, progress: Progress) -> None:
        """Who is asked, once, and every other try."""
        if progress.stage == "retrying":
            self._say(f"{name}: {shown(progress.why, LONGEST)}")
        elif progress.stage == "asking" and name not in self._asked:
            self._asked.add(name)
            self._say(f"{name}: asking {shown(progress.model, 60)}")

    def ended(self, row: Sat) -> None:
        """What a reviewer says, and what it took."""
        self._say(summary(row))

    def barred(self, bar: Bar) -> None:
        """Who is not asked, and why."""
        self._say(f"{bar.name}: not asked, {shown(str(bar), 2 * LONGEST)}")

    def waits(self, command: str) -> None:
        """What has to happen first."""
        self._say(f"no model is asked before somebody answers for the change: {shown(command, LONGEST)}")

    def _say(self, text: str) -> None:
        print(f"judging: {text}", file=self._out, flush=True)


class Live(Lines):
    """The same on a terminal, with a row for each reviewer under way that is drawn anew as it goes."""

    def __init__(self, out: TextIO | None = None) -> None:
        """Nobody is under way yet."""
        super().__init__(out)
        from rich.console import Console  # noqa: PLC0415 - only where somebody looks
        from rich.live import Live as Drawn  # noqa: PLC0415

        self._rows: dict[str, tuple[float, Progress]] = {}
        self._console = Console(file=self._out, highlight=False)
        self._drawn = Drawn(console=self._console, refresh_per_second=OFTEN, transient=True, get_renderable=self._table)

    def live(self) -> AbstractContextManager[Any]:
        """Draws as long as it lasts."""
        return self._drawn

    def told(self, name: str, progress: Progress) -> None:
        """The row of a reviewer."""
        since = self._rows[name][0] if name in self._rows else time.monotonic()
        self._rows[name] = (since, progress)
        if progress.stage == "retrying":
            super().told(name, progress)

    def ended(self, row: Sat) -> None:
        """Its row goes, and a line stays."""
        self._rows.pop(row.name, None)
        super().ended(row)

    def _say(self, text: str) -> None:
        self._console.print(f"judging: {text}", markup=False, soft_wrap=True)

    def _table(self) -> Any:
        from rich.table import Table  # noqa: PLC0415

        table = Table.grid(padding=(0, 2))
        for name, (since, progress) in self._rows.items():
            part = f"part {progress.part} of {progress.parts}" if progress.parts > 1 else ""
            tokens = f"{progress.tokens_in + progress.tokens_out:,} tokens"
            seen = "blind" if progress.blind else "with context"
            table.add_row(
                name, shown(progress.model, 40), progress.stage, seen, part, f"{time.monotonic() - since:.0f} s", tokens
            )
        return table


def board(*, quiet: bool) -> Quiet:
    """The display that fits where standard error goes."""
    if quiet:
        return Quiet()
    return Live() if sys.stderr.isatty() else Lines()


def summary(row: Sat) -> str:
    """One line about what came of a reviewer."""
    verdict = row.verdict
    said = verdict.verdict.value if verdict.status.value == "completed" else f"{verdict.status.value}, no review"
    if verdict.mismatch:
        said = "identity mismatch, no vote"
    cost = (
        "kept answer, no cost"
        if row.cached
        else f"{verdict.tokens_in + verdict.tokens_out:,} tokens{_money(row.micros)}"
    )
    count = len(verdict.findings)
    found = f", {count} finding{'s' * (count > 1)}" if count else ""
    why = shown(verdict.mismatch or verdict.why, LONGEST)
    return f"{row.name}: {said}{found} ({cost}): {why}"


def _money(micros: int) -> str:
    return f", {micros / MILLION:.4f}" if micros else ""

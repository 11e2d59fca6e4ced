"""Where the waiting for a decision stands: who was heard, who is awaited. One line, harmless on every terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from streams.sinks.render.safe import columns, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

NAME: Final = 60  # characters of one name
NAMED: Final = 12  # names of one list
LONGEST: Final = 600  # characters of a sentence that is told beside


class Progress(NamedTuple):
    """Names in the order in which they are told; `outcome` of the decision that stands, "" for none; `beside` is a sentence."""

    heard: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    outcome: str = ""
    beside: str = ""

    def __str__(self) -> str:
        who = f"heard: {_names(self.heard)}" if self.heard else "nobody has judged yet"
        awaited = f"awaited: {_names(self.awaited)}" if self.awaited else ""
        return "; ".join(part for part in (self.outcome, who, awaited, shown(self.beside, LONGEST)) if part)


def _names(names: Iterable[str]) -> str:
    known = [shown(name, NAME) for name in names]
    more = [f"{len(known) - NAMED} more"] if len(known) > NAMED else []
    return ", ".join([*known[:NAMED], *more])


def asked_for(decision: Mapping[str, Any]) -> tuple[str, ...]:
    """Who could still meet a requirement of a decision that is not met."""
    rows = (row for row in decision["requirements"] if row["state"] == "unmet")
    return tuple(dict.fromkeys(name for row in rows for name in row["waiting_for"]))


class Teller:
    """Tells progress on standard error: in place on a terminal, else one line for each change of it. Use it with `with`."""

    def __init__(self, *, quiet: bool, out: TextIO | None = None, live: bool | None = None) -> None:
        self._out = out or sys.stderr
        self._live = _terminal(self._out) if live is None else live
        self._quiet, self._last, self._begun = quiet, "", time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the line, also where somebody interrupts."""
        if self._live and self._last:
            print(file=self._out, flush=True)

    def __call__(self, progress: Progress) -> None:
        """Tell it, unless it was told already; on a terminal the time goes on."""
        seconds = f" ({time.monotonic() - self._begun:.0f} s)"
        text = f"twohand gate: {progress}" + (seconds if self._live else "")
        if self._quiet or text == self._last:
            return
        self._last = text
        if self._live:
            print(f"\r\x1b[K{_cut(text, seconds)}", end="", file=self._out, flush=True)
        else:
            print(text + seconds, file=self._out, flush=True)


def _terminal(out: TextIO) -> bool:
    from os import environ  # noqa: PLC0415

    return out.isatty() and environ.get("TERM", "dumb") != "dumb"


def _cut(text: str, end: str) -> str:
    """As much as fits into a line, with its end."""
    from shutil import get_terminal_size  # noqa: PLC0415 - slow, and nobody looks elsewhere

    room = get_terminal_size().columns - 1
    if columns(text) <= room:
        return text
    kept = text.removesuffix(end)
    while kept and columns(kept) > room - len(end) - 3:
        kept = kept[:-1]
    return f"{kept}...{end}"

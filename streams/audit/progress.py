"""How far a long reading is, on one line of the terminal."""

import sys
import time
from typing import TextIO

WIDTH = 24  # of the bar
EVERY = 0.2  # seconds


class Progress:
    """Tell it how many commits were read. Says nothing where standard error is no terminal."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        """`total` 0: it is not known."""
        self._total = total
        self._out = out or sys.stderr
        self._on = self._out.isatty()
        self._count = 0
        self._began = self._last = time.monotonic()

    def seen(self, count: int) -> None:
        self._count += count
        now = time.monotonic()
        if self._on and now - self._last >= EVERY:
            self._last = now
            self._out.write(f"\r\x1b[K{self._line(now - self._began)}")
            self._out.flush()

    def done(self) -> None:
        if self._on:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _line(self, elapsed: float) -> str:
        rate = self._count / elapsed if elapsed else 0.0
        if not self._total:
            return f"{self._count:,} commits, {rate:,.0f} a second"
        part = min(self._count / self._total, 1.0)
        bar = "#" * round(part * WIDTH)
        left = (self._total - self._count) / rate if rate else 0.0
        return f"[{bar:-<{WIDTH}}] {self._count:,} of {self._total:,} commits, about {_span(left)} left"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

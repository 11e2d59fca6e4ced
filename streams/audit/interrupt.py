"""Ctrl-C during an audit: the first ends the reading at the next whole row, the second ends the process.

While it is watched, the signal is blocked for this process and all that it starts, so that no git dies in the middle
of an answer and turns into rows that are not true.
"""

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from typing import Self, TypeVar

T = TypeVar("T")
INTERRUPTED = 130
CAN_WATCH = hasattr(signal, "pthread_sigmask") and hasattr(signal, "sigwait")


class Interrupt:
    """Whether somebody pressed Ctrl-C. Use it with `with`, in the main thread."""

    def __init__(self) -> None:
        self._pressed = threading.Event()
        self._mask: set[int] | None = None

    def __enter__(self) -> Self:
        if CAN_WATCH:
            self._mask = {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})}
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _watch(self) -> None:
        signal.sigwait({signal.SIGINT})
        self._pressed.set()
        signal.sigwait({signal.SIGINT})
        os._exit(INTERRUPTED)

    @property
    def pressed(self) -> bool:
        return self._pressed.is_set()

    def until(self, rows: Iterable[T]) -> Iterator[T]:
        """The rows, up to Ctrl-C."""
        for row in rows:
            yield row
            if self.pressed:
                return

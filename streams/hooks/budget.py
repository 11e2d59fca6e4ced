"""The time that a hook may take: when it is over, the push is refused, whatever is still at work."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SECONDS: Final = 60.0
GRACE: Final = 5.0  # until the operating system ends a process that cannot even say so


@contextmanager
def within(seconds: float, say: Callable[[], None]) -> Iterator[None]:
    """Ends this process with exit code 1 after `seconds`, having called `say`; nothing happens where all is done before."""
    timer = threading.Timer(seconds, _end, [say])
    timer.daemon = True
    timer.start()
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)  # nobody handles it: the process ends, and git refuses
    try:
        yield
    finally:
        timer.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end(say: Callable[[], None]) -> None:
    try:
        say()
    finally:
        os._exit(1)

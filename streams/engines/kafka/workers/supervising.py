"""Several workers as children of one process: started, started again, and ended together.

One that keeps failing is told of and left alone for a while; the others go on. What is wrong with the configuration is found
when they start, and ends them all. A child holds the end of a pipe, its leash, and ends when nobody holds the other.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AGAIN: Final = 2.0  # seconds until a worker that ended is started again
OFTEN: Final = 3  # ends within SPAN after which it is left alone for REST
SPAN: Final = 60.0  # seconds
REST: Final = 60.0
ENDING: Final = 9.8  # seconds that all of them have to end
STEP: Final = 0.1
MISCONFIGURED: Final = 2  # the exit code
LEASH: Final = "--leash"  # the option that a child is given, with the number of a file descriptor
log = logging.getLogger("twohand")


class Child:
    """One worker. Instants are those of time.monotonic."""

    def __init__(self, role: str, command: Sequence[str], ready: Path | None = None) -> None:
        """`ready` is the file of all of them: beside it lies one of this worker alone."""
        self.role, self._command = role, [*command, *(["--ready", f"{ready}.{role}"] if ready else [])]
        self._ready = Path(f"{ready}.{role}") if ready else None
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: list[float] = []
        self._due = 0.0
        self._starts = 0

    def start(self, leash: int) -> None:
        """`leash` is the end that the child reads."""
        self._starts += 1
        self._unready()
        self._process = subprocess.Popen(
            [*self._command, LEASH, str(leash)], stdin=subprocess.DEVNULL, pass_fds=(leash,)
        )

    def look(self, leash: int) -> int:
        """Start it again where it is time to; MISCONFIGURED where it cannot ever start, else 0."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._due:
                self.start(leash)
            return 0
        code = self._process.poll()
        if code is None:
            return 0
        self._process = None
        self._unready()
        if code == MISCONFIGURED and self._starts == 1:
            log.critical("%s cannot start: all workers end", self.role)
            return MISCONFIGURED
        self._ended = [at for at in (*self._ended, now) if now - at < SPAN]
        failing = code == MISCONFIGURED or len(self._ended) >= OFTEN
        self._due = now + (REST if failing else AGAIN)
        if not failing:
            log.warning("%s ended (%s); it is started again", self.role, _how(code))
        else:
            self._ended = []
            log.error(
                "%s keeps failing (exit code %d); others go on, it is started again in %.0f s", self.role, code, REST
            )
        return 0

    @property
    def ready(self) -> bool:
        """Whether it runs and says so."""
        return self._process is not None and self._ready is not None and self._ready.exists()

    def _unready(self) -> None:
        """One that was killed could not take its file away."""
        if self._ready:
            self._ready.unlink(missing_ok=True)

    def end(self) -> None:
        """Tell it to."""
        if self._process is not None:
            self._process.terminate()

    def ended(self, deadline: float) -> int:
        """Its exit code, 0 where it was not running; killed where it is still there at the deadline."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def supervise(commands: Mapping[str, Sequence[str]], ready: Path | None = None) -> int:
    """Run these commands, by role, until SIGTERM or SIGINT. The worst of their exit codes, 2 where one cannot start.

    `ready` is a file that is touched while all of them are ready.
    """
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    held, kept = os.pipe()  # `kept` stays with us: its end is ours
    children = [Child(role, command, ready) for role, command in commands.items()]
    code = 0
    while not stopping and not code:
        for child in children:
            code = code or child.look(held)
        _show(ready, well=all(child.ready for child in children))
        time.sleep(STEP)
    _show(ready, well=False)
    for child in children:
        child.end()
    deadline = time.monotonic() + ENDING
    codes = [child.ended(deadline) for child in children]
    os.close(kept)
    return code or max(map(_exit_code, codes), default=0)


def _show(ready: Path | None, *, well: bool) -> None:
    if ready and well:
        ready.touch()
    elif ready:
        ready.unlink(missing_ok=True)


def _how(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _exit_code(code: int) -> int:
    """A child that was told to end before it could listen has ended as it should."""
    return 0 if code == -signal.SIGTERM else abs(code)


def hold(leash: int) -> None:
    """End this process when nobody holds the other end any more: told first, then at once."""
    threading.Thread(target=_held, args=(leash,), daemon=True, name="twohand-leash").start()


def _held(leash: int) -> None:
    os.read(leash, 1)
    log.critical("twohand ends: whoever started this worker is gone")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDING)
    os._exit(1)

"""Servers that tests start and end by themselves: a process, its folder, its port; how a test says what it needs."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.streams.receivers import EVERYTHING

ROOT = Path(__file__).parents[2]
SHOWN = 15  # lines of a log that a failure tells


def lacking(reason: str) -> None:
    """Skip with this reason, or fail where everything has to run."""
    (pytest.fail if os.environ.get(EVERYTHING) else pytest.skip)(reason)


def needs(*programs: str) -> None:
    """Skip, or fail where everything has to run, unless these programs are installed."""
    if absent := [name for name in programs if shutil.which(name) is None]:
        lacking(f"needs {', '.join(absent)}: scripts/everything installs or names it")


class Server:
    """One child process in a group of its own, with its log; only it is ever signalled."""

    def __init__(self, command: list[str], log: Path, *, user: int | None = None) -> None:
        self._command, self._user, self.log = command, user, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        group = {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **group
            )

    def tell(self, number: int) -> None:
        if self.alive:
            os.kill(self.pid, number)

    def end(self, number: int = signal.SIGTERM, seconds: float = 20) -> None:
        """Signal it and wait; it is killed where it does not end."""
        if self._process is None:
            return
        self.tell(number)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.tell(signal.SIGKILL)
            self._process.wait(10)

    def until(self, ready, seconds: float) -> None:
        """Wait for `ready()`; a server that ends or is silent for too long is named with the end of its log."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive or time.monotonic() > deadline:
                lines = self.log.read_text("utf-8", "replace").splitlines()[-SHOWN:]
                said = "\n".join(lines)
                self.end(signal.SIGKILL)
                raise TimeoutError(f"{self._command[0]} did not come up in {seconds:.0f} s:\n{said}")
            time.sleep(0.05)

"""Many commits at once, by the shortest way through `git cat-file`: asked in windows, each object read once."""

import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Self

from streams.sources.catfile import Object
from streams.sources.git import Repository

WINDOW = 1_000  # requests of 50 bytes: they fit into a pipe, so that neither side ever waits for the other
CHUNK = 1 << 20


class Bulk:
    """A context manager over one `cat-file --batch-command --buffer`. An object over `limit` bytes has no data."""

    def __init__(self, repo: Repository, limit: int) -> None:
        self._repo = repo
        self._limit = limit
        self._git: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        git, self._git = self._git, None
        if git is not None:
            git.kill()
            git.communicate()

    def read(self, ids: Iterable[str]) -> Iterator[Object]:
        """Each object in order; a missing or damaged one has no type and no data."""
        remaining = iter(ids)
        while window := list(islice(remaining, WINDOW)):
            yield from self._window(window)

    def _window(self, window: list[str]) -> Iterator[Object]:
        """A damaged object ends git; the next one starts another."""
        at = 0
        while at < len(window):
            git = self._ask(window[at:])
            while at < len(window) and (found := self._next(git, window[at])) is not None:
                at += 1
                yield found
            if at < len(window):
                self.close()
                yield Object(window[at], "", None)
                at += 1

    def _ask(self, ids: list[str]) -> subprocess.Popen[bytes]:
        if self._git is None:
            command = ("cat-file", "--batch-command", "--buffer")
            self._git = self._repo.start(*command, stderr=subprocess.DEVNULL)
        assert self._git.stdin is not None
        lines = "".join(f"contents {name}\n" for name in ids)
        try:
            self._git.stdin.write(f"{lines}flush\n".encode("utf-8", "surrogateescape"))
            self._git.stdin.flush()
        except BrokenPipeError:
            pass  # the answers that are missing tell
        return self._git

    def _next(self, git: subprocess.Popen[bytes], name: str) -> Object | None:
        assert git.stdout is not None
        line = git.stdout.readline()
        if not line.endswith(b"\n"):
            return None
        words = line.decode("ascii", "replace").rsplit(" ", 2)
        if len(words) != 3 or not words[2][:-1].isdecimal():
            return Object(name, "", None)
        size = int(words[2])
        if size > self._limit:
            return Object(words[0], words[1], None) if self._skip(git, size + 1) else None
        data = git.stdout.read(size)
        return Object(words[0], words[1], data) if git.stdout.read(1) == b"\n" else None

    def _skip(self, git: subprocess.Popen[bytes], size: int) -> bool:
        assert git.stdout is not None
        while size and (part := git.stdout.read(min(size, CHUNK))):
            size -= len(part)
        return not size

"""Objects by their ids, through one long-lived `git cat-file`."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Self

WINDOW = 1_000  # requests that git holds before it answers
BATCH = 32 * 1024 * 1024  # bytes of content that are asked for at once


class Info(NamedTuple):
    """What an object is before it is read. A missing or damaged one has no type."""

    id: str
    type: str
    size: int


class Object(NamedTuple):
    """An object as it was read. `data` is None when it is missing (no type) or over the limit."""

    id: str
    type: str
    data: bytes | None


class CatFile:
    """A context manager over one `cat-file --batch-command --buffer` (git 2.36), started by the first request.

    Requests are queued by git until `flush`, so that neither side ever waits for the other. A damaged object ends git:
    it counts as missing, and the next request starts another one.
    """

    def __init__(self, spawn: Callable[[], subprocess.Popen[bytes]], *, lasting: bool = False) -> None:
        """`lasting`: the end of a `with` leaves git running, for the next one who asks."""
        self._spawn = spawn
        self._lasting = lasting
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._lasting:
            self.close()

    def close(self) -> None:
        """Ends git. A later request starts it again."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def sizes(self, names: Iterable[str | bytes]) -> list[Info]:
        """Type and size of each, in order, without reading any. A name is an id or `COMMIT:path` without a newline."""
        remaining = iter(names)
        found: list[Info] = []
        while window := list(islice(remaining, WINDOW)):
            found += self._sizes(window)
        return found

    def read(self, ids: Iterable[str], limit: int | None = None) -> Iterator[Object]:
        """Each object in order; those over `limit` bytes are not read. Not more than `BATCH` bytes are held at once."""
        remaining = iter(ids)
        while window := list(islice(remaining, WINDOW)):
            for batch in _batches(self._sizes(window), limit):
                yield from self._contents(batch, limit)

    def _sizes(self, names: Sequence[str | bytes]) -> list[Info]:
        found: list[Info] = []
        while len(found) < len(names):
            self._ask(b"info", names[len(found) :])
            while len(found) < len(names) and (info := self._header(names[len(found)])):
                found.append(info)
            if len(found) < len(names):
                found.append(self._died_on(names[len(found)]))
        return found

    def _contents(self, batch: Sequence[Info], limit: int | None) -> Iterator[Object]:
        wanted = [info.id for info in batch if _readable(info, limit)]
        data = dict(zip(wanted, self._fetch(wanted), strict=True))
        for info in batch:
            content = data.get(info.id)
            yield Object(info.id, info.type if content is not None or info.id not in data else "", content)

    def _fetch(self, ids: Sequence[str]) -> list[bytes | None]:
        found: list[bytes | None] = []
        while len(found) < len(ids):
            self._ask(b"contents", ids[len(found) :])
            while len(found) < len(ids) and (content := self._content(ids[len(found)])) is not None:
                found.append(content)
            if len(found) < len(ids):
                self._died_on(ids[len(found)])
                found.append(None)
        return found

    def _ask(self, verb: bytes, names: Sequence[str | bytes]) -> None:
        if self._process is None:
            self._process = self._spawn()
        lines = b"".join(b"%s %s\n" % (verb, _bytes(name)) for name in names)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(lines + b"flush\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # the answers that are missing tell

    def _header(self, name: str | bytes) -> Info | None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            return None
        asked = _bytes(name)
        if line[:-1] in (asked + b" missing", asked + b" ambiguous"):
            return Info(_text(name), "", 0)
        object_id, kind, size = line.decode("ascii").split()
        return Info(object_id, kind, int(size))

    def _content(self, object_id: str) -> bytes | None:
        info = self._header(object_id)
        if info is None or not info.type:
            return None
        assert self._process is not None
        assert self._process.stdout is not None
        data = self._process.stdout.read(info.size + 1)
        return data[:-1] if len(data) == info.size + 1 else None

    def _died_on(self, name: str | bytes) -> Info:
        self.close()
        return Info(_text(name), "", 0)


def _readable(info: Info, limit: int | None) -> bool:
    return bool(info.type) and (limit is None or info.size <= limit)


def _batches(infos: Iterable[Info], limit: int | None) -> Iterator[list[Info]]:
    batch: list[Info] = []
    size = 0
    for info in infos:
        own = info.size if _readable(info, limit) else 0
        if batch and size + own > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(info)
        size += own
    if batch:
        yield batch


def _bytes(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")

"""Which of many patterns is the last to match a path: an index, so that the answer does not cost a scan of all.

Most shapes are looked up: literal paths and directories, file names and extensions each have a dictionary whose
hit is certain. The others are filed under their rarest literal and tried newest first, until one that is older
than a certain hit could not win any more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rules.owners_glob import ANY_NAME, EVERYTHING, GAP, Glob, Segment, Shape, Tail, Wild, expression, literal_front

NONE = -1
_LONGEST = 4096  # bytes of a path; longer ones are tried against every shape, without memory for their directories
_MOST_DIRECTORIES = 4096  # remembered at a time


class _Key(NamedTuple):
    """What a path must hold for a shape to match: a segment, or one with this extension."""

    extension: bool
    text: bytes


class _Facts(NamedTuple):
    """What a directory decides for everything below it."""

    best: int  # the newest shape that matches all of it
    undecided: tuple[int, ...]  # newer shapes that may match some of it, newest first


class Index:
    """Finds the last of `shapes` that matches a path. Answers are positions in `shapes`."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._shapes = shapes
        self._expressions: dict[int, Any] = {}
        self._below: dict[bytes, int] = {}
        self._paths: dict[bytes, int] = {}
        self._children: dict[bytes, int] = {}
        self._directory_names: dict[bytes, int] = {}
        self._file_names: dict[bytes, int] = {}
        self._directory_extensions: dict[bytes, int] = {}
        self._file_extensions: dict[bytes, int] = {}
        self._by_segment: dict[bytes, list[int]] = {}
        self._by_extension: dict[bytes, list[int]] = {}
        self._known_hints: dict[int, tuple[bytes, bytes]] = {}
        everything = max((number for number, shape in enumerate(shapes) if shape == EVERYTHING), default=NONE)
        self._root = _Facts(everything, self._file(everything + 1))
        self._telling = self._directory_names.keys() | self._by_segment.keys()
        self._directories = {b"": self._root}

    def find(self, path: bytes) -> int:
        """The last shape that matches the path (as git spells it: no empty segments), or `NONE`."""
        if len(path) > _LONGEST:
            return self.scan(path)
        cut = path.rfind(b"/")
        directory, name = (path[:cut], path[cut + 1 :]) if cut > 0 else (b"", path)
        facts = self._directories.get(directory) or self._learn(directory)
        best = max(
            facts.best,
            self._paths.get(path, NONE),
            self._children.get(directory, NONE),
            self._file_names.get(name, NONE),
        )
        if facts.undecided:
            best = self._newest(path, facts.undecided, best)
        if name in self._by_segment:
            best = self._newest(path, self._by_segment[name], best)
        dot = name.rfind(b".") + 1
        return self._with_extension(path, name[dot:], best) if dot else best

    def _with_extension(self, path: bytes, extension: bytes, best: int) -> int:
        best = max(best, self._file_extensions.get(extension, NONE))
        if extension in self._by_extension:
            return self._newest(path, self._by_extension[extension], best)
        return best

    def scan(self, path: bytes) -> int:
        """The same answer without the index: every shape is tried, newest first."""
        return self._newest(path, reversed(range(len(self._shapes))), NONE)

    def _newest(self, path: bytes, candidates: Iterable[int], best: int) -> int:
        """The first of `candidates` (newest first) that matches, or `best` once they are older than that."""
        for number in candidates:
            if number <= best:
                break
            start, needle = self._known_hints.get(number) or self._hints(number)
            if needle in path and path.startswith(start) and self._matches(number, path):
                return number
        return best

    def _matches(self, number: int, path: bytes) -> bool:
        found = self._expressions.get(number)
        if found is None:
            found = self._expressions[number] = _compiled(self._shapes[number])
        return found(path) is not None

    def _learn(self, directory: bytes) -> _Facts:
        """The facts of a directory that was not asked for yet."""
        best, more = self._root.best, list(self._root.undecided)
        below, telling = self._below, self._telling
        cut = -1
        for name in directory.split(b"/"):
            cut += len(name) + 1
            certain = below.get(directory[:cut])
            if certain is not None and certain > best:
                best = certain
            if name in telling or b"." in name:
                best = max(best, self._named(name, more))
        newer = [number for number in more if number > best]
        if len(newer) > 1:
            newer = sorted(set(newer), reverse=True)
        if len(self._directories) >= _MOST_DIRECTORIES:
            self._directories = {b"": self._root}
        facts = self._directories[directory] = _Facts(best, tuple(newer))
        return facts

    def _named(self, name: bytes, more: list[int]) -> int:
        """The newest shape that a directory's name makes certain; those that it makes possible go into `more`."""
        more += self._by_segment.get(name, ())
        best = self._directory_names.get(name, NONE)
        extension = _extension(name)
        if extension is None:
            return best
        more += self._by_extension.get(extension, ())
        return max(best, self._directory_extensions.get(extension, NONE))

    def _hints(self, number: int) -> tuple[bytes, bytes]:
        """What a path must start with, and what else it must hold: spares most expressions."""
        shape = self._shapes[number]
        hints = self._known_hints[number] = (_start(shape), _needle(shape))
        return hints

    def _file(self, first: int) -> tuple[int, ...]:
        """Files the shapes from `first` on; gives those that must be tried on every path, newest first."""
        uncertain: list[int] = []
        for number in range(first, len(self._shapes)):
            tables, key = self._certain(self._shapes[number])
            for table in tables:
                table[key] = number
            if not tables:
                uncertain.append(number)
        return self._file_uncertain(uncertain)

    def _certain(self, shape: Shape) -> tuple[list[dict[bytes, int]], bytes]:
        """The dictionaries, and the key in them, whose hit means a match; none if the shape must be tried."""
        front, last = shape.segments[:-1], shape.segments[-1]
        literal = literal_front(shape.segments)
        if len(literal) == len(shape.segments):
            return self._both(shape.tail, self._below, self._paths), b"/".join(literal)
        if len(literal) == len(front):
            return ([self._children] if shape.tail is Tail.EXACT else []), b"/".join(literal)
        if front == (GAP,) and isinstance(last, bytes):
            return self._both(shape.tail, self._directory_names, self._file_names), last
        if front == (GAP,) and (extension := _only_extension(last)) is not None:
            return self._both(shape.tail, self._directory_extensions, self._file_extensions), extension
        return [], b""

    def _both(self, tail: Tail, below: dict[bytes, int], itself: dict[bytes, int]) -> list[dict[bytes, int]]:
        return [below] if tail is Tail.BELOW else [below, itself]

    def _file_uncertain(self, numbers: list[int]) -> tuple[int, ...]:
        keys = {number: list(_keys(self._shapes[number])) for number in numbers}
        uses = Counter(key for found in keys.values() for key in found)
        loose: list[int] = []
        for number in reversed(numbers):
            if not keys[number]:
                loose.append(number)
                continue
            key = min(keys[number], key=lambda one: (uses[one], -len(one.text)))
            table = self._by_extension if key.extension else self._by_segment
            table.setdefault(key.text, []).append(number)
        return tuple(loose)


def _compiled(shape: Shape) -> Callable[[bytes], Any]:
    import re2  # noqa: PLC0415 - an owners file without such patterns does not pay for it

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    fullmatch: Callable[[bytes], Any] = re2.compile(expression(shape), options).fullmatch
    return fullmatch


def _extension(name: bytes) -> bytes | None:
    dot = name.rfind(b".")
    return None if dot < 0 else name[dot + 1 :]


def _only_extension(segment: Segment) -> bytes | None:
    """`py` of `*.py`: the glob says nothing but that."""
    if not isinstance(segment, Glob) or len(segment.pieces) != 2 or segment.pieces[0] is not Wild.STAR:
        return None
    suffix = segment.pieces[1]
    return suffix[1:] if isinstance(suffix, bytes) and suffix.rfind(b".") == 0 else None


def _keys(shape: Shape) -> Iterator[_Key]:
    for segment in shape.segments:
        if isinstance(segment, bytes):
            yield _Key(extension=False, text=segment)
        elif segment not in (GAP, ANY_NAME) and isinstance(segment.pieces[-1], bytes):
            extension = _extension(segment.pieces[-1])
            if extension is not None:
                yield _Key(extension=True, text=extension)


def _needle(shape: Shape) -> bytes:
    """The longest bytes that every matching path holds somewhere, beside those that it starts with."""
    rest = shape.segments[len(literal_front(shape.segments)) :]
    pieces = [piece for segment in rest for piece in (segment.pieces if isinstance(segment, Glob) else (segment,))]
    return max((piece for piece in pieces if isinstance(piece, bytes)), key=len, default=b"")


def _start(shape: Shape) -> bytes:
    """The bytes that every matching path starts with."""
    front = literal_front(shape.segments)
    if len(front) == len(shape.segments):
        return b"/".join(front)
    after = shape.segments[len(front)]
    first = after.pieces[0] if isinstance(after, Glob) and after.pieces else b""
    return b"".join(segment + b"/" for segment in front) + (first if isinstance(first, bytes) else b"")

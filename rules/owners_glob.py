"""The shape of an owners pattern: gitignore's globs in one normal form, so that equal patterns are equal values.

Source of the semantics: gitignore(5), and GitHub's "About code owners" for where it differs from it.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

LONGEST = 4096  # bytes of a pattern: Linux' PATH_MAX
MOST_WILDCARDS = 64  # in one pattern: bounds the automaton that one line can ask for


class Wild(Enum):
    """A wildcard inside one segment of a path."""

    STAR = "[^/]*"
    ONE = "one character"


class Glob(NamedTuple):
    """A segment with wildcards; without any piece it is `**`, a gap of none or more segments."""

    pieces: tuple[bytes | Wild, ...]


Segment = bytes | Glob
GAP = Glob(())
ANY_NAME = Glob((Wild.STAR,))


class Tail(Enum):
    """What may follow the last segment of a shape."""

    EXACT = "nothing"
    OR_BELOW = "nothing, or anything below"
    BELOW = "something below"


class Shape(NamedTuple):
    """A pattern from the root of the repository. A leading or inner `**` is GAP; a last one has become the tail."""

    segments: tuple[Segment, ...]
    tail: Tail


EVERYTHING = Shape((), Tail.BELOW)


class BadPattern(ValueError):
    """A pattern that owns nothing; the text says why and what to write instead."""


def read_shape(pattern: bytes) -> Shape:
    """The shape of a pattern, or `BadPattern`."""
    _check(pattern)
    texts = pattern.removeprefix(b"/").split(b"/")
    below = texts[-1] == b""
    if below:
        texts.pop()
    _check_segments(texts)
    segments = [_segment(text) for text in texts]
    if len(segments) == 1 and not pattern.startswith(b"/"):
        segments.insert(0, GAP)
    return _normal(segments, below=below)


def _check(pattern: bytes) -> None:
    if b"***" in pattern:
        raise BadPattern("three asterisks mean nothing; write `*` inside one directory or `**` across directories")
    if (len(pattern) - len(pattern.rstrip(b"\\"))) % 2:
        raise BadPattern("the pattern ends in a backslash that escapes nothing; remove it")
    if b"\0" in pattern:
        raise BadPattern("a NUL byte occurs in no path; save the file as UTF-8 text")
    if len(pattern) > LONGEST:
        raise BadPattern(f"the pattern has {len(pattern)} bytes, allowed are {LONGEST}; shorten it")
    wildcards = pattern.count(b"*") + pattern.count(b"?")
    if wildcards > MOST_WILDCARDS:
        raise BadPattern(f"the pattern has {wildcards} wildcards, allowed are {MOST_WILDCARDS}; use `*` or `**`")


def _check_segments(texts: list[bytes]) -> None:
    if not texts:
        raise BadPattern("a lone slash matches no path; write `*` for every file")
    if b"" in texts:
        raise BadPattern("a doubled slash matches no path; write one slash")
    if b"." in texts or b".." in texts:
        raise BadPattern("`.` and `..` occur in no path of git; write the path from the root of the repository")


def _segment(text: bytes) -> Segment:
    if text == b"**":
        return GAP
    if b"*" not in text and b"?" not in text and b"\\" not in text:
        return text
    pieces = tuple(_pieces(text))
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else Glob(pieces)


def _pieces(text: bytes) -> Iterator[bytes | Wild]:
    """Literal runs and wildcards of one segment; a backslash takes the next byte as it is."""
    literal, escaped, star = bytearray(), False, False
    for byte in text:
        wild = None if escaped else {0x2A: Wild.STAR, 0x3F: Wild.ONE}.get(byte)
        if wild and literal:
            yield bytes(literal)
            literal.clear()
        if wild and not (star and wild is Wild.STAR):
            yield wild
        escaped = byte == 0x5C and not escaped
        if not wild and not escaped:
            literal.append(byte)
        star = wild is Wild.STAR
    if literal:
        yield bytes(literal)


def _normal(segments: list[Segment], *, below: bool) -> Shape:
    segments = [one for at, one in enumerate(segments) if one != GAP or segments[at - 1 : at] != [GAP]]
    if not below and segments[-2:] == [GAP, ANY_NAME]:
        segments.pop()
    if segments[-1] == GAP:
        return Shape(tuple(segments[:-1]), Tail.BELOW)
    if below:
        return Shape(tuple(segments), Tail.BELOW)
    return Shape(tuple(segments), Tail.EXACT if segments[-1] == ANY_NAME else Tail.OR_BELOW)


def literal_front(segments: Sequence[Segment]) -> list[bytes]:
    """The leading segments without wildcards."""
    front: list[bytes] = []
    for segment in segments:
        if not isinstance(segment, bytes):
            break
        front.append(segment)
    return front


# One character: ASCII, a UTF-8 sequence, or a byte that can start none. A lead byte that lacks its continuation
# is matched by `*` alone.
_ONE = (
    rb"(?:[^/\x80-\xff]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rb"|[\x80-\xc1\xf5-\xff])"
)
_ENDS = {Tail.EXACT: b"", Tail.OR_BELOW: b"(?:/.+)?"}


def expression(shape: Shape) -> bytes:
    """The regular expression, over bytes, that a whole path has to match."""
    out, slash = b"", b""
    for segment in shape.segments:
        if segment == GAP:
            out += b"(?:/.+)?" if slash else b"(?:.+/)?"
        else:
            out += slash + _source(segment)
            slash = b"/"
    return out + _ENDS.get(shape.tail, slash + b".+")


def _source(segment: Segment) -> bytes:
    if segment == ANY_NAME:
        return b"[^/]+"
    pieces = segment.pieces if isinstance(segment, Glob) else (segment,)
    return b"".join(_piece(piece) for piece in pieces)


def _piece(piece: bytes | Wild) -> bytes:
    if isinstance(piece, bytes):
        return b"".join(b"\\x%02x" % byte for byte in piece)
    return b"[^/]*" if piece is Wild.STAR else _ONE


def overruled(shapes: Sequence[Shape]) -> tuple[bool, ...]:
    """For each shape, in the order of the file: does a later one match everything that it matches?

    Sound, not complete: it knows equal shapes, a shape for everything, and whole directories named literally.
    """
    later: set[Shape] = set()
    answers: list[bool] = []
    for shape in reversed(shapes):
        answers.append(EVERYTHING in later or any(wider in later for wider in _wider(shape)))
        later.add(shape)
    return tuple(reversed(answers))


def _wider(shape: Shape) -> Iterator[Shape]:
    segments, tail = shape
    yield shape
    if tail is Tail.BELOW:
        yield Shape(segments, Tail.OR_BELOW)
    if tail is Tail.EXACT:
        yield Shape(segments[:-1], Tail.BELOW)
    inside = len(segments) - 1 if tail is not Tail.BELOW else len(segments)
    for depth in range(1, min(len(literal_front(segments)), inside) + 1):
        yield Shape(segments[:depth], Tail.BELOW)
        yield Shape(segments[:depth], Tail.OR_BELOW)

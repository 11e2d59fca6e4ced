r"""Path globs of the policy, on the bytes of paths.

`*` and `?` stay inside a directory, `**` between slashes crosses them, `{a,b}` is either, `\` takes the next character
as it is, every other character stands for itself (brackets too: `app/[id]/page.tsx` is a common path).
A glob with a slash inside counts from the root of the repository. One without a slash is the name of a file in any
directory, one with only a slash at its end any directory of that name. A slash in front anchors either at the root.
A slash at the end means everything below. Case counts.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

import re2

TYPE_CHECKING = False  # not from typing, which takes as long as the interpreter: hooks match refs before anything else
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

LONGEST: Final = 1000
DEEPEST: Final = 8
MOST_PATTERN: Final = 200_000  # bytes of one pattern
MOST_MEMORY: Final = 64 << 20  # bytes that re2 may take for one

_STAR: Final = rb"[^/\x00]*"
_ONE: Final = rb"(?:[^/\x00\x80-\xff]|[\xc2-\xf4][\x80-\xbf]{1,3}|[\x80-\xff])"
_DIRECTORIES: Final = rb"(?:[^\x00]*/)?"
_BELOW: Final = rb"[^\x00]+"
_SETS: Final = ("0-9", "a-z", "A-Z")


class Globs:
    """Several globs as one pattern; linear time in the paths. ValueError where a glob is invalid."""

    def __init__(self, patterns: Sequence[str], *, fold: bool = False) -> None:
        either = b"|".join(_pattern(glob) for glob in patterns)
        self._empty = not patterns
        # Paths stand as NUL slash path NUL: no alternative holds a NUL, so that a match is one whole path.
        self._pattern = _compiled(rb"\x00/(?:" + either + rb")\x00", fold=fold)

    def matching(self, paths: Sequence[bytes]) -> frozenset[int]:
        """The indexes of the paths that some glob matches."""
        if self._empty:
            return frozenset()
        starts = list(accumulate((len(path) + 3 for path in paths), initial=0))
        buffer = b"\0/" + b"\0\0/".join(paths) + b"\0"
        return frozenset(bisect_right(starts, match.start()) - 1 for match in self._pattern.finditer(buffer))

    def match(self, path: bytes) -> bool:
        return bool(self.matching((path,)))


@lru_cache(maxsize=512)
def compiled(patterns: tuple[str, ...], *, fold: bool = False) -> Globs:
    """The same `Globs` for the same patterns."""
    return Globs(patterns, fold=fold)


def checked(glob: str) -> str:
    """The glob itself; ValueError with a sentence that says what is wrong with it."""
    _pattern(glob)
    return glob


def ref_match(patterns: Sequence[str], ref: str, *, fold: bool = False) -> bool:
    """Whether a ref is one of the named ones: `main`, `release/*` (branches), or full names such as `refs/tags/v*`."""
    return compiled_refs(tuple(patterns), fold=fold).match(_full(ref).encode("utf-8", "surrogateescape"))


def compiled_refs(patterns: tuple[str, ...], *, fold: bool = False) -> Globs:
    """`Globs` over full ref names; ValueError where they cannot be."""
    return compiled(tuple("/" + _full(pattern.removeprefix("/")) for pattern in patterns), fold=fold)


def checked_ref(glob: str) -> str:
    """A glob for refs, itself; ValueError with a sentence that says what is wrong with it."""
    _check(glob)
    checked("/" + _full(glob.removeprefix("/")))
    if any(character in glob for character in " ~^:"):
        raise ValueError("has a character that no ref can have")
    return glob


def _full(ref: str) -> str:
    return ref if ref.startswith("refs/") else "refs/heads/" + ref


def _compiled(pattern: bytes, *, fold: bool) -> re2._Regexp[bytes]:
    if len(pattern) > MOST_PATTERN:
        raise ValueError("the globs of one list are too long together")
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.case_sensitive = not fold
    options.dot_nl = True
    options.max_mem = MOST_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise ValueError("is too complex") from None


def _pattern(glob: str) -> bytes:
    """One glob as a re2 pattern over Latin-1 bytes, without anchors."""
    _check(glob)
    body = glob.removeprefix("/")
    anchored = body != glob or "/" in body.removesuffix("/")
    return (b"" if anchored else _DIRECTORIES) + _translated(body) + (_BELOW if body.endswith("/") else b"")


def _check(glob: str) -> None:
    if not glob or glob == "/":
        raise ValueError("is empty: it matches nothing; `**` matches every path")
    if len(glob) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if glob.startswith("!"):
        raise ValueError("begins with `!`: negation is written `not = { paths = [...] }`")
    if any(segment in {".", ".."} for segment in glob.split("/")) or "//" in glob:
        raise ValueError("can match no path: paths count from the root of the repository, without `.`, `..` or `//`")
    if not glob.isprintable():
        raise ValueError("has a control or invisible character")


def _translated(glob: str) -> bytes:
    out: list[bytes] = []
    at = depth = 0
    while at < len(glob):
        piece, taken = _piece(glob, at, depth)
        depth += (piece == b"(?:") - (piece == b")")
        if depth > DEEPEST:
            raise ValueError(f"has braces more than {DEEPEST} deep")
        out.append(piece)
        at += taken
    if depth:
        raise ValueError("has a { without its }")
    return b"".join(out)


def _piece(glob: str, at: int, depth: int) -> tuple[bytes, int]:
    """The pattern of what stands at one place, and how many characters it takes."""
    character = glob[at]
    if character == "*":
        return _stars(glob, at)
    if character == "?":
        return _ONE, 1
    if character == "\\":
        return _escaped(glob, at), 2
    if character == "[":
        _check_set(glob, at)
    if character == "}" and not depth:
        raise ValueError("has a } without its {")
    braces = {"{": b"(?:", "}": b")", ",": b"|" if depth else b","}
    return braces.get(character) or _literal(character), 1


def _stars(glob: str, at: int) -> tuple[bytes, int]:
    if not glob.startswith("**", at):
        return _STAR, 1
    before, after = glob[at - 1 : at], glob[at + 2 : at + 3]
    if before not in ("", "/", "{", ",") or after not in ("", "/", "}", ","):
        raise ValueError("`**` stands alone between slashes: `**/*.py`, `src/**`, `src/**/test`")
    return (_DIRECTORIES, 3) if after == "/" else (_BELOW, 2)


def _escaped(glob: str, at: int) -> bytes:
    if at + 1 == len(glob):
        raise ValueError("ends in a backslash that escapes nothing")
    return _literal(glob[at + 1])


def _check_set(glob: str, at: int) -> None:
    inside = glob[at + 1 :].partition("]")
    if inside[1] and (inside[0].startswith(("!", "^")) or any(span in inside[0] for span in _SETS)):
        raise ValueError(r"sets of characters are not known: write {a,b}, or \[ for a bracket of the path")


def _literal(character: str) -> bytes:
    data = character.encode("utf-8", "surrogateescape")
    return b"".join(bytes((byte,)) if chr(byte).isalnum() and byte < 0x80 else b"\\x%02x" % byte for byte in data)

"""Patterns over untrusted bytes: google-re2 in LATIN1, linear in the input, never Python's `re`.

The default encoding would let an invalid UTF-8 byte hide a match: `verify\\xff=false`.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import re2

MEMORY = 16 << 20  # bytes for the states of a set; with fewer, ordinary code has them built again and again, at 1 MB/s
ENOUGH = 4 << 20  # bytes of text that one process reads before a set pays
CALL = 2_000  # bytes that could be read in the time that it takes to ask
SAMPLE = 16 << 10  # bytes that show what ordinary text holds


def _options(memory: int = 0) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    if memory:
        options.max_mem = memory
    return options


@lru_cache(maxsize=1024)
def pattern(text: bytes) -> Any:
    """A compiled pattern with `search`, `finditer`, `fullmatch` over bytes."""
    return re2.compile(text, _options())


def found(text: bytes, data: bytes) -> bool:
    """Whether the pattern occurs anywhere in the data."""
    return pattern(text).search(data) is not None


class PatternSet:
    """Many patterns in one pass. Each belongs to an owner, an index that `owners` answers with."""

    def __init__(self, patterns: Iterable[tuple[int, Sequence[bytes]]]) -> None:
        """Take (owner, patterns) pairs."""
        self._set = re2.Set.SearchSet(_options(MEMORY))
        self._owner: list[int] = []
        for owner, texts in patterns:
            for text in texts:
                self._set.Add(text)
                self._owner.append(owner)
        if self._owner:
            self._set.Compile()

    def owners(self, data: bytes) -> frozenset[int]:
        """The owners with at least one pattern in the data."""
        if not self._owner or not data:
            return frozenset()
        return frozenset(self._owner[index] for index in self._set.Match(data) or ())


class Triggers:
    """The owners whose patterns occur in a text, for much text and for little.

    One by one, patterns stop where they first occur and need no set: compiling that takes 20 ms, and its states are built at 1 to 5 MB/s
    of new text. Once a process has read as much as pays for this, one set asks for all that ordinary text does not hold anyway.
    """

    def __init__(self, patterns: Iterable[tuple[int, Sequence[bytes]]]) -> None:
        """Take (owner, patterns) pairs; nothing is compiled yet."""
        self._patterns = {owner: tuple(texts) for owner, texts in patterns if texts}
        self._single = {
            owner: b"|".join(b"(?:" + text + b")" for text in texts) for owner, texts in self._patterns.items()
        }
        self._read = 0
        self._set: PatternSet | None = None

    def owners(self, data: bytes, asked: Collection[int]) -> frozenset[int]:
        """Those of the asked owners with at least one pattern in the data."""
        if not data:
            return frozenset()
        self._read += len(data) + CALL
        if self._set is None and self._read > ENOUGH:
            self._set = self._compiled(data[:SAMPLE])
        single = {owner for owner in asked if owner in self._single and found(self._single[owner], data)}
        return frozenset(single if self._set is None else single | (self._set.owners(data) & frozenset(asked)))

    def _compiled(self, sample: bytes) -> PatternSet:
        """A set of the patterns whose owners the sample does not show; the others stop early by themselves."""
        rare = [owner for owner, text in self._single.items() if not found(text, sample)]
        for owner in rare:
            del self._single[owner]
        return PatternSet((owner, self._patterns[owner]) for owner in rare)

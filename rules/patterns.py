"""Patterns over untrusted bytes: google-re2 in LATIN1, linear in the input, never Python's `re`.

The default encoding would let an invalid UTF-8 byte hide a match: `verify\\xff=false`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import re2


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
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
        self._set = re2.Set.SearchSet(_options())
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

"""Counting in bounded memory: tallies that say what they left out, and the few rows that matter most."""

from collections.abc import Hashable
from heapq import heappush, heapreplace
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
MOST_KEYS = 2_000


class Tally(Generic[Key]):
    """Counts by key. At most `most` keys are told apart; `others` counts what came after them."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        self._most = most
        self._counts: dict[Key, int] = {}
        self.others = 0

    def add(self, key: Key) -> None:
        if key in self._counts:
            self._counts[key] += 1
        elif len(self._counts) < self._most:
            self._counts[key] = 1
        else:
            self.others += 1

    def rows(self) -> list[tuple[Key, int]]:
        """Keys with their counts, the largest first; equal ones by what they are called."""
        return sorted(self._counts.items(), key=lambda row: (-row[1], str(row[0])))


class Rank(NamedTuple):
    """How much a row matters: compared from left to right, more is more."""

    weights: tuple[int, ...]
    time: str
    commit: str


class Foremost(Generic[Value]):
    """The `most` rows of the highest rank."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[Rank, int, Value]] = []
        self._seen = 0

    def wants(self, rank: Rank) -> bool:
        """Whether a row of this rank would be kept: asked before the row is made."""
        return len(self._heap) < self._most or rank > self._heap[0][0]

    def add(self, rank: Rank, value: Value) -> None:
        self._seen -= 1  # of equal ranks the first one stays in front
        entry = (rank, self._seen, value)
        if len(self._heap) < self._most:
            heappush(self._heap, entry)
        elif rank > self._heap[0][0]:
            heapreplace(self._heap, entry)

    def rows(self) -> tuple[Value, ...]:
        """The highest rank first."""
        return tuple(value for _, _, value in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))

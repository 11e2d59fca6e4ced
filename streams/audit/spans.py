"""Commits by month: the last two years one by one, what lies before and after them together."""

from typing import NamedTuple

SHOWN = 24  # months
FIRST_YEAR, LAST_YEAR = 1970, 2100  # what lies outside has no date that anybody can mean
END = LAST_YEAR * 12 + 11
KINDS = ("agent", "mixed", "human", "service", "unknown")


class Hands(NamedTuple):
    """Commits by kind."""

    agent: int = 0
    mixed: int = 0
    human: int = 0
    service: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return sum(self)

    @property
    def with_agents(self) -> int:
        """By an agent alone, or by a person with one."""
        return self.agent + self.mixed


class Month(NamedTuple):
    """`name` is `2026-03`; a month without commits has a row of zeros."""

    name: str
    hands: Hands


class Timeline(NamedTuple):
    """`earlier` than the first month shown, `later` than today; `undated` have no date between 1970 and 2100."""

    months: tuple[Month, ...]
    earlier: Hands
    later: Hands
    undated: int


def month_of(time: str) -> int | None:
    """Months since the year 0 of an ISO instant; None where it has no date that anybody can mean."""
    year, month = time[:4], time[5:7]
    if not (time.isascii() and year.isdigit() and month.isdigit() and time[4:5] == "-"):
        return None
    if len(year) < 4 or not FIRST_YEAR <= int(year) <= LAST_YEAR or not 1 <= int(month) <= 12:
        return None
    return int(year) * 12 + int(month) - 1


def name_of(month: int) -> str:
    return f"{month // 12:04}-{month % 12 + 1:02}"


class Calendar:
    """Counts by month and kind: at most a row for each month between 1970 and 2100."""

    def __init__(self) -> None:
        self._months: dict[int, list[int]] = {}
        self._undated = 0

    def add(self, time: str, kind: int) -> None:
        """`kind` is a place in KINDS."""
        month = month_of(time)
        if month is None:
            self._undated += 1
        else:
            self._months.setdefault(month, [0] * len(KINDS))[kind] += 1

    def timeline(self, today: str) -> Timeline:
        """Up to the newest commit, at most up to `today` (an ISO instant, "" for no such limit): some clocks are wrong."""
        limit = month_of(today)
        known = [month for month in self._months if limit is None or month <= limit]
        if not known:
            return Timeline((), Hands(), self._hands(0, END), self._undated)
        last = max(known)
        first = max(min(known), last - SHOWN + 1)
        shown = tuple(Month(name_of(month), self._hands(month, month)) for month in range(first, last + 1))
        return Timeline(shown, self._hands(0, first - 1), self._hands(last + 1, END), self._undated)

    def _hands(self, first: int, last: int) -> Hands:
        rows = [row for month, row in self._months.items() if first <= month <= last]
        return Hands(*map(sum, zip(*rows, strict=True))) if rows else Hands()

"""Local time without a clock: the law is handed a table of a zone's offsets and reckons with it.

streams.clock writes the table from the machine's time zone data. A handover or the beginning of a working day is the
first instant at which the wall clock has reached it: an hour that happens twice in autumn is not handed over twice, and
one that never happens in spring is handed over when it is skipped.
"""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from rules.instants import DAY

EVER: Final = -(1 << 60)
THURSDAY: Final = 3  # 1970-01-01, with Monday as 0


class Offset(NamedTuple):
    """From the instant `since` (seconds since 1970) on, the wall clock is `seconds` ahead of UTC."""

    since: int
    seconds: int


Offsets = tuple[Offset, ...]  # in the order of time; the first holds from ever on
UTC: Final[Offsets] = (Offset(EVER, 0),)
Zones = Mapping[str, Offsets]


class Hours(NamedTuple):
    """Working hours: from `start` until `end` of the local day, in seconds; days count from Monday as 0."""

    days: tuple[int, ...]
    start: int
    end: int
    zone: str = "UTC"


def offset_at(offsets: Offsets, at: int) -> int:
    """Seconds that the wall clock is ahead of UTC."""
    index = bisect_right(offsets, at, key=lambda row: row.since) - 1
    return offsets[max(index, 0)].seconds


def local(offsets: Offsets, at: int) -> int:
    """What the wall clock shows, in seconds since its own 1970."""
    return at + offset_at(offsets, at)


def instant(offsets: Offsets, wall: int) -> int:
    """The first instant at which the wall clock has reached this."""
    begins = EVER  # the first offset holds from ever on
    for row, following in pairwise(offsets):
        reached = max(begins, wall - row.seconds)
        if reached < following.since:
            return reached
        begins = following.since
    return max(begins, wall - offsets[-1].seconds)


def weekday(day: int) -> int:
    """Monday is 0; `day` counts from 1970-01-01."""
    return (day + THURSDAY) % 7


def opening(hours: Hours, offsets: Offsets, at: int) -> int:
    """This instant where people work then, else the first one after it at which they do."""
    today = local(offsets, at) // DAY
    for day in range(today - 1, today + 9):
        if weekday(day) in hours.days:
            start, end = (instant(offsets, day * DAY + part) for part in (hours.start, hours.end))
            if at < end and start < end:
                return max(at, start)
    return at

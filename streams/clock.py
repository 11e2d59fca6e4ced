"""The one place that asks what time it is, and what time zones are."""

import time
from collections.abc import Callable, Iterable
from functools import lru_cache

from rules import instants
from rules.zones import EVER, UTC, Offset, Offsets, Zones

AROUND = 400 * instants.DAY  # how far the tables reach before and after the day they are made for
STEP = 6 * 3600  # offsets never change and change back within this


def now() -> str:
    """This second, as an instant."""
    return instants.text_of(int(time.time()))


def zones(names: Iterable[str], at: int) -> Zones:
    """The offsets of these time zones for a year around an instant; a zone that is not known here is left out."""
    day = at // (30 * instants.DAY)
    tables = {name: _offsets(name, day) for name in names}
    return {name: table for name, table in tables.items() if table}


@lru_cache(maxsize=64)
def _offsets(name: str, month: int) -> Offsets:
    from datetime import UTC as GREENWICH  # noqa: PLC0415 - hooks ask only for the time
    from datetime import datetime  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    if name == "UTC":
        return UTC
    try:
        zone = ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return ()

    def offset(at: int) -> int:
        delta = datetime.fromtimestamp(at, GREENWICH).astimezone(zone).utcoffset()
        return int(delta.total_seconds()) if delta is not None else 0

    middle = max(AROUND, min(month * 30 * instants.DAY, 253_300_000_000))
    first = middle - AROUND
    steps = (at for at in range(first, middle + AROUND, STEP) if offset(at + STEP) != offset(at))
    return (Offset(EVER, offset(first)), *(_change(at, at + STEP, offset) for at in steps))


def _change(before: int, after: int, offset: Callable[[int], int]) -> Offset:
    """The second at which the offset changes between two instants."""
    while after - before > 1:
        middle = (before + after) // 2
        if offset(middle) == offset(before):
            before = middle
        else:
            after = middle
    return Offset(after, offset(after))

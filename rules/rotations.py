"""Who is on call: people in turn, daily, weekly or by weekday, with overrides. Every instant has exactly one turn."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from rules.instants import DAY
from rules.zones import Offsets, instant, local, weekday

DAILY, WEEKLY, WEEKDAY = "daily", "weekly", "weekday"
TURNS: Final = (DAILY, WEEKLY, WEEKDAY)
MONDAY_2024: Final = 19_723  # 2024-01-01, in days since 1970


class Override(NamedTuple):
    """Somebody else, from one local minute until another; seconds of the wall clock since its 1970."""

    person: str
    start: int
    end: int


class Rotation(NamedTuple):
    """`start` is the day on which the first person took over, `handover` the second of the local day."""

    people: tuple[str, ...]
    turn: str = WEEKLY
    zone: str = "UTC"
    handover: int = 9 * 3600
    start: int = MONDAY_2024
    overrides: tuple[Override, ...] = ()


class Duty(NamedTuple):
    """Who is on call at an instant, from when until when, and why. `person` is empty where everybody has left."""

    person: str
    since: int
    until: int
    why: str  # turn, override
    left: tuple[str, ...] = ()  # whose turn it would be, had they not left


class _Shift(NamedTuple):
    turn: int
    since: int
    until: int


def on_call(rotation: Rotation, offsets: Offsets, at: int, active: Collection[str] | None = None) -> Duty:
    """The duty at an instant. People who are not in `active` have left: the next in turn stands in (None: nobody left).

    Of several overrides the last one in the list stands; one for somebody who has left is none.
    """
    shift = _shift(rotation, offsets, at)
    spans = _spans(rotation, offsets, active)
    covering = next((span for span in reversed(spans) if span[0] <= at < span[1]), None)
    edges = {edge for start, end, _ in spans for edge in (start, end)}
    since, until = covering[:2] if covering else (shift.since, shift.until)
    since = max((edge for edge in edges if since <= edge <= at), default=since)
    until = min((edge for edge in edges if at < edge <= until), default=until)
    if covering:
        return Duty(covering[2], since, until, "override")
    person, left = _standing(rotation.people, shift.turn, active)
    return Duty(person, since, until, "turn", left)


def _spans(rotation: Rotation, offsets: Offsets, active: Collection[str] | None) -> list[tuple[int, int, str]]:
    return [
        (instant(offsets, override.start), instant(offsets, override.end), override.person)
        for override in rotation.overrides
        if active is None or override.person in active
    ]


def _standing(people: Sequence[str], index: int, active: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
    """Whose turn it is, and who was passed over."""
    left: dict[str, None] = {}
    for step in range(len(people)):
        person = people[(index + step) % len(people)]
        if active is None or person in active:
            return person, tuple(left)
        left[person] = None
    return "", tuple(left)


def _shift(rotation: Rotation, offsets: Offsets, at: int) -> _Shift:
    length = 7 if rotation.turn == WEEKLY else 1
    first = _first_day(rotation, (local(offsets, at) - rotation.handover) // DAY, length)
    while _handover(rotation, offsets, first + length) <= at:
        first += length
    since, until = (_handover(rotation, offsets, day) for day in (first, first + length))
    index = weekday(first) if rotation.turn == WEEKDAY else (first - rotation.start) // length
    return _Shift(index % len(rotation.people), since, until)


def _first_day(rotation: Rotation, day: int, length: int) -> int:
    return day - (day - rotation.start) % length


def _handover(rotation: Rotation, offsets: Offsets, day: int) -> int:
    return instant(offsets, day * DAY + rotation.handover)

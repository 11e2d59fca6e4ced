"""Instants for people: how long ago, and for how long."""

from typing import Final

from rules import instants

UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def ago(at: str, now: str) -> str:
    """`3 hours ago`, `just now`; the text itself where it is no instant."""
    if not (instants.is_instant(at) and instants.is_instant(now)):
        return at
    seconds = instants.between(at, now)
    if abs(seconds) < UNITS[-1][0]:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def lasting(at: str, now: str) -> str:
    """`3 hours`; the text itself where it is no instant."""
    if not (instants.is_instant(at) and instants.is_instant(now)):
        return at
    return span(max(0, instants.between(at, now)))


def when(at: str) -> str:
    """`2026-11-21 14:00 UTC`; the text itself where it is no instant."""
    return f"{at[:10]} {at[11:16]} UTC" if instants.is_instant(at) else at


def span(seconds: int) -> str:
    """`2 days`, `3 hours`, `1 minute`, `less than a minute`: the largest unit that is full."""
    for size, name in UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"

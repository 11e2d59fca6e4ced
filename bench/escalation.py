"""What timers cost: `python -m bench.escalation [OPEN] [DAYS]`: open escalations in one journal, and a simulated year.

Prints JSON: seconds of processor time of the first look, of a tick in which every escalation's next step is due at once, of one in which
nothing is, and of a year of working days with escalations that people acknowledge, forget and answer.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rules import instants
from rules.escalation import name_of
from rules.events import DecisionMade, EscalationAcknowledged, Event
from streams import answers
from streams.engines.journal import Journal
from streams.timers import Timers
from tests.streams.asked import ALERTS, START, answered, change


def many(count: int) -> dict[str, float]:
    """So many escalations open at once."""
    with tempfile.TemporaryDirectory() as scratch, Journal(Path(scratch) / "journal.db") as journal:
        journal.append(event for number in range(count) for event in change(number))
        timers = Timers(journal, ALERTS)
        return {
            "first": timed(timers, START), "idle": timed(timers, instants.later(START, 60)),
            "step": timed(timers, instants.later(START, 900)), "after": timed(timers, instants.later(START, 1000)),
            "longest_tick": longest(timers, instants.later(START, 3600)),
        }  # fmt: skip


def timed(timers: Timers, at: str) -> float:
    began = time.process_time()
    timers.run(at)
    return round(time.process_time() - began, 3)


def longest(timers: Timers, at: str) -> float:
    """The longest single tick, which holds the journal's lock for no longer."""
    worst, more = 0.0, True
    while more:
        began = time.process_time()
        more = timers.tick(at).more
        worst = max(worst, time.process_time() - began)
    return round(worst, 3)


def year(days: int) -> dict[str, float]:
    """Three escalations a day: one is answered in time, one acknowledged and forgotten until it pages again, one ignored for two days."""
    with tempfile.TemporaryDirectory() as scratch, Journal(Path(scratch) / "journal.db") as journal:
        timers = Timers(journal, ALERTS)
        began = time.process_time()
        pages = sum(_day(journal, timers, day) for day in range(days))
        seconds = time.process_time() - began
        open_now = sum(not one.how for one in answers.escalations(journal).values())
        return {"days": days, "seconds": round(seconds, 2), "pages": pages, "events": journal.size(), "open": open_now}


def _day(journal: Journal, timers: Timers, day: int) -> int:
    base = instants.later(START, day * instants.DAY)
    opened = {sort: change(day * 3 + sort, base) for sort in range(3)}
    journal.append(event for events in opened.values() for event in events)
    pages = timers.run(base).pages
    for minutes, what in _story(opened, day):
        at = instants.later(base, minutes * 60)
        journal.append([replace(what, at=at)] if what else [])
        pages += timers.run(at).pages
    return pages


def _story(opened: dict[int, list[Event]], day: int) -> Iterator[tuple[int, Event | None]]:
    names = {sort: _name(opened, sort) for sort in (1, 2)}
    heard = EscalationAcknowledged(change=f"change-{day * 3 + 1}", escalation=names[1], by="carol")
    yield 10, answered(opened[0], "admitted", START)
    yield 12, heard
    yield 15, None
    yield 45, None
    yield 60, answered(opened[1], "blocked", START)
    for hour in range(2, 24):
        yield hour * 60, None
    if day > 1:
        before = change((day - 2) * 3 + 2)
        yield 23 * 60 + 30, answered(before, "admitted", START)


def _name(opened: dict[int, list[Event]], sort: int) -> str:
    made = next(event for event in opened[sort] if isinstance(event, DecisionMade))
    return name_of(made.change, made.content_key, 0)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [5000, 365][len(sys.argv) - 1 :]
    print(json.dumps({"open": numbers[0], **many(numbers[0]), "year": year(numbers[1])}, indent=2))

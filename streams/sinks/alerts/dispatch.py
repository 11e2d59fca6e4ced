"""Brings messages from the outbox to their routes: retries with growing pauses, stand-ins at once, and nothing is lost.

A parcel stays in the outbox until its own route took it, or until a later acknowledgement or end of the same problem
overtakes it. While its route fails, the first of its stand-ins that works is told instead. A route that failed rests: one
that is down costs one deadline and not one for every parcel. A crash between sending and settling repeats a message, with
the same event and dedup key, which receivers drop.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from rules import instants
from rules.canonical import digest
from streams.settings import Alert
from streams.sinks.alerts.log import Log
from streams.sinks.alerts.message import CLOSING, Message
from streams.sinks.alerts.route import LATER, Answer, Forgetful, NotSent, Route, Sent
from streams.sinks.render.safe import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

LONGEST: Final = 3600  # seconds between two tries; also after a refusal, for settings are repaired
GIVEN_UP: Final = 86_400  # seconds after which a message that reached somebody, or ends something, is tried no more
BUDGET: Final = 30.0  # seconds of one pass; what is left waits for the next
OVERTAKEN: Final = "overtaken by its acknowledgement or end"  # the reason of what nobody needs to be told any more
TOGETHER: Final = 500  # problems of one call that keeps them open
WORKERS: Final = 8  # routes that are spoken to at once


class Parcel(NamedTuple):
    """One message for one route. `number` rises in the order of putting; `instead` are routes to use where it fails."""

    id: str
    number: int
    route: str
    message: Message
    instead: tuple[str, ...] = ()
    attempts: int = 0
    stood_in: str = ""  # the stand-in that took it


class Outcome(NamedTuple):
    """What became of a parcel. `again`: seconds since 1970 of the next try; None: it is done with."""

    parcel: Parcel
    by: str = ""  # the route that took it: its own, a stand-in, or nobody
    reason: str = ""  # why its own route did not
    again: int | None = None


class Outbox(Protocol):
    """Where parcels wait. Called from one thread; what it says survives a crash."""

    def due(self, now: int) -> Sequence[Parcel]:
        """The parcels whose time has come, in the order of their numbers."""
        ...

    def waiting(self, dedup: str) -> Sequence[Parcel]:
        """All parcels of one problem that are not done with, due or not."""
        ...

    def stand_ins(self, dedup: str, route: str) -> Sequence[str]:
        """The routes that took a parcel of this problem instead of `route`."""
        ...

    def put(self, parcel: Parcel) -> None:
        """Add a parcel; nothing happens where its id is known. The outbox gives it its number."""
        ...

    def settle(self, outcome: Outcome) -> None:
        """Keep what became of it: done, or due again with one attempt more."""
        ...


class Dispatcher:
    """One for the life of a service. `failures` counts, by route, what was not delivered."""

    def __init__(
        self, routes: Mapping[str, Route], outbox: Outbox, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` measures how long a route rests and a pass takes, not what is due."""
        self._routes = routes
        self._outbox = outbox
        self._clock = clock
        self._resting: dict[str, tuple[float, str]] = {}
        self._kept: dict[tuple[str, str], float] = {}
        self.failures: Counter[str] = Counter()

    def run(self, now: int) -> list[Outcome]:
        """One pass over what is due; what became of each parcel. Never raises for what stands at the other end."""
        parcels = [parcel for parcel in self._outbox.due(now) if not self._is_overtaken(parcel)]
        by_route: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            by_route.setdefault(parcel.route, []).append(parcel)
        until = self._clock() + BUDGET
        results: SimpleQueue[Outcome | None] = SimpleQueue()
        done: list[Outcome] = []
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="twohand-alerts") as pool:
            for group in by_route.values():
                pool.submit(self._deliver, group, now, until, results)
            for _ in by_route:
                while (outcome := results.get()) is not None:
                    self._settle(outcome)
                    done.append(outcome)
        return done

    def keep(self, problems: Iterable[tuple[str, Message]]) -> None:
        """Tell routes that forget (Alertmanager) again of what is not resolved: pairs of route and newest message."""
        now = self._clock()
        found: dict[str, dict[str, Message]] = {}
        for name, message in problems:
            found.setdefault(name, {})[message.dedup] = message
        kept = {key: at for key, at in self._kept.items() if key[1] in found.get(key[0], {})}
        for name, messages in found.items():
            resend = self._routes[name].resend if name in self._routes else 0.0
            stale = [
                one for one in messages.values() if resend and now - kept.get((name, one.dedup), -resend) >= resend
            ]
            kept |= self._kept_open(name, stale, now)
        self._kept = kept

    def _kept_open(self, name: str, messages: Sequence[Message], now: float) -> dict[tuple[str, str], float]:
        """Those that the route was told again, many in one call."""
        told: dict[tuple[str, str], float] = {}
        for first in range(0, len(messages), TOGETHER):
            part = messages[first : first + TOGETHER]
            if isinstance(self._speak(name, partial(_again, messages=part)), NotSent):
                break
            told |= {(name, one.dedup): now for one in part}
        return told

    def _deliver(self, group: Sequence[Parcel], now: int, until: float, results: SimpleQueue[Outcome | None]) -> None:
        """All parcels of one route, in their order, in a thread of their own."""
        try:
            for parcel in group:
                if self._clock() >= until:
                    break
                results.put(self._delivered(parcel, now))
        finally:
            results.put(None)

    def _delivered(self, parcel: Parcel, now: int) -> Outcome:
        answer = self._send(parcel.route, parcel.message)
        if isinstance(answer, Sent):
            return Outcome(parcel, parcel.route)
        by = parcel.stood_in or self._instead(parcel)
        if not by and not parcel.attempts:
            _last_resort(parcel, answer.reason)
        again = now + _pause(answer, parcel.attempts)
        return Outcome(parcel, by, answer.reason, None if _given_up(parcel, by, again) else again)

    def _instead(self, parcel: Parcel) -> str:
        """The first stand-in that takes it; an end is brought to where the problem was told, and nowhere else."""
        if parcel.message.kind in CLOSING:
            return ""
        names = (name for name in parcel.instead if name != parcel.route)
        return next((name for name in names if isinstance(self._send(name, parcel.message), Sent)), "")

    def _send(self, name: str, message: Message) -> Answer:
        return self._speak(name, lambda route: route.send(message))

    def _speak(self, name: str, work: Callable[[Route], Answer]) -> Answer:
        """What a route answers, unless it rests or is none."""
        route = self._routes.get(name)
        if route is None:
            return NotSent(f"the settings have no [alerts.{shown(name, 64)}]", None)
        until, why = self._resting.get(name, (0.0, ""))
        if self._clock() < until:
            return NotSent(why, until - self._clock())
        answer = _asked(route, work)
        if isinstance(answer, NotSent):
            self.failures[name] += 1
            if answer.retry_after is not None:
                self._resting[name] = (self._clock() + answer.retry_after, answer.reason)
        return answer

    def _settle(self, outcome: Outcome) -> None:
        parcel = outcome.parcel
        if parcel.message.kind in CLOSING:
            self._close(parcel)
        self._outbox.settle(outcome)

    def _close(self, parcel: Parcel) -> None:
        """Who was told instead is told of the end too, and what still waits to be told of before it is not told any more."""
        for one in self._outbox.waiting(parcel.message.dedup):
            if one.number < parcel.number and one.route == parcel.route and one.message.kind not in CLOSING:
                self._overtaken(one)
        for name in self._outbox.stand_ins(parcel.message.dedup, parcel.route):
            self._outbox.put(Parcel(digest([parcel.id, "instead", name]), 0, name, parcel.message))

    def _is_overtaken(self, parcel: Parcel) -> bool:
        """Nobody is woken for what somebody acknowledged or ended since."""
        if parcel.message.kind in CLOSING:
            return False
        later = (one for one in self._outbox.waiting(parcel.message.dedup) if one.number > parcel.number)
        if not any(one.message.kind in CLOSING and one.route == parcel.route for one in later):
            return False
        self._overtaken(parcel)
        return True

    def _overtaken(self, parcel: Parcel) -> None:
        self._outbox.settle(Outcome(parcel, parcel.stood_in, OVERTAKEN))


def _again(route: Route, messages: Sequence[Message]) -> Answer:
    return route.again(messages) if isinstance(route, Forgetful) else Sent()


def _asked(route: Route, work: Callable[[Route], Answer]) -> Answer:
    try:
        return work(route)
    except Exception as error:  # noqa: BLE001 - one broken route must not keep others from being told
        return NotSent(f"{route.kind} failed: {type(error).__name__}", LATER)


def _pause(answer: NotSent, attempts: int) -> int:
    """30 seconds, doubled with every try, at most an hour; what the other end asks for where that is longer."""
    if answer.retry_after is None:
        return LONGEST
    return int(min(LONGEST, max(answer.retry_after, LATER * 2 ** min(attempts, 10))))


def _given_up(parcel: Parcel, by: str, again: int) -> bool:
    """A question that reached nobody is never given up."""
    at = parcel.message.at
    old = instants.is_instant(at) and again - instants.seconds_of(at) > GIVEN_UP
    return old and bool(by or parcel.message.kind in CLOSING)


def _last_resort(parcel: Parcel, reason: str) -> None:
    """Nobody took it: whoever reads the log of the service sees it once, and it stays in the outbox."""
    sys.stderr.write(
        f"error: alert route {parcel.route}: {reason}; no other route took it. It is kept and tried again.\n"
    )
    Log(Alert(f"{parcel.route} (log)", "log"), {}).send(parcel.message)

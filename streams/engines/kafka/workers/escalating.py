"""The escalator as a worker: it asks people about what the case store records, and publishes what it said (DESIGN 9, 10).

It consumes nothing: a queue in the store tells what is new. Asking people needs no broker; what was said waits in the
store until one takes it. Several may run: each step is told once, whoever comes first.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from streams import clock
from streams.engines.kafka.broker import connection, topic_admin
from streams.engines.kafka.broker.greeting import BrokerUnusable
from streams.engines.kafka.cases.casebook import Casebook
from streams.engines.kafka.cases.connection import StoreAway
from streams.engines.kafka.doors.submitting import acknowledged, opened
from streams.engines.kafka.records.topics import group, of_role
from streams.engines.kafka.telemetry.gauges import Gauges, Standing
from streams.engines.kafka.workers.watchdog import ENDING, STEP
from streams.service import PAUSE, Service
from streams.sinks.alerts.keys import missing
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streams.settings import Settings

TICKS: Final = 20  # of one round: what was found due is sent before more is looked at
AGAIN: Final = 5.0  # seconds until a broker that did not take it is asked again
STILL: Final = 120.0  # seconds of one round after which it hangs; slow routes alone take 30
log = logging.getLogger("twohand")


class TopicMissing(SourceError):
    """What the escalator says could not be published."""

    exit_code = 2


class Escalating:
    """Rounds over one case store. `secret` makes links that the page takes; without one, messages have none."""

    role = "escalator"

    def __init__(self, settings: Settings, *, now: Callable[[], str] = clock.now, secret: bytes = b"") -> None:
        self.group = group(self.role)
        self._settings = settings
        self.book = Casebook(settings.store)
        address = settings.url or f"http://{settings.listen}"
        self.service = Service(self.book, settings.alerts, now=now, secret=secret, address=address)
        self._resting = 0.0
        self._told: dict[str, str] = {}

    def check(self) -> None:
        """Errors: StoreUnfit for a store of another release or none, TopicMissing where a broker answers without our topic."""
        self.book.open()
        names = of_role(self.role)
        try:
            with connection.admin(self._settings) as admin:
                rows = topic_admin.differences(topic_admin.found(admin, names, configured=False), names)
        except BrokerUnusable as error:
            self.tell("broker", error)
            return
        if stops := [row for row in rows if row.stops]:
            raise TopicMissing(f"{stops[0].topic} {stops[0].what}.", f"Run: {stops[0].remedy}")

    def warn(self) -> None:
        """What reaches nobody is told at the start, not at three in the morning."""
        for name, alert in sorted(self._settings.alerts.items()):
            if why := missing(alert, os.environ):
                log.warning("[alerts.%s] of the settings reaches nobody as it is: %s", name, why)

    def round(self) -> tuple[bool, bool]:
        """Hear, do, send and publish what there is; whether all of it went well, and whether more waits."""
        try:
            done = self.service.round(ticks=TICKS)
        except SourceError as error:
            self.tell("store", error)
            return False, False
        self.tell("store", None)
        return self._published(), done.more

    def _published(self) -> bool:
        if time.monotonic() < self._resting:
            return False
        try:
            self.publish()
        except SourceError as error:
            self.tell("store" if isinstance(error, StoreAway) else "broker", error)
            self._resting = time.monotonic() + AGAIN
            return False
        self.tell("broker", None)
        return True

    def publish(self) -> int:
        """What was said and not acknowledged goes to its topic; how much. Errors: BrokerUnusable, NotPublished, StoreAway."""
        rows = self.book.unsent()
        if rows:
            connection.reach(self._settings)
            with opened(self._settings) as producer:
                acknowledged(producer, [row.record for row in rows])
            self.book.sent(rows)
        return len(rows)

    def tell(self, what: str, error: SourceError | None) -> None:
        """Trouble is told when it begins and when it is over, not every second."""
        before = self._told.pop(what, "")
        if error is None:
            if before:
                log.warning("goes on: the %s takes it again", what)
            return
        self._told[what] = error.message
        if error.message != before:
            log.warning("waits: %s %s", error.message, error.remedy)


class Guard(threading.Thread):
    """Shows whether all is well, and ends a process that hangs or does not end when it is told to."""

    def __init__(self, stop: threading.Event, gauges: Gauges, ready: Path | None) -> None:
        super().__init__(daemon=True, name="twohand-guard")
        self._stop_asked, self._gauges, self._ready = stop, gauges, ready
        self._last, self._ending = time.monotonic(), 0.0
        self._well = self._told = False

    def beat(self, *, well: bool) -> None:
        """A round has ended."""
        self._well, self._last = well, time.monotonic()

    def run(self) -> None:
        while True:
            time.sleep(STEP)
            now = time.monotonic()
            if self._stop_asked.is_set():
                self._ending = self._ending or now
                self.show(why="it ends")
                if now - self._ending > ENDING:
                    _give_up(f"it did not end within {ENDING} s")
            elif now - self._last > STILL:
                _give_up(f"nothing done for {STILL:.0f} s")
            else:
                self.show(why="" if self._well else "the case store or the broker is away")

    def show(self, *, why: str) -> None:
        """`why` it is not ready; empty where it is."""
        self._gauges.stand(Standing(not why, why))
        if not why and not self._told:
            log.info("%s is ready", self._gauges.group)
        self._told = not why
        if self._ready and not why:
            self._ready.touch()
        elif self._ready:
            self._ready.unlink(missing_ok=True)


def run(work: Escalating, gauges: Gauges, *, ready: Path | None = None) -> int:
    """Rounds until SIGTERM; the exit code. Errors: those of `Escalating.check`."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    guard = Guard(stop, gauges, ready)
    guard.start()
    work.warn()
    while not stop.is_set() and not _found(work, guard):
        stop.wait(PAUSE)
    while not stop.is_set():
        well, more = work.round()
        guard.beat(well=well)
        stop.wait(0 if more else PAUSE)
    guard.show(why="it ends")
    work.book.close()
    return 0


def _found(work: Escalating, guard: Guard) -> bool:
    """Whether the store is there; one that is away is waited for."""
    try:
        work.check()
    except StoreAway as error:
        work.tell("store", error)
        guard.beat(well=False)
        return False
    return True


def _give_up(why: str) -> None:
    log.critical("twohand ends: %s", why)
    logging.shutdown()
    os._exit(1)

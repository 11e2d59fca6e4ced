"""Ends a worker that is behind and does nothing, or that does not end when it is told to; says whether it is ready, and where it stands."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from streams.engines.kafka.telemetry.gauges import Gauges, Standing

if TYPE_CHECKING:
    from pathlib import Path

    import faust

    from streams.engines.kafka.workers.absence import Absence

STILL: Final = 60.0  # seconds behind without a commit and without a record handled
ENDING: Final = 9.5  # seconds from SIGTERM to the end
STEP: Final = 0.5
AWAY: Final = "no broker answers it, or takes its credentials"
log = logging.getLogger("twohand")


class Pulse:
    """When the worker last did something, and what it counts."""

    def __init__(self, gauges: Gauges | None = None) -> None:
        self.last, self.gauges = time.monotonic(), gauges or Gauges("")

    def beat(self) -> None:
        self.last = time.monotonic()


class Watchdog(threading.Thread):
    """Looks every half second, in a thread that no event loop can stop."""

    def __init__(self, app: faust.App, worker: Any, pulse: Pulse, ready: Path | None, absence: Absence) -> None:
        super().__init__(daemon=True, name="twohand-watchdog")
        self._absence, self._well = absence, False
        self._app, self._worker, self._pulse, self._ready = app, worker, pulse, ready
        self._committed: dict[Any, Any] = {}
        self._changed = 0.0  # Unix time at which another commit was seen
        self._told = 0.0  # when it was told to end

    def run(self) -> None:
        while True:
            time.sleep(STEP)
            self._look(time.monotonic())

    def _look(self, now: float) -> None:
        if self._worker.should_stop:
            self._told = self._told or now
            self._show({}, why="it ends")
            if now - self._told > ENDING:
                self._end(f"it did not end within {ENDING} s")
            return
        committed, behind = self._standing()
        if committed != self._committed or not behind:
            moved = any(offset and offset != self._committed.get(place) for place, offset in committed.items())
            self._changed = time.time() if moved else self._changed
            self._committed = committed
            self._pulse.last = max(self._pulse.last, now)
        if now - self._pulse.last > STILL:
            self._end(f"{sum(behind.values())} records behind, and nothing done for {STILL:.0f} s")
        why = self._lacking(committed)
        self._show({place: behind.get(place, 0) for place in committed}, why=why)
        self._tell(why, len(committed))

    def _lacking(self, committed: dict[Any, Any]) -> str:
        """Why it is not ready; "" where it is. Without a broker that takes it, its group has no coordinator."""
        if not committed:
            return "it has no partitions"
        consumer: Any = self._app.consumer
        client = getattr(getattr(consumer, "_thread", None), "_consumer", None)
        coordinator = getattr(client, "_coordinator", None)
        away = coordinator is not None and coordinator.coordinator_id is None
        return AWAY if away else ""

    def _tell(self, why: str, partitions: int) -> None:
        if why == AWAY:
            self._absence.ask()
        elif not why and not self._well:
            self._absence.ends()
            log.info("%s is ready: %d partitions", self._absence.name, partitions)
        self._well = not why

    def _standing(self) -> tuple[dict[Any, Any], dict[Any, int]]:
        """What was committed, by partition, and how far behind that is. Empty while nothing is assigned."""
        try:
            consumer: Any = self._app.consumer
            assigned = consumer.assignment()
            committed = {place: consumer._committed_offset.get(place) or 0 for place in assigned}  # noqa: SLF001
            ends = {place: consumer.highwater(place) for place in assigned}
        except Exception:  # noqa: BLE001 - between two assignments there is nothing to be seen
            return {}, {}
        return committed, {
            place: end - committed[place] for place, end in ends.items() if end and end > committed[place]
        }

    def _show(self, lags: dict[Any, int], *, why: str) -> None:
        lag = {(place.topic, place.partition): records for place, records in lags.items()}
        self._pulse.gauges.stand(Standing(not why, why, lag, self._changed))
        if self._ready is None:
            return
        if why:
            self._ready.unlink(missing_ok=True)
        else:
            self._ready.touch()

    def _end(self, why: str) -> None:
        log.critical("twohand ends: %s", why)
        logging.shutdown()
        os._exit(1)

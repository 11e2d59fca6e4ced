"""Records that take minutes, several at once: each is published when it is done, and committed when all before it are.

Faust commits past what is not acknowledged yet where acknowledgements come out of order; so they are given in order. Records
of one change wait for each other. After a rebalance what was under way comes again, and is not acknowledged twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from streams import logs
from streams.engines.kafka.telemetry import event_log
from streams.engines.kafka.telemetry.gauges import Handled
from streams.engines.kafka.workers.worker import PUBLISHING, Sender, _origin, _place, give_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    import faust

    from streams.engines.kafka.records.dead_letters import Origin
    from streams.engines.kafka.records.wire import Record
    from streams.engines.kafka.workers.watchdog import Pulse
    from streams.settings import Settings

KEPT: Final = 16  # records that are done while one before them is not
POLLING: Final = 1000.0  # seconds, Faust's own default: how long a consumer may be too busy to fetch
BEAT: Final = 1.0  # seconds


@runtime_checkable
class Slow(Protocol):
    """Work whose records take long, beside streams.engines.kafka.workers.worker.Work. `seconds` bounds one of them, `at_once` how many are under way."""

    role: str
    group: str
    at_once: int
    seconds: float

    @property
    def topics(self) -> tuple[str, ...]: ...

    def open(self) -> None:
        """Get what is needed, before anything is consumed."""

    async def handle(self, origin: Origin) -> list[Record]:
        """What has to be published for a record. An exception ends the process: nothing is committed."""

    def close(self) -> None:
        """Give up what is under way."""


def agent(app: faust.App, work: Slow, settings: Settings, pulse: Pulse) -> None:
    """The one agent of the app, in place of `worker.agent`."""
    app.conf.stream_buffer_maxsize, app.conf.stream_wait_empty = work.at_once, False
    app.conf.broker_max_poll_interval = max(POLLING, 2 * work.seconds)
    window = Window(work, settings, pulse)
    app.on_partitions_revoked.connect(window.revoked, weak=False)

    @app.agent(app.topic(*work.topics, key_serializer="raw", value_serializer="raw"), concurrency=1)
    async def carry(stream: Any) -> None:
        try:
            async for event in stream.noack().events():
                await window.admit(event)
        finally:
            await window.close()


class Row:
    """One record under way. `since` is when it was begun, by time.monotonic; 0 before."""

    def __init__(self, event: Any) -> None:
        self.event, self.origin = event, _origin(event.message)
        self.since, self.is_done = 0.0, False


class Window:
    """All of it happens in Faust's event loop."""

    def __init__(self, work: Slow, settings: Settings, pulse: Pulse) -> None:
        self._work, self._pulse, self._sender = work, pulse, Sender(settings)
        self._places, self._room = asyncio.Semaphore(work.at_once), asyncio.Semaphore(work.at_once + KEPT)
        self._rows: dict[Any, deque[Row]] = {}  # by partition, what is not acknowledged
        self._turns: Counter[Any] = Counter()  # by partition, how often it was taken away
        self._last: dict[bytes, asyncio.Task[None]] = {}  # by key, the newest
        self._running: dict[asyncio.Task[None], Row] = {}
        self._beats: asyncio.Task[None] | None = None

    async def admit(self, event: Any) -> None:
        """Begin a record as soon as there is room for it."""
        self._beats = self._beats or asyncio.create_task(self._beat())
        place, key = event.message.tp, event.message.key or b""
        turn = self._turns[place]
        await self._room.acquire()
        await self._places.acquire()
        if turn != self._turns[place]:
            self._room.release()
            self._places.release()
            return
        row = Row(event)
        self._rows.setdefault(place, deque()).append(row)
        task = asyncio.create_task(self._carry(row, self._last.get(key)))
        self._running[task], self._last[key] = row, task
        task.add_done_callback(lambda task: self._gone(task, key))

    async def _carry(self, row: Row, before: asyncio.Task[None] | None) -> None:
        """Finish a record, or end the process."""
        try:
            if before:
                await asyncio.wait([before])
            row.since = time.monotonic()
            records = await self._work.handle(row.origin)
            await asyncio.wait_for(self._sender.send(records), PUBLISHING)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - what is not done must not be committed
            give_up(f"the record at {_place(row.origin)}: {logs.told(error)}")
        row.is_done = True
        self._count(row, records)
        self._acknowledge(row.event.message.tp)

    def _count(self, row: Row, records: Sequence[Record]) -> None:
        self._pulse.beat()
        stamp, seconds = row.event.message.timestamp or 0.0, time.monotonic() - row.since
        handled = Handled([row.origin], [stamp], records, seconds)
        self._pulse.gauges.handled(handled)
        if event_log.wanted():
            event_log.tell(handled, self._work.group)

    def _gone(self, task: asyncio.Task[None], key: bytes) -> None:
        self._places.release()
        del self._running[task]
        if self._last.get(key) is task:
            del self._last[key]

    def _acknowledge(self, place: Any) -> None:
        rows = self._rows.get(place, deque())
        while rows and rows[0].is_done:
            rows.popleft().event.ack()
            self._room.release()

    async def revoked(self, *said: Any, **_: Any) -> None:
        """Partitions that are taken away: what is under way goes on, and is another's to acknowledge."""
        for place in said[-1]:
            self._turns[place] += 1
            for _row in self._rows.pop(place, ()):
                self._room.release()

    async def _beat(self) -> None:
        """Waiting for a model is no standstill, as long as its time is not up."""
        while True:
            await asyncio.sleep(BEAT)
            begun = [row.since for row in self._running.values() if row.since]
            if begun and time.monotonic() - min(begun) < self._work.seconds:
                self._pulse.beat()

    async def close(self) -> None:
        """Give up what is under way: it is not acknowledged, and comes again."""
        tasks = [*self._running, *([self._beats] if self._beats else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        await asyncio.get_running_loop().run_in_executor(None, self._work.close)

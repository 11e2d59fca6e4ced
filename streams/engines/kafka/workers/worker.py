"""A worker: one Faust app with one stateless agent that decodes, handles, publishes and awaits (DESIGN 10).

The agent may not raise and may not be cancelled in the middle of a batch: Faust would commit what was not done. What cannot
be finished ends the process instead, before anything is committed; the next one begins where the last commit stands.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from streams import logs
from streams.engines.kafka.records.dead_letters import Origin
from streams.engines.kafka.records.topics import MAX_REQUEST
from streams.engines.kafka.records.wire import Record
from streams.engines.kafka.telemetry import event_log
from streams.engines.kafka.telemetry.gauges import Gauges, Handled
from streams.engines.kafka.workers import twins
from streams.engines.kafka.workers.absence import Absence
from streams.engines.kafka.workers.watchdog import Pulse, Watchdog
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import faust
    from aiokafka import AIOKafkaProducer

    from streams.engines.kafka.workers.window import Slow
    from streams.settings import Settings

AT_ONCE: Final = 500  # records of one batch
WITHIN: Final = 0.05  # seconds that a batch is waited for
BUFFERED: Final = 512  # records that are held in memory before the agent took them
PUBLISHING: Final = 30.0  # seconds until what is published has to be acknowledged
DRAINING: Final = 8.0  # seconds that a batch may take after SIGTERM
SESSION: Final = 10  # seconds
log = logging.getLogger("twohand")


class Crashed(SourceError):
    """Kafka's client gave up; nothing was committed that was not done."""

    exit_code = 1


class Work(Protocol):
    """What a worker does. `role` names its topics' rights, `group` its consumer group. All is called in one thread."""

    role: str
    group: str

    @property
    def topics(self) -> tuple[str, ...]: ...

    def open(self) -> None:
        """Get what is needed, before anything is consumed."""

    def take(self, origins: Sequence[Origin], beat: Callable[[], None]) -> list[Record]:
        """Handle a batch and tell what has to be published. An exception ends the process: nothing is committed."""

    def sent(self) -> None:
        """All that `take` told was acknowledged."""

    def close(self) -> None: ...


def run(
    work: Work | Slow, settings: Settings, *, name: str = "", ready: Path | None = None, gauges: Gauges | None = None
) -> NoReturn:
    """Consume until SIGTERM; the exit code is 0 then, and 1 where the worker had to give up.

    `name` has to be this worker's alone: it comes back to its partitions. `ready` is a file that is touched while all is well.
    `gauges` is what it counts in.
    """
    import faust  # noqa: PLC0415 - an optional package, and slow

    from streams.engines.kafka.broker import sturdy  # noqa: PLC0415 - aiokafka, as above
    from streams.engines.kafka.workers import window  # noqa: PLC0415 - aiokafka, as above

    sturdy.install()
    twins.watch(work.group, name)
    pulse = Pulse(gauges or Gauges(work.group))
    with tempfile.TemporaryDirectory(prefix="twohand-worker-") as data:
        app = _app(work, settings, name, data)
        if isinstance(work, window.Slow):
            window.agent(app, work, settings, pulse)
        else:
            agent(app, work, settings, pulse)
        worker = faust.Worker(app, quiet=True, redirect_stdouts=False, override_logging=False)
        worker.spinner = None
        Watchdog(app, worker, pulse, ready, Absence(settings, work.group)).start()
        _consume(worker)
    sys.exit(0)


def _consume(worker: Any) -> None:
    """Until SIGTERM. Crashed tells what Kafka's client could not go on from: a right that was taken away, for one."""
    try:
        worker.execute_from_commandline()
    except SystemExit as done:
        if done.code:
            why = logs.told(worker.crash_reason) if worker.crash_reason else f"exit code {done.code}"
            raise Crashed(
                f"The worker cannot go on: {why}.",
                "Nothing is lost: start it again. `twohand topics acls` prints the rights that it needs.",
            ) from worker.crash_reason


def _app(work: Work | Slow, settings: Settings, name: str, data: str) -> faust.App:
    import faust  # noqa: PLC0415

    return faust.App(
        work.group, broker=[f"aiokafka://{address}" for address in settings.bootstrap.split(",")],
        broker_credentials=_credentials(settings), key_serializer="raw", value_serializer="raw", topic_allow_declare=False,
        topic_disable_leader=True, table_standby_replicas=0, broker_session_timeout=SESSION, broker_heartbeat_interval=3,
        broker_commit_interval=1.0, consumer_group_instance_id=f"{work.group}-{name}" if name else None,
        consumer_auto_offset_reset="earliest", stream_buffer_maxsize=BUFFERED, worker_redirect_stdouts=False,
        web_enabled=False, datadir=data,
    )  # fmt: skip


def agent(app: faust.App, work: Work, settings: Settings, pulse: Pulse) -> None:
    """The one agent of the app: concurrency 1, because more would commit past what is not finished."""
    carrier = Carrier(work, settings, pulse)

    @app.agent(app.topic(*work.topics, key_serializer="raw", value_serializer="raw"), concurrency=1)
    async def carry(stream: Any) -> None:
        async for events in stream.take_events(AT_ONCE, within=WITHIN):
            messages = [event.message for event in events]
            await carrier.carry([_origin(one) for one in messages], [one.timestamp or 0.0 for one in messages])


class Carrier:
    """Handles batches in a thread of its own, so that heartbeats go on, and publishes what comes of them."""

    def __init__(self, work: Work, settings: Settings, pulse: Pulse) -> None:
        self._work, self._settings, self._pulse = work, settings, pulse
        self._thread = ThreadPoolExecutor(1, "twohand-work")
        self._sender = Sender(settings)

    async def carry(self, origins: list[Origin], stamps: Sequence[float] = ()) -> None:
        """Finish a batch, or end the process. Cancelled, it is finished first. `stamps`: when the broker got each record."""
        task = asyncio.create_task(self._finish(origins, stamps or [0.0] * len(origins)))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task], timeout=DRAINING)
            if not task.done():
                give_up(f"{len(origins)} records could not be finished within {DRAINING:.0f} s")
            raise

    async def _finish(self, origins: list[Origin], stamps: Sequence[float]) -> None:
        began = time.monotonic()
        try:
            records = await self._apart(lambda: self._work.take(origins, self._pulse.beat))
            await asyncio.wait_for(self._sender.send(records), PUBLISHING)
            await self._apart(self._work.sent)
            self._pulse.beat()
            await self._count(Handled(origins, stamps, records, time.monotonic() - began))
        except BaseException as error:  # noqa: BLE001 - an exception here would commit what was not done
            give_up(f"{len(origins)} records, the first at {_place(origins[0])}: {logs.told(error)}")

    async def _count(self, handled: Handled) -> None:
        self._pulse.gauges.handled(handled)
        if event_log.wanted():
            await self._apart(lambda: event_log.tell(handled, self._work.group))

    async def _apart(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class Sender:
    """Publishes over one producer, which is started when it is needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._turn = settings, asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[Record]) -> None:
        """Send all in order, then wait for every acknowledgement. One batch waits for the other."""
        if not records:
            return
        async with self._turn:
            if self._producer is None:
                self._producer = producer(self._settings)
                await self._producer.start()
            sent = [
                await self._producer.send(one.topic, one.value, key=_key(one), headers=list(one.headers))
                for one in records
            ]
        await asyncio.gather(*sent)


def producer(settings: Settings) -> AIOKafkaProducer:
    """Idempotent, compressed, for records of any size that we carry; start it."""
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415

    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap.split(","), acks="all", enable_idempotence=True, compression_type="zstd",
        max_request_size=MAX_REQUEST, request_timeout_ms=10_000, linger_ms=2, **_secured(settings),
    )  # fmt: skip


def give_up(why: str) -> NoReturn:
    """End the process at once: what is not committed comes again."""
    log.critical("twohand ends: %s", why)
    logging.shutdown()
    os._exit(1)


def _key(record: Record) -> bytes | None:
    """Its key; clients send no record that has neither key nor value, though there are such records."""
    return b"" if record.key is None and record.value is None else record.key


def _place(origin: Origin) -> str:
    return f"{origin.record.topic}:{origin.partition}:{origin.offset}"


def _origin(message: Any) -> Origin:
    headers = message.headers.items() if isinstance(message.headers, dict) else message.headers or ()
    return Origin(Record(message.topic, message.key, message.value, tuple(headers)), message.partition, message.offset)


def _secured(settings: Settings) -> dict[str, Any]:
    """Security as aiokafka takes it."""
    from streams.engines.kafka.broker.greeting import tls_context  # noqa: PLC0415

    said: dict[str, Any] = {
        name: value for name, value in settings.kafka.items() if name.startswith(("sasl_plain", "sasl_mechanism"))
    }
    protocol = str(settings.kafka.get("security_protocol", "PLAINTEXT"))
    said |= {"ssl_context": tls_context(settings)} if protocol.endswith("SSL") else {}
    return {"security_protocol": protocol, **said}


def _credentials(settings: Settings) -> Any:
    """Security as Faust takes it; None for none."""
    import faust  # noqa: PLC0415

    said = _secured(settings)
    protocol, context = str(said["security_protocol"]), said.get("ssl_context")
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=said.get("sasl_plain_username"), password=said.get("sasl_plain_password"),
            mechanism=said.get("sasl_mechanism", "PLAIN"), ssl_context=context,
        )  # fmt: skip
    return faust.SSLCredentials(context=context) if context else None

"""A broker, a database and workers of the Kafka engine for one measurement, and what the operating system says of them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.engines.kafka.broker import topic_admin
from streams.engines.kafka.cases.store import Store
from streams.engines.kafka.records.topics import MAX_REQUEST, PARTITIONS
from streams.engines.kafka.records.wire import Record
from tests.kafka.broker import Broker
from tests.kafka.postgres import Postgres
from tests.kafka.processes import Server

STARTING = 90  # seconds
STEP = 0.02
TICK = os.sysconf("SC_CLK_TCK")
DECISIONS, REVIEWS, CHANGES = "twohand.decisions", "twohand.reviews", "twohand.changes"


class Stamp(NamedTuple):
    """When the broker appended a record, in seconds of its clock, and the record's key."""

    key: bytes
    at: float


class Ground:
    """Servers of its own on free ports of loopback; `close` ends all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker, self.postgres = Broker(folder / "kafka"), Postgres()
        self.workers: list[Server] = []
        self._producer: Any = None
        self._consumer: Any = None
        self.settings = folder / "settings.toml"

    def open(self) -> None:
        """Start both servers and connect."""
        self.postgres.start()
        self.broker.start()
        self._producer = KafkaProducer(
            bootstrap_servers=self.broker.bootstrap, compression_type="zstd", max_request_size=MAX_REQUEST, acks="all"
        )
        self._consumer = KafkaConsumer(bootstrap_servers=self.broker.bootstrap, enable_auto_commit=False)

    def close(self) -> None:
        """End all, whatever of it was started."""
        self.end()
        if self._producer:
            self._producer.close(timeout=5)
        if self._consumer:
            self._consumer.close()
        self.broker.stop()
        self.postgres.__exit__()

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Empty topics, an empty database and no workers; workers that were started end with it."""
        self.store = store = self.postgres.fresh("bench")
        self.settings.write_text(
            f'engine = "kafka"\n[kafka]\nbootstrap = "{self.broker.bootstrap}"\n[store]\nurl = "{store}"\n'
        )
        with Store(store) as opened:
            opened.migrate()
        self.broker.clear()
        admin = self.broker.admin()
        topic_admin.create(admin, partitions=PARTITIONS, replicas=1)
        admin.close()
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """SIGTERM to every worker, at once; then all are waited for."""
        for worker in self.workers:
            worker.tell(signal.SIGTERM)
        for worker in self.workers:
            worker.end()
        self.workers.clear()

    # -- workers --------------------------------------------------------------------------------------------------

    def start(self, *roles: str) -> list[Server]:
        """A worker process for each role, or `ROLE/NAME`; all have their partitions when this returns."""
        begun = [self._begun(role) for role in roles]
        for worker, ready in begun:
            worker.until(ready.exists, STARTING)
        return [worker for worker, _ in begun]

    def _begun(self, role: str) -> tuple[Server, Path]:
        only, _, name = role.partition("/")
        ready = self.folder / f"{only}-{name}.ready"
        ready.unlink(missing_ok=True)
        more = ["--only", only, "--name", name or "one", "--ready", str(ready)]
        return self.command("worker", "--settings", str(self.settings), *more), ready

    def command(self, *words: str) -> Server:
        """`twohand WORDS` as a process that ends with the others."""
        return self.process("-m", "streams.cli", *words)

    def process(self, *words: str) -> Server:
        """`python WORDS` as a process that ends with the others."""
        server = Server([sys.executable, *words], self.folder / f"worker-{len(self.workers)}.log")
        self.workers.append(server)
        server.start()
        return server

    # -- records --------------------------------------------------------------------------------------------------

    def publish(self, records: Sequence[Record]) -> None:
        """Send all, and wait until all are acknowledged."""
        for future in [self.send(record) for record in records]:
            future.get(30)

    def send(self, one: Record) -> Any:
        """Its future."""
        return self._producer.send(one.topic, one.value, key=one.key, headers=list(one.headers))

    def places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """The end of each partition."""
        return dict(self._consumer.end_offsets(self.places(topic)))

    def grown(self, topic: str, before: dict[TopicPartition, int], count: int, seconds: float) -> None:
        """Wait until a topic has so many records more; TimeoutError with the workers' logs where it has not."""
        wanted = sum(before.values()) + count
        until(lambda: sum(self.ends(topic).values()) >= wanted, seconds, self._said)

    def stamps(self, topic: str, before: dict[TopicPartition, int]) -> list[Stamp]:
        """What a topic has behind these offsets, in order of time."""
        ends = self.ends(topic)
        self._consumer.assign(list(ends))
        for place in ends:
            self._consumer.seek(place, before.get(place, 0))
        found: list[Stamp] = []
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            for rows in self._consumer.poll(200).values():
                found += [Stamp(row.key, row.timestamp / 1e3) for row in rows]
        return sorted(found, key=lambda one: one.at)

    def kept(self) -> int:
        """Bytes of all topics on the broker's disk."""
        return sum(log.stat().st_size for log in (self.folder / "kafka/data").glob("twohand.*/*.log"))

    def _said(self) -> str:
        return "\n".join(worker.log.read_text("utf-8", "replace")[-2000:] for worker in self.workers)


@contextmanager
def ground() -> Iterator[Ground]:
    """Servers in a temporary folder; SIGTERM ends them too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with TemporaryDirectory(prefix="twohand-bench-") as folder:
        made = Ground(Path(folder))
        try:
            made.open()
            yield made
        finally:
            made.close()


def until(ready: Callable[[], bool], seconds: float, said: Callable[[], str] = str) -> None:
    """Wait for `ready()`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came of it in {seconds:.0f} s\n{said()}")
        time.sleep(STEP)


def family(pid: int) -> list[int]:
    """A process and all below it; of one that has gone, nothing."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in below for each in family(int(child)))]


def busy(pid: int) -> float:
    """Seconds of processor of a process and all below it, those that ended included."""
    return sum(_busy(each) for each in family(pid))


def _busy(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def resident(pid: int) -> float:
    """MB of memory of one process that are its own; pages of mapped files are not."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:"))

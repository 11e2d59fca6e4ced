"""The whole engine on a real broker: topics, store, workers as processes, and what is on the topics."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.engines.kafka.broker import topic_admin
from streams.engines.kafka.cases.store import Store
from streams.engines.kafka.records.topics import MAX_REQUEST
from streams.engines.kafka.records.wire import Record
from tests.kafka.broker import Broker
from tests.kafka.postgres import Postgres
from tests.kafka.processes import Server

PARTITIONS = 2
STARTING = 60  # seconds; 3 on a machine with nothing else to do


class Engine:
    """Fresh topics and an empty database for one test; workers run in `folder`."""

    def __init__(self, broker: Broker, postgres: Postgres, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.store = postgres.fresh("engine")
        self.workers: list[Server] = []
        self.settings = folder / "settings.toml"
        self.settings.write_text(
            f'engine = "kafka"\n[kafka]\nbootstrap = "{broker.bootstrap}"\n[store]\nurl = "{self.store}"\n'
        )
        with Store(self.store) as store:
            store.migrate()
        self.make_topics()
        self._producer = self._connected()

    def _connected(self) -> KafkaProducer:
        return KafkaProducer(
            bootstrap_servers=self.broker.bootstrap, compression_type="zstd", max_request_size=MAX_REQUEST
        )

    def kill_broker(self) -> None:
        """kill -9 of the broker, and its restart on the same data."""
        with self.without_broker():
            pass

    @contextmanager
    def without_broker(self) -> Iterator[None]:
        """The broker, killed, is away inside the block; our own client leaves it before and comes back after."""
        self._producer.close()
        self.broker.kill()
        try:
            yield
        finally:
            self.broker.start()
            self._producer = self._connected()

    def make_topics(self) -> None:
        """All of them, empty."""
        self.broker.clear()
        admin = self.broker.admin()
        deadline = time.monotonic() + 20
        while set(admin.list_topics()) & set(topic_admin.BY_NAME) and time.monotonic() < deadline:
            time.sleep(0.1)
        topic_admin.create(admin, partitions=PARTITIONS, replicas=1)
        admin.close()

    def start(self, only: str, name: str = "one", *more: str, wait: bool = True) -> Server:
        """A worker process with `more` options; ready when this returns, unless it is not waited for."""
        ready = self.folder / f"{only}-{name}.ready"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "streams.cli", "worker", "--settings", str(self.settings)]
        words = ["--only", only, "--name", name, "--ready", str(ready), *more]
        server = Server([*command, *words], self.folder / f"{only}.log")
        self.workers.append(server)
        server.start()
        if wait:
            server.until(ready.exists, STARTING)
        return server

    def send(self, *records: Record) -> None:
        """Publish, acknowledged."""
        sent = [self._producer.send(one.topic, one.value, key=one.key, headers=list(one.headers)) for one in records]
        for future in sent:
            future.get(20)

    def read(self, topic: str) -> list[Record]:
        """Everything that a topic has up to now."""
        consumer = KafkaConsumer(bootstrap_servers=self.broker.bootstrap, auto_offset_reset="earliest")
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            found: list[Record] = []
            while any(consumer.position(place) < ends[place] for place in places):
                for rows in consumer.poll(500).values():
                    found += [Record(row.topic, row.key, row.value, tuple(row.headers)) for row in rows]
            return found
        finally:
            consumer.close()

    def until(self, topic: str, count: int, seconds: float = 30) -> list[Record]:
        """What a topic has as soon as it holds so many different keys; fails where it stays without."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.read(topic)
            if len({record.key for record in found}) >= count:
                return found
            if time.monotonic() > deadline:
                logs = "\n".join(worker.log.read_text()[-3000:] for worker in self.workers)
                raise AssertionError(f"{len(found)} of {count} records on {topic} in {seconds} s\n{logs}")
            time.sleep(0.1)

    def close(self) -> None:
        self._producer.close()
        for worker in self.workers:
            worker.end(signal.SIGKILL)

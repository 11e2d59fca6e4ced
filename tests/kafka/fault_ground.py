"""Where faults happen: a broker that authorizes, a database, and workers that are started again as a supervisor would."""

import gc
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.engines.kafka.broker import acls, topic_admin
from streams.engines.kafka.cases.store import Store
from streams.engines.kafka.records.topics import MAX_REQUEST, ROLES, TOPICS
from streams.engines.kafka.records.wire import Record
from tests.kafka.broker import Broker
from tests.kafka.postgres import Postgres
from tests.kafka.processes import Server

PARTITIONS = 3
STARTING = 60  # seconds; 3 on a machine with nothing else to do
STEP = 0.05
ANSWER = 150  # seconds until a send must have been acknowledged or refused; a producer tries for 120
USERS = ("admin", *(f"twohand-{role.name}" for role in ROLES))
ROLE_OF = {"rules": "reviewer", "decide": "decider", "escalate": "escalator", "relay": "relay"}
GUARDED = """
listeners=CLIENT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$CONTROLLER
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="admin" password="admin" {users};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
"""


def credentials(user: str) -> dict[str, str]:
    """What every client is given; passwords are names here."""
    return {
        "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": user,
        "sasl_plain_password": user,
    }  # fmt: skip


def guarded(*other: str) -> str:
    """A broker's properties; these users have another password than they think."""
    known = " ".join(f'user_{user}="{"changed" if user in other else user}"' for user in USERS)
    return GUARDED.format(users=known)


class Ground:
    """All of it ends with the `with`. Faults happen one after the other; what they need again is there again."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self.folder, self.postgres = folder, postgres
        self.broker = Broker(folder / "kafka", guarded(), **credentials("admin"))
        self.workers: dict[str, Server] = {}
        self.ended: dict[
            str, list[int | None]
        ] = {}  # exit codes of workers that ended by themselves and were started again
        self.acknowledged: list[Record] = []
        self._rows: dict[str, list[Any]] = {topic.name: [] for topic in TOPICS}
        self._next: dict[TopicPartition, int] = {}

    def __enter__(self) -> Self:
        self.broker.start()
        self.store = self.postgres.fresh("faults")
        with Store(self.store) as store:
            store.migrate()
        self.make_topics()
        self.producer = self._producer()
        self._consumer = KafkaConsumer(
            bootstrap_servers=self.broker.bootstrap,
            enable_auto_commit=False,
            reconnect_backoff_max_ms=500,
            **credentials("admin"),
        )
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.end(signal.SIGKILL)
        self.producer.close(timeout=5)
        self._consumer.close()
        self.broker.stop()
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()  # sockets that kafka-python opened to a broker that was away

    def make_topics(self) -> None:
        """Those that are missing, and everybody's rights."""
        admin = self.broker.admin()
        topic_admin.create(admin, partitions=PARTITIONS, replicas=1)
        acls.apply(admin, acls.grants())
        admin.close()

    def passwords(self, *other: str) -> None:
        """Start the broker again; these users' passwords are others than they have."""
        self.broker.stop()
        self.broker.more(guarded(*other))
        self.broker.start()

    def settings(self, role: str, **other: str) -> Path:
        """The settings file of a role's credentials."""
        said = {"bootstrap": self.broker.bootstrap, **credentials(f"twohand-{role}"), **other}
        path = self.folder / f"{role}.toml"
        rows = "".join(f'{name} = "{value}"\n' for name, value in said.items())
        path.write_text(f'engine = "kafka"\n[store]\nurl = "{self.store}"\n[kafka]\n{rows}')
        return path

    # -- workers --------------------------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Workers `ROLE`, or `ROLE/NAME`; without a name they are no static members. All are ready when this returns."""
        for name in names:
            self.begin(name)
        for name in names:
            self.ready(name)

    def begin(self, name: str, command: Iterable[str] = ()) -> Server:
        """Start a worker, by another command line than usual where there is one, and wait for nothing."""
        only, _, stable = name.partition("/")
        usual = ["-m", "streams.cli", "worker", "--only", only, "--settings", str(self.settings(ROLE_OF[only]))]
        words = [sys.executable, *(command or usual), *(["--name", stable] if stable and not command else [])]
        self.mark(name).unlink(missing_ok=True)
        watched = [] if command else ["--ready", str(self.mark(name))]
        self.workers[name] = Server([*words, *watched], self.folder / f"{only}.log")
        self.workers[name].start()
        return self.workers[name]

    def ready(self, name: str) -> None:
        """Wait until it has its partitions."""
        self.wait(lambda: self.workers[name].alive and self.mark(name).exists(), STARTING)

    def mark(self, name: str) -> Path:
        """The file that a worker touches while all is well."""
        return self.folder / f"{name.replace('/', '-')}.ready"

    def kill(self, name: str) -> None:
        """kill -9, and its restart."""
        self.workers[name].end(signal.SIGKILL)
        self.begin(name)

    def end(self, *names: str) -> list[int | None]:
        """SIGTERM to all of them at once; their exit codes. They do not come back."""
        workers = [self.workers.pop(name) for name in names]
        for worker in workers:
            worker.tell(signal.SIGTERM)
        self.until(lambda: not any(worker.alive for worker in workers), 12)
        for worker in workers:
            worker.end(signal.SIGKILL)
        return [worker.code for worker in workers]

    def tend(self) -> None:
        """Start again what ended by itself, as a supervisor does."""
        for name, worker in self.workers.items():
            if not worker.alive:
                self.ended.setdefault(name, []).append(worker.code)
                self.mark(name).unlink(missing_ok=True)
                worker.start()

    def wait(self, check: Callable[[], object], seconds: float) -> None:
        """`until`, where nothing else can be."""
        if not self.until(check, seconds):
            raise TimeoutError(f"nothing came of it in {seconds:.0f} s\n" + "\n".join(map(self.log, ROLE_OF)))

    def until(self, check: Callable[[], object], seconds: float) -> bool:
        """Tend the workers until something holds; whether it did in time."""
        deadline = time.monotonic() + seconds
        while not check():
            if time.monotonic() > deadline:
                return False
            self.tend()
            time.sleep(STEP)
        return True

    def log(self, role: str) -> str:
        """What the workers of a role wrote."""
        path = self.folder / f"{role}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # -- records --------------------------------------------------------------------------------------------------

    def _producer(self) -> KafkaProducer:
        """One that tries for two minutes: what it acknowledges is on the topic, what it does not may be."""
        return KafkaProducer(
            bootstrap_servers=self.broker.bootstrap, acks="all", compression_type="zstd", max_request_size=MAX_REQUEST,
            reconnect_backoff_max_ms=500, **credentials("admin"),
        )  # fmt: skip

    def send(self, *records: Record) -> None:
        """Publish, acknowledged."""
        for future in [self._sent(record) for record in records]:
            future.get(ANSWER)

    def _sent(self, one: Record) -> Any:
        future = self.producer.send(one.topic, one.value, key=one.key, headers=list(one.headers))
        future.add_callback(lambda _: self.acknowledged.append(one))
        return future

    @contextmanager
    def flow(self, records: Sequence[Record], rate: float) -> Iterator[Callable[[float], None]]:
        """Send so many a second inside the block; all are acknowledged when it ends. What is yielded waits for a share."""
        sent: list[Any] = []
        hand = ThreadPoolExecutor(1, "flow")

        def run() -> None:
            begun = time.monotonic()
            for number, record in enumerate(records):
                time.sleep(max(begun + number / rate - time.monotonic(), 0))
                sent.append(self._sent(record))

        done = hand.submit(run)
        yield lambda share: self.wait(lambda: done.done() or len(sent) >= share * len(records), 180)
        self.wait(lambda: done.done() and all(future.is_done for future in sent), 2 * ANSWER)
        hand.shutdown()
        done.result()
        for future in sent:
            future.get(0)

    def read(self, topic: str) -> list[Any]:
        """Every record that a topic has up to now, as kafka-python gives it."""
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        ends = self._consumer.end_offsets(places)
        self._consumer.assign(places)
        for place in places:
            self._consumer.seek(place, self._next.get(place, 0))
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            self._rows[topic] += [row for rows in self._consumer.poll(200).values() for row in rows]
        self._next |= {place: self._consumer.position(place) for place in places}
        return self._rows[topic]

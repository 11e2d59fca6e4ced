"""What a steady flow of changes sees: latency when nothing else happens, silence after a kill, lag at a high rate of large changes."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

from kafka import KafkaConsumer

from bench.streams_changes import changes
from bench.streams_ground import CHANGES, DECISIONS, Ground, Stamp, family, until
from bench.streams_pipeline import BOTH, LARGE, LEARNING, WARM, Backlog, running
from bench.streams_rows import Row
from streams.engines.kafka.records.wire import Record
from tests.kafka.processes import Server

IDLE = 10.0  # changes a second of a quiet day
START = 10_000_000  # numbers that no other change here has
STEADY = 100.0
FLOW = 20.0
STARTING = 60  # seconds
CALM = 3.0  # seconds before a kill
LONGEST = 13.0  # seconds of silence that are noticed
NAMED = "bench"  # static membership needs a name


class Listener(threading.Thread):
    """Notes when each decision reaches a reader of no group."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(daemon=True)
        self.seen: dict[bytes, float] = {}
        self._stopped = threading.Event()
        self._consumer = KafkaConsumer(bootstrap_servers=ground.broker.bootstrap, enable_auto_commit=False)
        self._consumer.assign(ground.places(DECISIONS))
        self._consumer.seek_to_end()
        for place in ground.places(DECISIONS):
            self._consumer.position(place)
        self.start()

    def run(self) -> None:
        while not self._stopped.is_set():
            for rows in self._consumer.poll(50).values():
                now = time.monotonic()
                for row in rows:
                    self.seen.setdefault(row.key, now)

    def stop(self) -> None:
        self._stopped.set()
        self.join()
        self._consumer.close()


def paced(ground: Ground, records: Sequence[Record], rate: float) -> Iterator[tuple[bytes, float]]:
    """Send at a rate, each at once; key and instant of each before it is sent."""
    begun = time.monotonic()
    for number, record in enumerate(records):
        time.sleep(max(begun + number / rate - time.monotonic(), 0))
        yield record.key or b"", time.monotonic()
        ground.send(record)


def latency(ground: Ground, count: int) -> list[Row]:
    """From just before a change is sent until its decision is read, one at a time."""
    with running(ground, *BOTH) as backlog:
        listener, before = Listener(ground), ground.kept()
        sent = dict(paced(ground, backlog.records(count), IDLE))
        until(lambda: sent.keys() <= listener.seen.keys(), STARTING)
        listener.stop()
        kept = (ground.kept() - before) / count
    waits = sorted((listener.seen[key] - at) * 1e3 for key, at in sent.items())
    return [
        Row("latency.p50", "idle, submit to decision, p50", "ms", [share(waits, 50)]),
        Row("latency.p99", "idle, submit to decision, p99", "ms", [share(waits, 99)], ("<=", 250)),
        Row("latency.max", "idle, submit to decision, slowest", "ms", [waits[-1]]),
        Row("kept.topics", "what the topics keep, each change alone", "bytes/change", [kept]),
    ]


def steady(ground: Ground, seconds: float) -> list[Row]:
    """100 changes of 20 KB a second: their latency by the broker's clock, and whether it grows."""
    with running(ground, *BOTH):
        Backlog(ground, LARGE, START).through(LEARNING)
        records = changes(2 * START, int(seconds * STEADY), LARGE)
        before, began, kept = ground.ends(DECISIONS), ground.ends(CHANGES), ground.kept()
        for _ in paced(ground, records, STEADY):
            pass
        left = len(records) - sum(ground.ends(DECISIONS).values()) + sum(before.values())
        ground.grown(DECISIONS, before, len(records), 600)
        waits = delays(ground.stamps(CHANGES, began), ground.stamps(DECISIONS, before))
        kept = ground.kept() - kept
    half = len(waits) // 2
    early, late = share(waits[:half], 99), share(waits[half:], 99)
    return [
        Row("steady.p50", f"100 changes/s of 20 KB for {seconds:.0f} s, p50", "ms", [share(waits, 50)]),
        Row("steady.p99", "the same, p99", "ms", [share(waits, 99)]),
        Row("steady.growth", "the same, p99 of the second half over the first", "x", [late / early], ("<=", 2)),
        Row("steady.left", "the same, not decided when the last was sent", "changes", [left], ("<=", STEADY)),
        Row("kept.large.topics", "the same, what the topics keep", "bytes/change", [kept / len(records)]),
    ]


def delays(came: Sequence[Stamp], went: Sequence[Stamp]) -> list[float]:
    """Milliseconds from a change's receipt to its first decision, in order of receipt."""
    first: dict[bytes, float] = {}
    for one in went:
        first.setdefault(one.key, one.at)
    return [(first[one.key] - one.at) * 1e3 for one in came]


def share(values: Sequence[float], percent: int) -> float:
    """A percentile."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def silence(ground: Ground, repeats: int) -> list[Row]:
    """kill -9 of one worker under `twohand worker`, which starts it again: the longest pause of the decisions."""
    rows = []
    with supervised(ground) as (supervisor, backlog):
        for role in BOTH:
            pauses = [killed(ground, supervisor, backlog, role) for _ in range(repeats)]
            rows.append(Row(f"silence.{role}", f"silence after kill -9 of {role}", "s", pauses, ("<=", 8)))
    return rows


@contextmanager
def supervised(ground: Ground) -> Iterator[tuple[Server, Backlog]]:
    """All workers below one process, as most people run them, under a name that makes them static members."""
    with ground.fresh():
        supervisor = ground.command("worker", "--settings", str(ground.settings), "--name", NAMED)
        backlog = Backlog(ground)
        until(lambda: all(child(supervisor, role) for role in BOTH), STARTING)
        backlog.through(WARM)
        yield supervisor, backlog


def killed(ground: Ground, supervisor: Server, backlog: Backlog, role: str) -> float:
    """Seconds between two decisions that follow each other, the longest, while changes flow."""
    before = ground.ends(DECISIONS)
    records = backlog.records(int((CALM + LONGEST) * FLOW))
    victim = threading.Timer(CALM, lambda: os.kill(child(supervisor, role), signal.SIGKILL))
    victim.start()
    for _ in paced(ground, records, FLOW):
        pass
    victim.join()
    ground.grown(DECISIONS, before, len(records), 60)
    times = [one.at for one in ground.stamps(DECISIONS, before)]
    return max(after - at for at, after in pairwise(times))


def child(supervisor: Server, role: str) -> int:
    """The worker of a role below `twohand worker`; 0 where there is none."""
    for pid in family(supervisor.pid)[1:]:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"--only" in words and words[words.index(b"--only") + 1] == role.encode():
            return pid
    return 0

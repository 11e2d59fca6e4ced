"""The whole way of a change, publish -> rules -> decide -> decision, with PostgreSQL: how many a second, and where the processor goes.

A batch of changes is published at once; the rate runs from the broker's receipt of the first to that of the last decision, so
that it is what the engine can do for a backlog. Times are the broker's own, of both ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import psycopg

from bench.streams_changes import changes, reviewed
from bench.streams_ground import CHANGES, DECISIONS, REVIEWS, Ground, busy, resident
from bench.streams_rows import Row
from streams.engines.kafka.records.wire import Record

SIZE, LARGE = 2000, 20_000  # bytes of a change's content
LARGEST = 20_000_000  # numbers of changes from here on are large ones
LEARNING = 300  # large changes until the rules' patterns have become one set
WARM = 80  # changes before anything is measured
PATIENCE = 900  # seconds
SAMPLES = 20  # of a worker's memory
BOTH = ("rules", "decide")


class Run(NamedTuple):
    """Changes a second, and milliseconds of processor that each change took, by process."""

    rate: float
    costs: dict[str, float]


class Kept(NamedTuple):
    """Rows and bytes in the decider's tables; what the escalator keeps of open questions comes and goes."""

    rows: float
    database: float

    @classmethod
    def of(cls, ground: Ground) -> "Kept":
        """At this moment; the database's dead rows have gone."""
        with psycopg.connect(ground.store, autocommit=True) as database:
            database.execute("vacuum full")
            names = [row[0] for row in database.execute("select tablename from pg_tables where schemaname = 'public'")]
            counts = [database.execute(f'select count(*) from "{name}"').fetchone() for name in names]
            sizes = "select sum(pg_total_relation_size(quote_ident(tablename)::regclass)) from pg_tables where schemaname = 'public'"
            size = database.execute(sizes).fetchone()
        assert size
        return cls(sum(count[0] for count in counts if count), float(size[0]))

    def less(self, before: "Kept", count: int) -> "Kept":
        """What so many changes added, for each."""
        return Kept(*((now - was) / count for now, was in zip(self, before, strict=True)))


class Backlog:
    """Changes that nobody has published yet, made before the clock runs."""

    def __init__(self, ground: Ground, size: int = SIZE, first: int = 0) -> None:
        self._ground, self._size, self._next = ground, size, first

    def records(self, count: int, *, reviews: bool = False) -> list[Record]:
        """So many new proposals; with `reviews` what the rules say of each before it."""
        first, self._next = self._next, self._next + count
        proposals = changes(first, count, self._size)
        if not reviews:
            return proposals
        said = reviewed(first, count, self._size)
        return [one for pair in zip(said, proposals, strict=True) for one in pair]

    def through(self, count: int, out: str = DECISIONS, *, reviews: bool = False) -> float:
        """Publish so many and wait until each came out; changes a second."""
        ground, records = self._ground, self.records(count, reviews=reviews)
        before, began = ground.ends(out), ground.ends(CHANGES)
        ground.publish(records)
        ground.grown(out, before, count, PATIENCE)
        made = ground.stamps(out, before)
        if len({one.key for one in made}) != count:
            raise RuntimeError(
                f"{count} changes, but {len(made)} records about {len({one.key for one in made})} came out"
            )
        return count / (made[-1].at - ground.stamps(CHANGES, began)[0].at)


@contextmanager
def running(ground: Ground, *roles: str) -> Iterator[Backlog]:
    """Warm workers over empty topics."""
    with ground.fresh():
        ground.start(*roles)
        backlog = Backlog(ground)
        backlog.through(WARM)
        yield backlog


def processes(ground: Ground) -> dict[str, int]:
    """The engine's processes by name; this one publishes."""
    workers = dict(zip(BOTH, (worker.pid for worker in ground.workers), strict=True))
    return {**workers, "database": ground.postgres.pid, "broker": ground.broker.pid}


def run(ground: Ground, backlog: Backlog, count: int) -> Run:
    """One batch, with what it cost."""
    pids = processes(ground)
    before = {name: busy(pid) for name, pid in pids.items()}
    rate = backlog.through(count)
    return Run(rate, {name: (busy(pid) - before[name]) / count * 1e3 for name, pid in pids.items()})


def measure(ground: Ground, count: int, repeats: int) -> list[Row]:
    """Several batches through the same two workers; then fewer and larger changes, for what a KB costs."""
    with running(ground, *BOTH) as backlog:
        before = Kept.of(ground)
        runs = [run(ground, backlog, count) for _ in range(repeats)]
        kept = Kept.of(ground).less(before, count * repeats)
    with running(ground, *BOTH):
        large, few = Backlog(ground, LARGE, LARGEST), count // 5
        large.through(LEARNING)
        before = Kept.of(ground)
        more = [run(ground, large, few) for _ in range(repeats)]
        kept_large = Kept.of(ground).less(before, few * repeats)
    bar = (">=", 300.0)
    return [
        Row("pipeline", "whole pipeline, 2 KB", "changes/s", [one.rate for one in runs], bar), *_costs("", runs), *_kept("", kept),
        Row("pipeline.large", "whole pipeline, 20 KB", "changes/s", [one.rate for one in more]), *_costs(".large", more),
        *_kept(".large", kept_large),
    ]  # fmt: skip


def _costs(size: str, runs: Sequence[Run]) -> Iterator[Row]:
    for name in runs[0].costs:
        costs = [one.costs[name] for one in runs]
        yield Row(f"pipeline{size}.{name}.ms", f"of it, processor of {name}", "ms/change", costs)


def _kept(size: str, kept: Kept) -> Iterator[Row]:
    yield Row(f"kept{size}.rows", "rows that stay in the database", "/change", [kept.rows])
    yield Row(f"kept{size}.database", "what the database keeps", "bytes/change", [kept.database])


def scaling(ground: Ground, count: int, repeats: int) -> list[Row]:
    """One and two processes of a role alone, over the same number of changes; nobody else works meanwhile but the broker."""
    rows = []
    for role, out in (("rules", REVIEWS), ("decide", DECISIONS)):
        rates: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(repeats):
            for number in rates:
                rates[number].append(_alone(ground, count, role, number, out))
        ratio = [two / one for one, two in zip(*rates.values(), strict=True)]
        rows += [
            Row(f"scaling.{role}.{number}", f"{role}, {number} process(es)", "changes/s", rates[number])
            for number in rates
        ]
        rows.append(Row(f"scaling.{role}.ratio", f"{role}, two processes of one", "x", ratio))
    return rows


def _alone(ground: Ground, count: int, role: str, number: int, out: str) -> float:
    with ground.fresh():
        ground.start(*(f"{role}/{name}" for name in ("one", "two")[:number]))
        backlog, reviews = Backlog(ground), role == "decide"
        backlog.through(WARM, out, reviews=reviews)
        before = [busy(worker.pid) for worker in ground.workers]
        rate = backlog.through(count, out, reviews=reviews)
        shares = [busy(worker.pid) - was for worker, was in zip(ground.workers, before, strict=True)]
        if min(shares) < max(shares) / 4:
            raise RuntimeError(f"the partitions of {role} were not shared: {shares} s of processor")
        return rate


def memory(ground: Ground, count: int) -> list[Row]:
    """Of each worker, sampled while so many changes go through."""
    with running(ground, *BOTH) as backlog:
        found: dict[str, list[float]] = {role: [] for role in BOTH}
        for _ in range(SAMPLES):
            backlog.through(count // SAMPLES)
            for role, worker in zip(BOTH, ground.workers, strict=True):
                found[role].append(resident(worker.pid))
    rows = []
    for role, values in found.items():
        early, late = median(values[4:8]), median(values[-4:])
        rows.append(
            Row(f"memory.{role}", f"{role}: memory over {count:,} changes, highest", "MB", [max(values)], ("<=", 200))
        )
        rows.append(Row(f"memory.{role}.growth", f"{role}: last fifth less the second", "MB", [late - early]))
    return rows

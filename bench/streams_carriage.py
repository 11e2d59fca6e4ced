"""What carrying costs: a worker whose handler is empty beside the plain aiokafka loop over the same records.

Both read the same zstd records, publish records of the same bytes, acknowledged, and commit. `codec` decodes each proposal,
drops repeats and encodes a review of it, as a worker does. To show where the cost lies: `bare` is the worker without that, `coded` the
plain loop with it. Each runs in a process of its own with a consumer group of its own; what it reports are the marks after each batch.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

from bench.streams_changes import changes, reviewed
from bench.streams_ground import CHANGES, Ground, until
from bench.streams_rows import Row
from rules.events import ChangeProposed
from streams.engines.kafka.records.dead_letters import Origin
from streams.engines.kafka.records.wire import Record
from streams.settings import Settings

BATCH = 500
LOOPS = ("raw", "codec", "bare", "coded")
SIZE = 2000  # bytes of a change's content


class Mark(NamedTuple):
    """How many records were finished, and when, on the clock and of the process's processor time. Seconds."""

    done: int
    at: float
    busy: float


class Speed(NamedTuple):
    """Records a second, and microseconds of processor for each."""

    rate: float
    each: float


def speed(marks: Sequence[Mark]) -> Speed:
    """Between the first batch and the last, so that no start is counted."""
    first, last = marks[0], marks[-1]
    count = last.done - first.done
    return Speed(count / (last.at - first.at), (last.busy - first.busy) / count * 1e6)


class Empty:
    """streams.engines.kafka.workers.worker.Work that answers every proposal with a review that says nothing."""

    role = "reviewer"
    topics = (CHANGES,)

    def __init__(self, group: str, answer: Callable[[Origin], Record], finished: Callable[[int], None]) -> None:
        self.group, self._answer, self._finished = group, answer, finished
        self._count = 0

    def open(self) -> None: ...

    def take(self, origins: Sequence[Origin], beat: Callable[[], None]) -> list[Record]:
        beat()
        self._count = len(origins)
        return [self._answer(origin) for origin in origins]

    def sent(self) -> None:
        self._finished(self._count)

    def close(self) -> None: ...


class Once:
    """Decodes, drops what was there before, and encodes the answer."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, origin: Origin) -> Record:
        from streams.engines.kafka.records.wire import encode, opened, sealed
        from tests.kafka.events import rules

        envelope = sealed(origin.record)
        if envelope.id in self._seen:
            raise ValueError("the bench publishes no record twice")
        self._seen.add(envelope.id)
        proposed = opened(envelope)
        assert isinstance(proposed, ChangeProposed)
        return encode(rules(proposed), envelope.source, trace=envelope.trace)


def mould() -> Callable[[Origin], Record]:
    """The same answer for every record, made once: bytes as many as a worker publishes."""
    one = next(reviewed(0, 1, SIZE))
    return lambda origin: one._replace(key=origin.record.key)


class Report:
    """Collects marks and writes them when all records are done; with that the process may end."""

    def __init__(self, count: int, out: Path) -> None:
        self._count, self._out = count, out
        self._marks: list[Mark] = []

    def __call__(self, more: int) -> None:
        done = (self._marks[-1].done if self._marks else 0) + more
        self._marks.append(Mark(done, perf_counter(), process_time()))
        if done >= self._count:
            part = self._out.with_suffix(".part")
            part.write_text(json.dumps(self._marks))
            part.rename(self._out)


async def plain(settings: Settings, group: str, answer: Callable[[Origin], Record], report: Report) -> None:
    """What a good loop without any framework does."""
    from aiokafka import AIOKafkaConsumer

    from streams.engines.kafka.workers.worker import producer

    out = producer(settings)
    consumer = AIOKafkaConsumer(
        CHANGES,
        bootstrap_servers=settings.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    await out.start()
    while True:
        rows = [row for part in (await consumer.getmany(timeout_ms=50, max_records=BATCH)).values() for row in part]
        if not rows:
            continue
        made = [
            answer(Origin(Record(CHANGES, row.key, row.value, row.headers), row.partition, row.offset)) for row in rows
        ]
        sent = [await out.send(one.topic, one.value, key=one.key, headers=list(one.headers)) for one in made]
        await asyncio.gather(*sent)
        await consumer.commit()
        report(len(rows))


def loop(name: str, bootstrap: str, group: str, report: Report) -> None:
    """Never returns; the parent ends it."""
    settings = Settings(bootstrap=bootstrap)
    answer = Once() if name in ("codec", "coded") else mould()
    if name in ("raw", "coded"):
        from streams.engines.kafka.broker import sturdy

        sturdy.install()
        asyncio.run(plain(settings, group, answer, report))
    from streams.engines.kafka.workers.worker import run

    run(Empty(group, answer, report), settings)


def once(ground: Ground, name: str, count: int, repeat: int) -> Speed:
    """One run of one loop over all records."""
    out = ground.folder / f"{name}-{repeat}.json"
    words = [name, ground.broker.bootstrap, f"bench-{name}-{repeat}", str(count), str(out)]
    server = ground.process("-m", "bench.streams_carriage", *words)
    until(out.exists, 120, lambda: server.log.read_text("utf-8", "replace")[-2000:])
    server.end()
    ground.workers.remove(server)
    return speed([Mark(*mark) for mark in json.loads(out.read_text())])


def measure(ground: Ground, count: int, repeats: int) -> list[Row]:
    """The loops in turn over the same records."""
    found: dict[str, list[Speed]] = {name: [] for name in LOOPS}
    with ground.fresh():
        ground.publish(changes(0, count, SIZE))
        for repeat in range(repeats):
            for name in LOOPS:
                found[name].append(once(ground, name, count, repeat))
    return list(rows(found))


def rows(found: dict[str, list[Speed]]) -> Iterator[Row]:
    rates = {name: [one.rate for one in runs] for name, runs in found.items()}
    costs = {name: median(one.each for one in runs) for name, runs in found.items()}
    said = {
        "raw": "raw aiokafka loop (anchor)", "codec": "carriage: worker, empty handler", "bare": "worker, no codec",
        "coded": "raw loop with the codec",
    }  # fmt: skip
    for name in LOOPS:
        ratio = [ours / anchor for ours, anchor in zip(rates[name], rates["raw"], strict=True)]
        yield Row(f"carriage.{name}", said[name], "changes/s", rates[name])
        yield Row(f"carriage.{name}.us", f"{said[name]}: processor", "us/change", [one.each for one in found[name]])
        if name != "raw":
            bar = (">=", 0.5) if name == "codec" else None
            yield Row(f"carriage.{name}.ratio", f"{said[name]}: of the raw loop", "x", ratio, bar)
            yield Row(f"carriage.{name}.ratio.us", "the same by processor time", "x", [costs["raw"] / costs[name]])
    same = [ours / anchor for ours, anchor in zip(rates["codec"], rates["coded"], strict=True)]
    yield Row("carriage.faust.ratio", "carriage, of the raw loop with the codec", "x", same)


def main() -> None:
    parser = argparse.ArgumentParser(description="One loop, as `bench.streams` starts it.")
    parser.add_argument("name", choices=LOOPS)
    for word in ("bootstrap", "group"):
        parser.add_argument(word)
    parser.add_argument("count", type=int)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    loop(given.name, given.bootstrap, given.group, Report(given.count, given.out))


if __name__ == "__main__":
    main()

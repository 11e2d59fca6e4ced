"""What one worker counts, as Prometheus reads it (docs/metrics.md). Counting is cheap; the text is made when it is asked for."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.engines.kafka.records.dead_letters import HANDLER, PREFIX
from streams.engines.kafka.records.topics import DEAD_LETTERS
from streams.engines.kafka.records.wire import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from streams.engines.kafka.records.dead_letters import Origin
    from streams.engines.kafka.records.wire import Record

CHANGES, DECISIONS = "twohand.changes", "twohand.decisions"
OUTCOMES: Final = ("admitted", "blocked", "escalated", "pending")
BATCH: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds
DECISION: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)  # seconds
REMEMBERED: Final = 20_000  # proposals whose decision is awaited; of older ones no time is told
OTHER: Final = "other"
UNSEEN: Final = 10.0  # seconds without a look of the watchdog, which looks twice a second
_OUTCOME: Final = (
    b'"outcome":"'  # as it stands in canonical JSON; inside of a text each quote has a backslash before it
)
_FAULT: Final = f"{PREFIX}fault"


class Handled(NamedTuple):
    """A batch that is finished: what came, when the broker got it (Unix time, 0 where unknown), what was published, how long it took."""

    origins: Sequence[Origin]
    stamps: Sequence[float]
    records: Sequence[Record]
    seconds: float


class Standing(NamedTuple):
    """Where a worker stands. `lag` is in records, by topic and partition; `why` tells why it is not ready."""

    ready: bool
    why: str = ""
    lag: Mapping[tuple[str, int], int] = {}
    committed: float = 0.0  # Unix time of the last commit that was seen; 0 for none


class Spread:
    """How often what took how long: a histogram without a lock."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def take(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    def rows(self) -> list[tuple[str, float]]:
        """Bound and how many are at most that, as Prometheus adds them up."""
        total, found = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Gauges:
    """The numbers of one worker. `retries` tells how often its work was tried again; `more` gives families of its own."""

    def __init__(
        self, group: str, *, retries: Callable[[], int] = int, more: Callable[[], Iterable[Any]] = tuple
    ) -> None:
        self.group, self.standing = group, Standing(ready=False, why="it has not started yet")
        self._looked = 0.0
        self._retries, self._more, self._lock = retries, more, Lock()
        self._records: Counter[str] = Counter()
        self._letters = Counter(dict.fromkeys((*FAULTS, HANDLER), 0))  # from 0, or their first would be no increase
        self._outcomes = Counter(dict.fromkeys(OUTCOMES, 0))
        self._batches, self._decisions = Spread(BATCH), Spread(DECISION)
        self._proposed: OrderedDict[bytes, float] = OrderedDict()

    def handled(self, one: Handled) -> None:
        """Count a batch."""
        with self._lock:
            self._batches.take(one.seconds)
            self._records.update([origin.record.topic for origin in one.origins])
            for origin, stamp in zip(one.origins, one.stamps, strict=True):
                if origin.record.topic == CHANGES and origin.record.key and stamp > 0:
                    self._proposed[origin.record.key] = stamp
            while len(self._proposed) > REMEMBERED:
                self._proposed.popitem(last=False)
            for record in one.records:
                self._published(record)

    def _published(self, record: Record) -> None:
        if record.topic == DEAD_LETTERS:
            if fault := dict(record.headers).get(_FAULT):
                self._letters[fault.decode("ascii", "replace")] += 1
        elif record.topic == DECISIONS:
            self._outcomes[outcome_of(record)] += 1
            if stamp := self._proposed.pop(record.key or b"", 0.0):
                self._decisions.take(max(time.time() - stamp, 0.0))

    def stand(self, standing: Standing) -> None:
        """Somebody has looked where it stands."""
        self.standing, self._looked = standing, time.monotonic()

    def dead(self) -> str:
        """Why it is not alive; "" while it is, also before it has started."""
        unseen = time.monotonic() - self._looked if self._looked else 0.0
        return f"its watchdog has not looked for {unseen:.0f} s" if unseen > UNSEEN else ""

    def text(self) -> bytes:
        """All of it in Prometheus' text format; several threads may ask."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415 - only where somebody scrapes

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        ProcessCollector(registry=registry)
        return bytes(generate_latest(registry))

    def collect(self) -> list[Any]:
        """What prometheus_client calls a collector."""
        with self._lock:
            own = [*self._counters(), *self._spreads(), *self._stands()]
        return [*own, *self._more()]

    def _counters(self) -> Iterator[Any]:
        yield self._counter("twohand_worker_records", "Records that were handled.", "topic", self._records)
        yield self._counter("twohand_worker_decisions", "Decisions that were published.", "outcome", self._outcomes)
        yield self._counter(
            "twohand_worker_dead_letters", "Records that could not be handled, by fault.", "fault", self._letters
        )
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

        retries = CounterMetricFamily(
            "twohand_worker_retries", "Times that handling was tried again.", labels=["group"]
        )
        retries.add_metric([self.group], self._retries())
        yield retries

    def _counter(self, name: str, doc: str, label: str, counts: Mapping[str, int]) -> Any:
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

        family = CounterMetricFamily(name, doc, labels=["group", label])
        for value, count in sorted(counts.items()):
            family.add_metric([self.group, value], count)
        return family

    def _spreads(self) -> Iterator[Any]:
        from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415

        for name, doc, spread in (
            ("batch", "From a batch that was taken to all that came of it being acknowledged.", self._batches),
            ("decision", "From the broker's receipt of a proposal to its first decision being acknowledged.", self._decisions),
        ):  # fmt: skip
            family = HistogramMetricFamily(f"twohand_worker_{name}_seconds", doc, labels=["group"])
            family.add_metric([self.group], spread.rows(), spread.sum)
            yield family

    def _stands(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        standing = self.standing
        lag = GaugeMetricFamily(
            "twohand_worker_lag_records", "Records that are not committed yet.", labels=["group", "topic", "partition"]
        )
        for (topic, partition), records in sorted(standing.lag.items()):
            lag.add_metric([self.group, topic, str(partition)], records)
        yield lag
        for name, doc, value in (
            ("ready", "Whether it has partitions and is not ending.", float(standing.ready)),
            ("last_commit_timestamp_seconds", "When another commit of it was seen; 0 before that.", standing.committed),
        ):
            family = GaugeMetricFamily(f"twohand_worker_{name}", doc, labels=["group"])
            family.add_metric([self.group], value)
            yield family


def outcome_of(record: Record) -> str:
    """What a DecisionMade says, without parsing it; `other` where it says nothing that we know."""
    _, _, rest = (record.value or b"").rpartition(_OUTCOME)
    word = rest[: rest.find(b'"')].decode("ascii", "replace")
    return word if word in OUTCOMES else OTHER

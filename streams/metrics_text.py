"""The numbers as Prometheus reads them (text format 0.0.4), under OpenTelemetry's names where it has some.

https://opentelemetry.io/docs/specs/semconv/cicd/cicd-metrics/ names `vcs.change.*`; dots become underscores and units are
appended, as its exporters for Prometheus do.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from streams import clock, metrics_models
from streams.engines.journal import Journal
from streams.metrics import Meter, Values, age
from streams.metrics_journal import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
STATES: Final = ("proposed", "pending", "escalated", "blocked", "admitted", "merged", "withdrawn")
OUTCOMES: Final = ("admitted", "blocked", "escalated", "pending")
AXES: Final = ("identity", "operator", "session", "model", "family")
KINDS: Final = ("finding", "objection", "break-glass")
BUCKETS: Final = (5, 30, 60, 300, 900, 3600, 14_400, 28_800, 86_400, 259_200, 604_800)  # seconds, to a week
_LETTERS: Final = """
    select route, sum(state = 'waiting'), sum(attempts - (state = 'sent' and stood_in = '' and attempts > 0)),
        coalesce(min(case when state = 'waiting' then json_extract(message, '$.at') end), '') from outbox group by route
"""


class Exporter:
    """The numbers of one journal, brought up to date by what was appended since; call it for the text."""

    def __init__(self, path: Path, *, now: Callable[[], str] = clock.now) -> None:
        """Nothing is read yet. `path` need not be there."""
        self._path = path
        self._now = now
        self._meter = Meter()
        self._mark = (0, "")  # offset and hash of the newest row that was taken
        self._lock = Lock()

    def __call__(self) -> bytes:
        """The text; several threads may ask. Errors: JournalUnusable."""
        with self._lock:
            return self._read()

    def _read(self) -> bytes:
        letters: list[tuple[Any, ...]] = []
        models: list[Any] = []
        if self._path.exists():
            with Journal(self._path, writable=False) as journal:
                self._advance(journal)
                if journal.ask("select 1 from sqlite_master where name = 'outbox'"):
                    letters = journal.ask(_LETTERS)
                models = list(metrics_models.families(journal))
        at = self._now()
        return text(self._meter.values(at), letters, at=at, more=models)

    def _advance(self, journal: Journal) -> None:
        if self._mark[0] and not journal.ask("select 1 from log where offset = ? and hash = ?", self._mark):
            self._meter, self._mark = Meter(), (0, "")  # another file stands in its place
        for offset, chained, event in taken(journal, self._mark[0]):
            if event is not None:
                self._meter.take(event)
            self._mark = (offset, chained)


def text(values: Values, letters: Sequence[tuple[Any, ...]] = (), *, at: str = "", more: Sequence[Any] = ()) -> bytes:
    """The text format. `letters`: route, how many wait, failed tries, instant of the oldest that waits; `more`: families."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only where somebody scrapes

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([*_families(values), *_letters(letters, at), *more]))
    return bytes(generate_latest(registry))


class _Collected:
    """What prometheus_client calls a collector."""

    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> list[Any]:
        return self._families


def _families(v: Values) -> Iterator[Any]:
    yield _gauge("vcs_change_count", "Changes by what became of them.", {"vcs_change_state": (STATES, v.changes)})
    yield _histogram(
        "vcs_change_time_to_approval_seconds", "From the first proposal until it was admitted.", v.to_approval
    )
    yield _histogram("vcs_change_time_to_merge_seconds", "From the first proposal until it landed.", v.to_merge)
    yield _histogram(
        "twohand_change_time_to_decision_seconds",
        "From the first proposal to a decision that is not pending.",
        v.to_decision,
    )
    yield _histogram(
        "twohand_escalation_time_to_acknowledge_seconds",
        "From the first page until somebody heard it.",
        v.to_acknowledge,
    )
    yield _counter("twohand_decisions", "Decisions that were ever made.", {"outcome": (OUTCOMES, v.decisions)})
    yield _gauge(
        "twohand_recusals",
        "Reviews that do not count, by the axis on which they are an author's.",
        {"axis": (AXES, v.recusals)},
    )
    yield _gauge("twohand_waivers", "Waivers in force: debt.", {"kind": (KINDS, v.waivers)})
    yield _plain("twohand_waiver_oldest_seconds", "Age of the oldest waiver in force; 0 without any.", v.oldest_waiver)
    yield _plain("twohand_approvals_hasty", "Approvals that came faster than anybody reads.", v.hasty)
    yield _plain("twohand_changes_unread", "Changes let in without an independent approval.", v.unread)
    yield _plain(
        "twohand_changes_with_provenance_ratio", "Share of decided changes that say who made them; 1 without any.",
        v.provenance[0] / v.provenance[1] if v.provenance[1] else 1,
    )  # fmt: skip
    yield _gauge(
        "twohand_escalations",
        "Questions that nobody answered yet.",
        {"state": (("open", "acknowledged"), v.escalations)},
    )
    yield _plain("twohand_escalation_oldest_seconds", "Age of the oldest of them; 0 without any.", v.oldest_escalation)


def _letters(rows: Sequence[tuple[Any, ...]], at: str) -> Iterator[Any]:
    """What the outbox holds, by route; routes are as few as the settings name."""
    names = [str(row[0]) for row in rows]
    waiting = {str(row[0]): int(row[1]) for row in rows}
    failed = {str(row[0]): max(0, int(row[2])) for row in rows}
    yield _gauge("twohand_alerts_waiting", "Messages that no route has taken yet.", {"route": (names, waiting)})
    yield _gauge(
        "twohand_alerts_failed_attempts", "Tries that failed, of messages kept (30 days).", {"route": (names, failed)}
    )
    oldest = max((age(str(row[3]), at) for row in rows), default=0)
    yield _plain("twohand_alert_oldest_waiting_seconds", "Age of the oldest message that waits; 0 without any.", oldest)


Labelled = dict[str, tuple["Sequence[str]", "Mapping[str, int]"]]


def _gauge(name: str, doc: str, labelled: Labelled) -> Any:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    [(label, (known, counts))] = labelled.items()
    family = GaugeMetricFamily(name, doc, labels=[label])
    for value in known:
        family.add_metric([value], counts.get(value, 0))
    return family


def _counter(name: str, doc: str, labelled: Labelled) -> Any:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

    [(label, (known, counts))] = labelled.items()
    family = CounterMetricFamily(name, doc, labels=[label])
    for value in known:
        family.add_metric([value], counts.get(value, 0))
    return family


def _plain(name: str, doc: str, value: float) -> Any:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    return GaugeMetricFamily(name, doc, value=value)


def _histogram(name: str, doc: str, seconds: Sequence[int]) -> Any:
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415

    counts = [0] * (len(BUCKETS) + 1)
    for span in seconds:
        counts[bisect_left(BUCKETS, span)] += 1
    rows, total = [], 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        rows.append((bound, total))
    return HistogramMetricFamily(name, doc, buckets=rows, sum_value=sum(seconds))

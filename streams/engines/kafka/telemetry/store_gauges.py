"""What the case store holds that nobody has taken yet, as Prometheus reads it; asked for when somebody scrapes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE: Final = 2  # seconds
_ASKED: Final = """select count(*), coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::float8,
    (select count(*) from letter where settled = '') from outbox"""
_GAUGES: Final = (
    ("twohand_store_outbox_records", "Records that no broker has acknowledged yet."),
    ("twohand_store_outbox_oldest_seconds", "Age of the oldest of them; 0 without any."),
    ("twohand_store_dead_letters", "Dead letters that block a change."),
)


def families(url: str) -> Iterator[Any]:
    """Whether the store answers, and what it says then."""
    yield from shown(_asked(url))


def shown(row: Sequence[float]) -> Iterator[Any]:
    """These numbers, in the order of the table above; none where the store does not answer."""
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - only where somebody scrapes

    yield GaugeMetricFamily("twohand_store_up", "Whether the case store answers.", value=float(bool(row)))
    for (name, doc), value in zip(_GAUGES, row, strict=bool(row)):
        yield GaugeMetricFamily(name, doc, value=max(value, 0.0))


def _asked(url: str) -> tuple[float, ...]:
    """The numbers, on a connection of its own: a worker's is busy. Empty where the store does not answer."""
    import psycopg  # noqa: PLC0415 - an optional package

    options = f"-c statement_timeout={PATIENCE * 1000} -c default_transaction_read_only=on"
    try:
        with closing(psycopg.connect(url, connect_timeout=PATIENCE, options=options, autocommit=True)) as database:
            return tuple(map(float, database.execute(_ASKED).fetchall()[0]))
    except psycopg.Error:
        return ()

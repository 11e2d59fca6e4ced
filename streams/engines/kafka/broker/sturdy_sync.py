"""The same as streams.engines.kafka.broker.sturdy for kafka-python: a record that it cannot read reaches us as one that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka.record import default_records
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

from streams.engines.kafka.records.unpacking import bound, lost_to

if TYPE_CHECKING:
    from collections.abc import Iterator


def install() -> None:
    """For every consumer of this process; again changes nothing."""
    bound(default_records)
    DefaultRecordBatch.__iter__ = _records


def _records(batch: Any) -> Iterator[Any]:
    """The records of a batch; one that stands for the rest, at its last offset, where they cannot be read."""
    try:
        batch._maybe_uncompress()  # noqa: SLF001 - it has no other door
        while batch._next_record_index < batch.records_count:  # noqa: SLF001
            yield next(batch)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next batch is somebody else's
        when, last = batch.max_timestamp, batch.last_offset
        yield DefaultRecord(0, last, when, batch.timestamp_type, None, None, [lost_to(error)])

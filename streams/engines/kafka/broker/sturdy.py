"""Records that a client cannot read reach us all the same, so that one of them does not stop a partition for ever.

A broker takes what is no text as a header's name, and a batch that unpacks to gigabytes: aiokafka then fails on the same offset
again and again, or fills the memory. Whoever may write to a topic could so hold up every worker. `install` makes its consumer
hand over a record without key and value instead, which `wire.sealed` refuses by name, and go on behind the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record import default_records
from aiokafka.structs import ConsumerRecord

from streams.engines.kafka.records.unpacking import bound, lost_to

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNPACK: Final = fetcher.PartitionRecords._unpack_records  # noqa: SLF001 - it has no other door


def install() -> None:
    """For every consumer of this process, Faust's too; again changes nothing."""
    fetcher.PartitionRecords._unpack_records = _unpack  # noqa: SLF001
    for module in (default_records, _compiled()):
        bound(module)


class _Remembering:
    """Batches of a fetch, and the last of them: the one that is being read."""

    def __init__(self, records: Any) -> None:
        self._records, self.has_next, self.last = records, records.has_next, None

    def next_batch(self) -> Any:
        self.last = self._records.next_batch()
        return self.last


def _unpack(records: Any) -> Iterator[Any]:
    """What aiokafka yields; for a batch that it cannot read, one record that says so, at the first offset that is lost."""
    records._records = seen = _Remembering(records._records)  # noqa: SLF001
    while True:
        try:
            yield from _UNPACK(records)
        except CorruptRecordException:
            raise  # damaged on its way: it is fetched anew
        except Exception as error:  # whatever it is, the next batch is somebody else's
            batch, place = seen.last, records._tp  # noqa: SLF001
            if batch is None:
                raise
            lost = max(records.next_fetch_offset, batch.base_offset)
            records.next_fetch_offset = max(lost + 1, batch.next_offset)
            headers = (lost_to(error),)
            yield ConsumerRecord(place.topic, place.partition, lost, 0, 0, None, None, None, -1, -1, headers)
        else:
            return


def _compiled() -> Any:
    """aiokafka's own extension module where it is in use, which has names of its own."""
    from aiokafka.record import _crecords  # noqa: PLC0415

    return getattr(_crecords, "default_records", default_records)

"""A change as its source publishes it: what only the repository shows, the statements about it, then the proposal itself."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from rules.decision import RULES
from rules.events import ChangeProposed, Event, ReviewGiven
from streams import evidence
from streams.desk import MOST_FILES
from streams.engines.kafka.broker import connection
from streams.engines.kafka.cases.decider import SOURCE, beside
from streams.engines.kafka.cases.store import UNNAMED
from streams.engines.kafka.records.attached import attached
from streams.engines.kafka.records.contents import bounded
from streams.engines.kafka.records.topics import MAX_REQUEST
from streams.engines.kafka.records.trace import of_environment
from streams.engines.kafka.records.wire import Record, encode
from streams.sources.change import read_blobs
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kafka import KafkaProducer

    from streams.desk import Asked, Desk, Reading
    from streams.engines.kafka.records.trace import Trace
    from streams.settings import Settings

HURRY: Final = {
    "bootstrap_timeout_ms": 3000, "max_block_ms": 2000, "request_timeout_ms": 2000, "delivery_timeout_ms": 6000,
}  # fmt: skip
PATIENCE: Final = 8.0  # seconds for one acknowledgement; a send that timed out may still arrive, under the same id


class Submission(NamedTuple):
    """What is published: `before` has to be acknowledged when `proposal` is sent, or a decision could overtake it."""

    proposed: ChangeProposed
    before: tuple[Record, ...]
    proposal: Record
    trace: Trace = ()  # that of CI, or a new one


class NotPublished(SourceError):
    """The broker did not take everything. Saying it again is harmless: ids are digests (law 42)."""

    exit_code = 3


def submission(desk: Desk, reading: Reading, asked: Asked) -> Submission:
    """Everything that this repository knows of a change, recorded in its journal first."""
    events = desk.events(reading, asked, desk.memory(write=True), keep=True)
    desk.journal.append(events)
    spoken = [spoken_of(event) for event in events[1:]]
    proposed = _proposal(events[0], spoken)
    files = [] if len(reading.read.files) > MOST_FILES else reading.read.files
    sides = (
        side
        for row in read_blobs(desk.repo, files)
        for side in ((row.file.old_blob, row.old), (row.file.new_blob, row.new))
    )
    contents = {name: data for name, data in sides if data is not None}
    messages = (commit.message for commit in evidence.parsed(reading.read))
    proposed, packed = bounded(proposed, contents | attached(spoken, messages))
    source = quote(proposed.repository, safe="/:@") or UNNAMED
    trace = of_environment(os.environ)
    before = tuple(encode(event, source, trace=trace) for event in spoken)
    return Submission(proposed, before, encode(proposed, source, packed=packed, trace=trace), trace)


def _proposal(event: Event, spoken: Iterable[Event]) -> ChangeProposed:
    assert isinstance(event, ChangeProposed)
    return replace(event, read_from=(*event.read_from, beside(spoken)))


def spoken_of(event: Event) -> Event:
    """What the rules saw here is the source's word: the worker looks for itself, and lacks messages and history."""
    if isinstance(event, ReviewGiven) and event.reviewer == RULES and not event.statement:
        return replace(event, reviewer=SOURCE)
    return event


def publish(settings: Settings, one: Submission) -> None:
    """Send all, in order, each acknowledged. NotPublished where a broker that answers does not take it."""
    connection.reach(settings)
    with opened(settings) as producer:
        acknowledged(producer, one.before)
        acknowledged(producer, [one.proposal])


@contextmanager
def opened(settings: Settings) -> Iterator[KafkaProducer]:
    """A producer that gives up soon. BrokerUnusable for what credentials and rights refuse, NotPublished for the rest."""
    with connection.explained(settings, lambda error: _not_published(settings, error)):
        from kafka import KafkaProducer  # noqa: PLC0415 - an optional package, and slow

        options: dict[str, Any] = {**HURRY, **connection.options(settings)}
        producer = KafkaProducer(acks="all", compression_type="zstd", max_request_size=MAX_REQUEST, **options)
        try:
            yield producer
        finally:
            producer.close(timeout=1)


def _not_published(settings: Settings, error: Exception) -> NotPublished:
    why = str(error) or type(error).__name__
    return NotPublished(
        f"{settings.bootstrap} did not take all of it: {why}.", "Run it again: what arrived twice counts once."
    )


def acknowledged(producer: KafkaProducer, records: Iterable[Record]) -> None:
    """Send records and wait for each. Errors: those of kafka-python."""
    sent: Sequence[Any] = [
        producer.send(one.topic, one.value, key=one.key, headers=list(one.headers)) for one in records
    ]
    producer.flush(timeout=PATIENCE)
    for future in sent:
        future.get(timeout=PATIENCE)

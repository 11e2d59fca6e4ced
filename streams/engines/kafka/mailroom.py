"""Dead letters on the broker: read, handed in again, or dropped by a person (DESIGN 10)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from streams.engines.kafka import connection
from streams.engines.kafka.dead_letters import DROPPED, RETRIED, DeadLetter, Settlement, name_of, settle, still_open
from streams.engines.kafka.dropping import words
from streams.engines.kafka.gating import partitions, polled, reading
from streams.engines.kafka.submitting import PATIENCE, acknowledged, opened
from streams.engines.kafka.topics import BY_NAME, DEAD_LETTERS
from streams.sources import signatures
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engines.kafka.wire import Record
    from streams.settings import Settings

HANDLED: Final = 30.0  # seconds that a worker has for a letter that is handed in again
STEP: Final = 0.2


class NoLetter(SourceError):
    """There is no such letter, or it cannot be done with what is asked."""


def letters(settings: Settings) -> dict[str, DeadLetter]:
    """The open letters by name, oldest first. BrokerUnusable where there is no broker."""
    return still_open(_records(settings))


def the_one(settings: Settings, name: str) -> DeadLetter:
    """The open letter of this name. NoLetter where there is none."""
    found = letters(settings)
    if name not in found:
        raise NoLetter(f"{name} is no open dead letter ({len(found)} are open).", "See: twohand dead-letters list")
    return found[name]


def retry(settings: Settings, letter: DeadLetter) -> None:
    """Hand the record in again as it came, and settle the letter once its worker has passed it.

    A worker that fails again has opened another letter by then, so the change is never free in between.
    """
    record = letter.record
    if record.topic not in BY_NAME or record.topic == DEAD_LETTERS:
        raise NoLetter(f"{name_of(letter)} comes from {record.topic!r}, which is no topic of ours.", "Drop it.")
    with opened(settings) as producer:
        headers = list(record.headers)
        sent = producer.send(record.topic, record.value, key=record.key, headers=headers, partition=letter.partition)
        told = sent.get(timeout=PATIENCE)
        _passed(settings, letter, told.partition, told.offset)
        acknowledged(producer, [settle(record.key, Settlement(name_of(letter), RETRIED))])


def drop(
    settings: Settings, letter: DeadLetter, by: str, reason: str, signing: tuple[signatures.KeyChoice, str]
) -> None:
    """Say, signed, that it shall never be handled. `signing` is the key and the instant. The decider judges who may."""
    key, time_of = signing
    text = words(name_of(letter), by, reason, time_of)
    armor = signatures.sign(text, key).decode("ascii", "replace")
    with opened(settings) as producer:
        settlement = Settlement(name_of(letter), DROPPED, reason, text.decode(), armor)
        acknowledged(producer, [settle(letter.record.key, settlement)])


def _passed(settings: Settings, letter: DeadLetter, partition: int, offset: int) -> None:
    from kafka import TopicPartition  # noqa: PLC0415 - an optional package, and slow

    place, deadline = TopicPartition(letter.record.topic, partition), time.monotonic() + HANDLED
    with connection.admin(settings) as admin:
        while time.monotonic() < deadline:
            found = admin.list_group_offsets([letter.by])[letter.by].get(place)
            if found is not None and found.offset > offset:
                return
            time.sleep(STEP)
    raise NoLetter(
        f"{letter.by} has not taken what was handed in again within {HANDLED:.0f} s; the letter stays open.",
        "Start the worker, then retry again: what arrives twice counts once.",
    )


def _records(settings: Settings) -> Iterator[Record]:
    from kafka import TopicPartition  # noqa: PLC0415

    with reading(settings) as consumer:
        places = [TopicPartition(DEAD_LETTERS, number) for number in partitions(consumer, settings, DEAD_LETTERS)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            yield from polled(consumer)

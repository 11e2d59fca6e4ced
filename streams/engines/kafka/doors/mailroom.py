"""Dead letters on the broker: read, handed in again, or dropped by a person (DESIGN 10)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from streams.engines.kafka.broker import connection
from streams.engines.kafka.broker.greeting import wrong
from streams.engines.kafka.doors.dropping import words
from streams.engines.kafka.doors.gating import partitions, polled, reading
from streams.engines.kafka.doors.submitting import PATIENCE, acknowledged, opened
from streams.engines.kafka.records.dead_letters import (
    DROPPED,
    RETRIED,
    DeadLetter,
    Settlement,
    bare,
    exhume,
    name_of,
    place_of,
    settle,
    settlement,
    still_open,
    theirs,
)
from streams.engines.kafka.records.topics import BY_NAME, DEAD_LETTERS
from streams.engines.kafka.records.wire import Unreadable
from streams.sources import signatures
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kafka import KafkaConsumer, TopicPartition

    from streams.engines.kafka.records.wire import Record
    from streams.settings import Settings

HANDLED: Final = 30.0  # seconds that a worker has for a letter that is handed in again
ACCEPTING: Final = 6.0  # seconds that the decider has to accept a drop
STEP: Final = 0.2
STALLED: Final = 15.0  # seconds without a record until a broker is given up
NAMED: Final = 5  # letters that an error names


class NoLetter(SourceError):
    """There is no such letter, or it cannot be done with what is asked."""


class NotHandled(SourceError):
    """Nobody did with the letter what was asked for."""

    exit_code = 1


def letters(settings: Settings, *, whole: str = "") -> dict[str, DeadLetter]:
    """The open letters by name, oldest first, without contents but of those that `whole` names. Errors: BrokerUnusable."""
    return still_open(record if named(_name(record), whole) else bare(record) for record in _records(settings))


def the_one(settings: Settings, asked: str) -> DeadLetter:
    """The open letter of this name, which may lack the worker where only one gave it up. NoLetter where there is none."""
    found = letters(settings, whole=asked)
    names = [asked] if asked in found else [name for name in found if named(name, asked)]
    if not names:
        raise NoLetter(f"{asked} is no open dead letter ({len(found)} are open).", "See: twohand dead-letters list")
    if len(names) > 1:
        said = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        raise NoLetter(f"{asked} may be {said}.", "Name one of them.")
    return found[names[0]]


def at_one_place(settings: Settings, asked: str) -> list[DeadLetter]:
    """The open letters about one record: of this name, or all that lie where `asked` says, as `topic:partition:offset`."""
    found = [letter for letter in letters(settings, whole=asked).values() if place_of(letter) == asked]
    return found if found and len({letter.record.key for letter in found}) == 1 else [the_one(settings, asked)]


def named(name: str, asked: str) -> bool:
    """Whether it is asked for: by its name, or by its beginning up to a colon."""
    return bool(asked) and (name == asked or name.startswith(f"{asked}:"))


def retry(settings: Settings, about: list[DeadLetter]) -> list[DeadLetter]:
    """Hand one record in again as it lies in its topic, and settle each letter about it once its worker has passed it.

    A worker that fails again has opened another letter by then, which is the answer: the change is never free in between.
    """
    (record, *_) = [_original(settings, letter) for letter in about]
    with opened(settings) as producer:
        headers = list(record.headers)
        sent = producer.send(record.topic, record.value, key=record.key, headers=headers, partition=about[0].partition)
        told = sent.get(timeout=PATIENCE)
        for letter in about:
            _passed(settings, letter, told.partition, told.offset)
            acknowledged(producer, [settle(record.key, Settlement(name_of(letter), RETRIED))])
    again = {name_of(letter._replace(partition=told.partition, offset=told.offset)) for letter in about}
    return [letter for name, letter in letters(settings).items() if name in again]


def drop(
    settings: Settings, letter: DeadLetter, by: str, reason: str, signing: tuple[signatures.KeyChoice, str]
) -> None:
    """Say, signed, that it shall never be handled. `signing` is the key and the instant.

    The decider judges who may; NotHandled where it has not accepted it in time.
    """
    name = name_of(letter)
    if not letter.change:
        raise NoLetter(f"{name} belongs to no change and blocks none.", "Leave it: it goes when its time is up.")
    key, time_of = signing
    text = words(name, by, reason, time_of)
    armor = signatures.sign(text, key).decode("ascii", "replace")
    with opened(settings) as producer:
        acknowledged(producer, [settle(letter.record.key, Settlement(name, DROPPED, reason, text.decode(), armor))])
    deadline = time.monotonic() + ACCEPTING
    while name in letters(settings):
        if time.monotonic() > deadline:
            raise NotHandled(
                f"The decider has not accepted that {by} drops {name}.",
                "It has to run, to know the change (`twohand submit` proposes it), to find the key in the policy as one of"
                f" an active person {by}, and no hand of theirs in the change. Its log says which.",
            )
        time.sleep(STEP)


def _original(settings: Settings, letter: DeadLetter) -> Record:
    """The record where the letter says that it lay. NoLetter where something else lies there.

    A right to write letters is no right to write what they claim to be: only what was there is handed in again.
    """
    topic, name = letter.record.topic, name_of(letter)
    if topic not in BY_NAME or topic == DEAD_LETTERS:
        raise NoLetter(f"{name} comes from {topic!r}, which is no topic of ours.", "Drop it.")
    with reading(settings) as consumer:
        place = _place(consumer, settings, letter)
        found = _at(consumer, place, letter.offset) if place else None
    if found is None or theirs(found) != theirs(letter.record):
        raise NoLetter(
            f"What lies at record {letter.offset} of {topic}, partition {letter.partition}, is not what {name} holds.",
            "Its time was up, no client can read it, or the letter is forged: have it published anew, then drop the letter.",
        )
    return found


def _place(consumer: KafkaConsumer, settings: Settings, letter: DeadLetter) -> TopicPartition | None:
    from kafka import TopicPartition  # noqa: PLC0415 - an optional package, and slow

    place = TopicPartition(letter.record.topic, letter.partition)
    if letter.partition not in partitions(consumer, settings, letter.record.topic):
        return None
    consumer.assign([place])
    within = consumer.beginning_offsets([place])[place] <= letter.offset < consumer.end_offsets([place])[place]
    return place if within else None


def _at(consumer: KafkaConsumer, place: TopicPartition, offset: int) -> Record | None:
    """The record at this offset; None where the next one is another."""
    consumer.seek(place, offset)
    deadline = time.monotonic() + STALLED
    while time.monotonic() < deadline and consumer.position(place) == offset:
        for row in polled(consumer, exactly=offset):
            return row
    return None


def _passed(settings: Settings, letter: DeadLetter, partition: int, offset: int) -> None:
    from kafka import TopicPartition  # noqa: PLC0415

    place, deadline = TopicPartition(letter.record.topic, partition), time.monotonic() + HANDLED
    with connection.admin(settings) as admin:
        while time.monotonic() < deadline:
            found = admin.list_group_offsets([letter.by])[letter.by].get(place)
            if found is not None and found.offset > offset:
                return
            time.sleep(STEP)
    raise NotHandled(
        f"{letter.by} has not taken what was handed in again within {HANDLED:.0f} s; the letter stays open.",
        "Start the worker, then retry again: what arrives twice counts once.",
    )


def _records(settings: Settings) -> Iterator[Record]:
    """Everything in the topic up to now. BrokerUnusable where that stops in between."""
    from kafka import TopicPartition  # noqa: PLC0415

    with reading(settings) as consumer:
        places = [TopicPartition(DEAD_LETTERS, number) for number in partitions(consumer, settings, DEAD_LETTERS)]
        consumer.assign(places)
        ends, heard = consumer.end_offsets(places), time.monotonic()
        while _behind(consumer, ends):
            for record in polled(consumer):
                heard = time.monotonic()
                yield record
            if time.monotonic() - heard > STALLED:
                raise wrong(settings, f"{settings.bootstrap} stopped answering", "Try again")


def _behind(consumer: KafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return any(consumer.position(place) < end for place, end in ends.items())


def _name(record: Record) -> str:
    """The name of the letter that a record is; "" where it is none."""
    try:
        return "" if settlement(record) else name_of(exhume(record))
    except Unreadable:
        return ""

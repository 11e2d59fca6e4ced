"""Waiting for the decision about exactly the content that somebody has in hand (law 7)."""

from __future__ import annotations

import json
import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules.decision import PENDING
from rules.events import DecisionMade, ReviewGiven
from streams.engines.kafka import connection
from streams.engines.kafka.wire import Record, Unreadable, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kafka import KafkaConsumer, TopicPartition

    from streams.settings import Settings

BACK: Final = (
    24 * 3600
)  # seconds that decisions are looked for in the past; an older one is told again when it is asked for
DECISIONS, REVIEWS = "twohand.decisions", "twohand.reviews"
STEP_MS: Final = 200


class Sought(NamedTuple):
    """What a decision has to be about."""

    change: str
    repository: str
    target: str
    content_key: str


class Watch:
    """What the topics say about one change, in order. `moved`: the newest decision is about another content."""

    def __init__(self, sought: Sought) -> None:
        self.sought = sought
        self.decision: dict[str, Any] | None = None
        self.judged: dict[str, None] = {}
        self.moved = ""

    def hear(self, record: Record) -> None:
        """Take a record; what cannot be read, or is about something else, tells nothing."""
        if record.key != self.sought.change.encode():
            return
        try:
            event = decode(record)
        except Unreadable:
            return
        if isinstance(event, ReviewGiven) and event.content_key == self.sought.content_key:
            self.judged[event.reviewer] = None
        if isinstance(event, DecisionMade):
            self._decided(event)

    def _decided(self, event: DecisionMade) -> None:
        decision = json.loads(event.decision)
        about = decision["change"]
        found = Sought(event.change, about["repository"], about["target"], about["content_key"])
        same = found == self.sought and event.content_key == self.sought.content_key
        self.decision, self.moved = (decision, "") if same else (None, about["head"])

    @property
    def outcome(self) -> str:
        """The outcome that stands; "" for none."""
        return str(self.decision["outcome"]) if self.decision else ""

    def progress(self) -> str:
        """Who has judged, and who is awaited."""
        who = f"judged by {', '.join(self.judged)}" if self.judged else "nobody has judged yet"
        if self.decision:
            rows = self.decision["requirements"]
            asked = dict.fromkeys(name for row in rows if row["state"] == "unmet" for name in row["waiting_for"])
            return f"{self.outcome}; {who}" + (f"; awaited: {', '.join(asked)}" if asked else "")
        if self.moved:
            return f"{who}; the newest decision is about head {self.moved[:12]}"
        return who


def wait(settings: Settings, sought: Sought, *, seconds: float, tell: Callable[[str], None]) -> Watch:
    """Until a decision stands that is not pending, or the time is up. BrokerUnusable where there is no broker."""
    connection.reach(settings)
    watch, deadline = Watch(sought), time.monotonic() + seconds
    with closing(consumer_of(settings)) as consumer:
        ends = _from_yesterday(consumer, sought.change)
        while True:
            for record in polled(consumer):
                watch.hear(record)
            behind = any(consumer.position(place) < end for place, end in ends.items())
            tell(watch.progress())
            if (not behind and watch.outcome not in ("", PENDING)) or time.monotonic() > deadline:
                return watch


def consumer_of(settings: Settings) -> KafkaConsumer:
    """A consumer of no group, from the beginning."""
    from kafka import KafkaConsumer  # noqa: PLC0415 - an optional package, and slow

    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    options: dict[str, Any] = {"bootstrap_timeout_ms": 3000, **connection.options(settings)}
    return KafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **options)


def _from_yesterday(consumer: KafkaConsumer, change: str) -> dict[TopicPartition, int]:
    """Read the change's partitions from BACK seconds ago on; where they end now."""
    from kafka import TopicPartition  # noqa: PLC0415

    places = [
        TopicPartition(topic, partition_of(change, len(consumer.partitions_for_topic(topic) or ())))
        for topic in (DECISIONS, REVIEWS)
    ]
    consumer.assign(places)
    ends: dict[TopicPartition, int] = consumer.end_offsets(places)
    since = int(time.time() - BACK) * 1000
    for place, found in consumer.offsets_for_times(dict.fromkeys(places, since)).items():
        consumer.seek(place, found.offset if found else ends[place])
    return ends


def partition_of(change: str, count: int) -> int:
    """Where every client of ours puts this key."""
    from kafka.partitioner.default import murmur2  # noqa: PLC0415

    return int(murmur2(change.encode()) & 0x7FFFFFFF) % max(count, 1)


def polled(consumer: KafkaConsumer) -> Iterator[Record]:
    """What came within a fifth of a second."""
    for rows in consumer.poll(STEP_MS).values():
        for row in rows:
            yield Record(row.topic, row.key, row.value, tuple(row.headers))

"""The carrier between a repository's journal and the topics: what was proposed and said goes out, decisions come back.

It resumes where it stopped: where it is stands in a file beside the journal, and is moved only after the broker's
acknowledgement. Nobody waits for it; a broker that is away costs freshness. The journal's own decisions stay here.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote

from rules.events import (
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    DecisionMade,
    Event,
    ReviewGiven,
    WaiverGranted,
    type_name,
)
from streams.engines.codec import TYPES, revive
from streams.engines.kafka import connection
from streams.engines.kafka.contents import bounded, wanted
from streams.engines.kafka.decider import beside
from streams.engines.kafka.gating import DECISIONS, consumer_of, polled
from streams.engines.kafka.store import UNNAMED
from streams.engines.kafka.submitting import acknowledged, opened, spoken_of
from streams.engines.kafka.wire import Record, Unreadable, decode, encode
from streams.sources.git import FILE_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    from streams.desk import Desk
    from streams.engines.journal import Journal

NAME: Final = "relay.db"
AT_ONCE: Final = 200  # rows of the journal that are looked at in one round
OUT: Final = "out"  # the cursor over the journal
CARRIED: Final = tuple(
    map(type_name, (ChangeProposed, ReviewGiven, WaiverGranted, ChangeMerged, ChangeWithdrawn))
)  # others are said by their own workers
TABLES: Final = """
create table if not exists cursor (name text primary key, value integer not null) strict;
create table if not exists decision (change text primary key, content_key text not null, outcome text not null,
    at text not null, decision text not null) strict;
"""


class Standing(NamedTuple):
    """The newest decision of the decider about a change, as it came back. `decision` is its JSON."""

    change: str
    content_key: str
    outcome: str
    at: str
    decision: str


class Beside:
    """The relay's own file beside the journal: cursors, and the decisions that came back."""

    def __init__(self, directory: Path) -> None:
        self._db = sqlite3.connect(directory / NAME, isolation_level=None, timeout=5)
        self._db.execute("pragma journal_mode = wal")
        self._db.executescript(TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def cursor(self, name: str) -> int | None:
        """Where this one goes on; None where it never was."""
        rows = self._db.execute("select value from cursor where name = ?", (name,)).fetchall()
        return int(rows[0][0]) if rows else None

    def move(self, name: str, value: int) -> None:
        self._db.execute("insert or replace into cursor values (?, ?)", (name, value))

    def keep(self, event: DecisionMade) -> None:
        """A newer decision replaces the one before."""
        row = (event.change, event.content_key, event.outcome, event.at, event.decision)
        self._db.execute("insert or replace into decision values (?, ?, ?, ?, ?)", row)

    def standing(self, change: str) -> Standing | None:
        """What the decider last said about a change."""
        rows = self._db.execute("select * from decision where change = ?", (change,)).fetchall()
        return Standing(*rows[0]) if rows else None


class Relay:
    """One repository. A round carries what there is; it may be broken off anywhere and begun again."""

    def __init__(self, desk: Desk, file: Beside) -> None:
        self._desk, self._file = desk, file

    def round(self) -> tuple[int, int]:
        """How many records went out, and how many decisions came back. Errors: BrokerUnusable, NotPublished."""
        connection.reach(self._desk.settings)
        return self._out(), self._back()

    # -- out ------------------------------------------------------------------------------------------------------

    def _out(self) -> int:
        count = 0
        while rows := self._rows():
            with opened(self._desk.settings) as producer:
                for offset, event in rows:
                    count += self._carried(producer, event) if event else 0
                    self._file.move(OUT, offset)
        return count

    def _rows(self) -> list[tuple[int, Event | None]]:
        asked = "select offset, type, at, body from log where offset > ? order by offset limit ?"
        found = self._journal.ask(asked, (self._file.cursor(OUT) or 0, AT_ONCE))
        return [
            (row[0], revive(TYPES[row[1]], json.loads(row[3]), row[2]) if row[1] in CARRIED else None) for row in found
        ]

    def _carried(self, producer: KafkaProducer, event: Event) -> int:
        """Publish one event, acknowledged; a proposal after all that was said about it here."""
        if not isinstance(event, ChangeProposed):
            acknowledged(producer, [encode(spoken_of(event), self._source(event.change))])
            return 1
        spoken = [spoken_of(one) for one in self._journal.events(event.change) if _concerns(one, event)]
        source = quote(event.repository, safe="/:@") or UNNAMED
        proposed = replace(event, read_from=(*event.read_from, beside(spoken)))
        proposed, packed = bounded(proposed, self._contents(proposed))
        acknowledged(producer, [encode(one, source) for one in spoken])
        acknowledged(producer, [encode(proposed, source, packed=packed)])
        return 1 + len(spoken)

    def _contents(self, proposed: ChangeProposed) -> dict[str, bytes]:
        """What the journal kept of a refused push, and what the repository has."""
        names = wanted(proposed)
        kept = {name: data for name in names if (data := self._journal.blob(name)) is not None}
        rest = [name for name in names if name not in kept]
        with self._desk.repo.cat_file() as objects:
            read = {item.id: item.data for item in objects.read(rest, FILE_LIMIT)}
        return kept | {name: data for name, data in read.items() if data is not None}

    def _source(self, change: str) -> str:
        proposals = (one for one in self._journal.events(change) if isinstance(one, ChangeProposed))
        return quote(next((one.repository for one in proposals), ""), safe="/:@") or UNNAMED

    # -- back -----------------------------------------------------------------------------------------------------

    def _back(self) -> int:
        with closing(consumer_of(self._desk.settings)) as consumer:
            ends = self._assigned(consumer)
            count = 0
            while any(consumer.position(place) < end for place, end in ends.items()):
                count += sum(map(self._heard, polled(consumer)))
            for place in ends:
                self._file.move(f"{DECISIONS}:{place.partition}", consumer.position(place))
        return count

    def _assigned(self, consumer: KafkaConsumer) -> dict[TopicPartition, int]:
        """All partitions of decisions, from where the last round ended; where they end now."""
        from kafka import TopicPartition  # noqa: PLC0415 - an optional package, and slow

        places = [TopicPartition(DECISIONS, number) for number in consumer.partitions_for_topic(DECISIONS) or ()]
        consumer.assign(places)
        first: dict[Any, int] = consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, max(self._file.cursor(f"{DECISIONS}:{place.partition}") or 0, first[place]))
        ends: dict[TopicPartition, int] = consumer.end_offsets(places)
        return ends

    def _heard(self, record: Record) -> bool:
        """Keep a decision about a change of this repository."""
        try:
            event = decode(record)
        except Unreadable:
            return False
        ours = isinstance(event, DecisionMade) and self._journal.ask(
            "select 1 from log where key = ? limit 1", (event.change,)
        )
        if isinstance(event, DecisionMade) and ours:
            self._file.keep(event)
        return bool(ours)

    @property
    def _journal(self) -> Journal:
        return self._desk.journal


def _concerns(event: Event, proposed: ChangeProposed) -> bool:
    """Statements about the change, and what was seen in exactly this content."""
    if isinstance(event, WaiverGranted):
        return True
    return isinstance(event, ReviewGiven) and (bool(event.statement) or event.content_key == proposed.content_key)

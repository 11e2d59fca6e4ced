"""The case store as timers read it: `streams.engines.book.Casebook` in the schema `escalator` of PostgreSQL (DESIGN 9, 10).

What the decider recorded is read and never written. What the escalator says is kept here, in the transaction that also
keeps its letters, until the broker has acknowledged it. Numbers of rows are not committed in their order, so what is new
comes from a queue that the decider fills in its own transactions, and not from a cursor.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import psycopg

from rules import instants
from rules.canonical import canonical
from rules.events import body, event_id, type_name
from streams import watch
from streams.engines.book import Fresh
from streams.engines.codec import TYPES, revive
from streams.engines.journal import topic_of
from streams.engines.kafka.cases.connection import StoreAway, StoreUnusable, connected
from streams.engines.kafka.cases.store import UNNAMED, Store
from streams.engines.kafka.records.trace import of_line
from streams.engines.kafka.records.wire import Record, encode
from streams.news import OWN_TYPES, STALE, mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rules.events import Event
    from streams.engines.book import Database, Rows
    from streams.engines.kafka.cases.connection import Database as Connection

SCHEMA: Final = 'escalator,"$user",public'
ALONE: Final = 7_230_847  # the advisory lock of whoever writes here; any number nobody else uses
TOPIC: Final = "twohand.escalations"
EACH: Final = 20  # rows of the queue that are read for one change, on average
AT_ONCE: Final = 500  # events that are published at once
BEGUN: Final = "begun"  # the mark of the first look
TOO_MUCH: Final = psycopg.errors.ProgramLimitExceeded  # text that no index holds: an OperationalError that never passes


class Unsent(NamedTuple):
    """What was said and the broker has not acknowledged."""

    id: str
    record: Record


class Casebook:
    """One connection, made when it is needed and made again after it broke. Not for several threads at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._db: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Errors: StoreAway where nobody answers, StoreUnfit where its tables are those of another release."""
        with Store(self._url) as store:
            store.check()

    def close(self) -> None:
        """Disconnect; the next question connects again."""
        if self._db:
            self._db.close()
        self._db = None

    # -- the record -----------------------------------------------------------------------------------------------

    def ask(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question."""
        with self._connection() as db:
            return db.execute(_native(query), values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Whole or not at all, one after the other: a second escalator waits."""
        with self._connection() as db, db.transaction():
            db.execute("select pg_advisory_xact_lock(%s)", (ALONE,))
            yield _Hand(db)

    def append(self, events: Iterable[Event]) -> int:
        """Say what was not said yet; how much was new."""
        with self.transaction() as db:
            return self.append_in(db, events)

    def append_in(self, db: Database, events: Iterable[Event]) -> int:
        """The same inside of a transaction. Nothing is decided here: only what `twohand.escalations` carries can be said."""
        return sum(self._say(db, event) for event in events)

    def _say(self, db: Database, event: Event) -> bool:
        kind = type_name(type(event))
        if topic_of(type(event)) != TOPIC:
            raise ValueError(f"the escalator does not say {kind}")
        name = event_id(event)
        asked = (
            "insert into said (id, change, type, at, body) select ?, ?, ?, ?, ?"
            " where not exists (select 1 from log where event_id = ?) on conflict do nothing"
        )
        new = db.execute(asked, (name, event.change, kind, event.at, canonical(body(event)).decode(), name)).rowcount
        if new and kind not in OWN_TYPES:
            db.execute("insert into news (change, at) values (?, ?)", (event.change, event.at))
        return new > 0

    def events(self, change: str) -> Iterator[Event]:
        """What the decider recorded of a change, and what was said here."""
        for kind, at, text in self.ask('select type, at, body from log where key = ? order by "offset"', (change,)):
            yield revive(TYPES[kind], json.loads(text), at)

    def changes_with(self, content_key: str) -> list[str]:
        """The changes that were ever proposed with this content."""
        return [row[0] for row in self.ask("select change from content where content_key = ?", (content_key,))]

    # -- news -----------------------------------------------------------------------------------------------------

    def fresh(self, now: int, most: int) -> Fresh:
        """The oldest rows of the queue. Before the first look of all, what is older than STALE seconds is taken out."""
        if not self.ask("select 1 from mark where name = ?", (BEGUN,)):
            self._begin(instants.text_of(now - STALE))
        rows = self.ask("select number, change from news order by number limit ?", (most * EACH,))
        changes: dict[str, None] = {}
        places = []
        for number, change in rows:
            if change in changes or len(changes) < most:
                changes[change] = None
                places.append(number)
        return Fresh(tuple(changes), tuple(places))

    def looked(self, db: Database, fresh: Fresh) -> None:
        """Take these rows from the queue: others that came meanwhile stay."""
        db.execute("delete from news where number = any(?)", (list(fresh.places),))

    def _begin(self, old: str) -> None:
        with self.transaction() as db:
            db.execute("delete from news where at < ?", (old,))
            mark(db, BEGUN, 1)

    def waits(self, db: Database, change: str) -> bool:
        """Whether something about a change is in the queue."""
        return db.execute("select 1 from news where change = ? limit 1", (change,)).fetchone() is not None

    def decide(self, change: str, at: str) -> None:
        """The decider does."""

    def late(self, change: watch.Change, due: int, at: str) -> None:
        """Say so; the decider decides."""
        self.append([watch.late(change, due, at)])

    # -- publishing -----------------------------------------------------------------------------------------------

    def unsent(self) -> list[Unsent]:
        """What has to be published, in the order in which it was said."""
        asked = (
            "select said.id, said.type, said.at, said.body, change.source, coalesce(change.trace, '')"
            " from said left join change on change.id = said.change where not sent order by number limit ?"
        )
        rows = self.ask(asked, (AT_ONCE,))
        return [
            Unsent(name, encode(revive(TYPES[kind], json.loads(text), at), source or UNNAMED, trace=of_line(trace)))
            for name, kind, at, text, source, trace in rows
        ]

    def sent(self, rows: Sequence[Unsent]) -> None:
        """The broker has acknowledged these."""
        with self._connection() as db:
            db.execute("update said set sent = true where id = any(%s)", ([row.id for row in rows],))

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """One that broke is not used again."""
        try:
            if self._db is None:
                self._db = connected(self._url, SCHEMA)
            with _explained():
                yield self._db
        except StoreAway:
            self.close()
            raise


class _Hand:
    """streams.engines.book.Database over psycopg."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def execute(self, query: str, values: Sequence[object] = (), /) -> Rows:
        with _explained():
            return self._db.execute(_native(query), values)

    def executemany(self, query: str, rows: Iterable[Sequence[object]], /) -> None:
        if values := list(rows):
            with _explained(), self._db.cursor() as cursor:
                cursor.executemany(_native(query), values)


@contextmanager
def _explained() -> Iterator[None]:
    """StoreAway for what passes, StoreUnusable for what was asked wrongly."""
    try:
        yield
    except psycopg.Error as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        passing = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        kind = StoreAway if passing and not isinstance(error, TOO_MUCH) else StoreUnusable
        raise kind(f"The case store does not do it: {why}.", "`twohand store check` looks at it.") from error


def _native(query: str) -> bytes:
    """The same question with psycopg's marks; no question of ours has a percent sign or a question mark elsewhere."""
    return query.replace("?", "%s").encode()

"""What timers, letters and answers need of a record: the journal's file, or the case store of the Kafka engine.

Both are asked in the same SQL: `?` for a value, `"offset"` in quotes, `on conflict` for what is there already. The table `log`
has one row for each event; the other tables are those of streams.engines.outbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from rules.events import Event
    from streams.watch import Change


class BookAway(SourceError):
    """The record cannot be reached now. Nothing of it was lost, and nothing in it is at fault."""

    exit_code = 3


class Rows(Protocol):
    """What a question gave."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """One open transaction."""

    def execute(self, query: str, values: Sequence[object] = (), /) -> Rows: ...

    def executemany(self, query: str, rows: Iterable[Sequence[object]], /) -> object: ...


class Book(Protocol):
    """A record of events with the tables that timers keep beside it. `ask` and `append_in` work inside of a transaction, too."""

    def ask(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]: ...

    def transaction(self) -> AbstractContextManager[Database]:
        """Whole or not at all; two processes wait for each other."""

    def append(self, events: Iterable[Event]) -> int:
        """Record events that are not there yet, in one transaction; how many were new."""

    def append_in(self, db: Any, events: Iterable[Event]) -> int:
        """The same inside of a transaction."""

    def events(self, change: str) -> Iterator[Event]:
        """The events of one change, in order."""

    def changes_with(self, content_key: str) -> list[str]:
        """The changes that ever had this content."""


class Fresh(NamedTuple):
    """Changes of which something was recorded since the last look. `places` say how far this look goes; empty: nowhere."""

    changes: tuple[str, ...]
    places: tuple[int, ...]


class News(Protocol):
    """What is new in a record, and what follows from it beside questions to people."""

    def fresh(self, now: int, most: int) -> Fresh:
        """At most so many changes."""

    def looked(self, db: Database, fresh: Fresh) -> None:
        """All of it was looked at, in this transaction."""

    def waits(self, db: Database, change: str) -> bool:
        """Whether something was recorded of a change that nobody looked at yet."""

    def decide(self, change: str, at: str) -> None:
        """See to the decision that newer evidence asks for."""

    def late(self, change: Change, due: int, at: str) -> None:
        """Record that nobody who was awaited answered in time (law 39)."""


class Casebook(Book, News, Protocol):
    """A record that tells by itself what is new."""

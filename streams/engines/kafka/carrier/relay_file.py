"""The relay's own file beside the journal: where it stands in either direction, and what the decider last said.

SQLite, and nothing of Kafka: pre-receive reads it. It can be thrown away: a new relay begins from the start, and what it
carries twice counts once.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote

from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rules.events import DecisionMade

NAME: Final = "relay.db"
LOCK: Final = "relay.lock"
FORMAT: Final = 1
PATIENCE: Final = 5.0  # seconds that a locked file is waited for
TABLES: Final = """
drop table if exists cursor; drop table if exists decision;
create table cursor (name text primary key, value integer not null) strict;
create table decision (change text primary key, place integer not null, content_key text not null, outcome text not null,
    at text not null, decision text not null) strict;
create table judged (change text not null, content_key text not null, reviewer text not null,
    primary key (change, content_key, reviewer)) strict, without rowid;
create table proposed (change text primary key, id text not null) strict, without rowid;
create table came (id text primary key) strict, without rowid;
create table ahead (place integer primary key) strict;
create table left_out (place integer primary key, change text not null, why text not null) strict;
create table mark (name text primary key, value text not null) strict;
"""
WHOLE: Final = "whole"  # the mark of the last round that reached the end


class RelayUnusable(SourceError):
    """The relay's file cannot be used; nothing that it holds is believed. `busy`: only now, somebody holds it."""

    exit_code = 3

    def __init__(self, message: str, remedy: str, *, busy: bool = False) -> None:
        super().__init__(message, remedy)
        self.busy = busy


class RelayRuns(SourceError):
    """Another process carries for this repository already."""


class Standing(NamedTuple):
    """The newest decision of the decider about a change, as it came back. `decision` is its JSON."""

    change: str
    content_key: str
    outcome: str
    at: str
    decision: str


class Told(NamedTuple):
    """A decision that came, with the offset at which it stands in its partition."""

    place: int
    event: DecisionMade


class Beside:
    """One open file. RelayUnusable wherever it cannot be read or written."""

    def __init__(self, directory: Path, *, writable: bool = True) -> None:
        """Make or open it; one that is only read has to be there."""
        self.path = directory / NAME
        with self._working():
            self._db = self._opened() if writable else self._read_only()
            if (found := self._version()) != FORMAT:
                raise self._of_another(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self.path, isolation_level=None, timeout=PATIENCE)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")  # what a power cut takes back is carried again
        if self._version() == 0:
            self._db.executescript(f"begin immediate; {TABLES} pragma user_version = {FORMAT}; commit;")
        return self._db

    def _read_only(self) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=ro", uri=True, isolation_level=None, timeout=PATIENCE
        )

    def _version(self) -> int:
        return int(self._db.execute("pragma user_version").fetchone()[0])

    def _of_another(self, found: int) -> RelayUnusable:
        if found == 0:
            return RelayUnusable(f"{self.path} is just being made.", "Try again in a moment.", busy=True)
        return RelayUnusable(
            f"{self.path} has format {found}, this twohand knows {FORMAT}.",
            "Upgrade twohand here; the relay and the hook have to be of one version.",
        )

    @contextmanager
    def _working(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise _unusable(self.path, error) from error

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._working():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is there whole or not at all."""
        with self._working():
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            finally:
                if self._db.in_transaction:
                    self._db.execute("rollback")

    # -- where it stands ------------------------------------------------------------------------------------------

    def cursor(self, name: str) -> int | None:
        """Where this one goes on; None where it never was."""
        rows = self._rows("select value from cursor where name = ?", name)
        return int(str(rows[0][0])) if rows else None

    def move(self, name: str, value: int) -> None:
        self._rows("insert or replace into cursor values (?, ?)", name, value)

    def whole(self) -> str:
        """When a round last carried everything that there was, both ways; "" where none ever did."""
        rows = self._rows("select value from mark where name = ?", WHOLE)
        return str(rows[0][0]) if rows else ""

    def reached(self, at: str) -> None:
        """A round ended at this instant with nothing left; "" begins one that is far behind, until it ends."""
        self._rows("insert or replace into mark values (?, ?)", WHOLE, at)

    # -- out ------------------------------------------------------------------------------------------------------

    def proposed(self, change: str) -> str:
        """The event id, in the journal, of the proposal that was carried last for a change; "" for none."""
        rows = self._rows("select id from proposed where change = ?", change)
        return str(rows[0][0]) if rows else ""

    def propose(self, change: str, event_id: str) -> None:
        self._rows("insert or replace into proposed values (?, ?)", change, event_id)

    def early(self, place: int) -> None:
        """This row of the journal went out before its turn."""
        self._rows("insert or ignore into ahead values (?)", place)

    def went(self, place: int) -> bool:
        """Whether this row went out before its turn."""
        return bool(self._rows("select 1 from ahead where place = ?", place))

    def last(self, name: str) -> str:
        """The event id of the row that was passed last; "" where nobody noted it."""
        rows = self._rows("select value from mark where name = ?", name)
        return str(rows[0][0]) if rows else ""

    def passed(self, name: str, place: int, event_id: str) -> None:
        """Everything up to this row is done with."""
        with self.transaction():
            self.move(name, place)
            self._rows("insert or replace into mark values (?, ?)", name, event_id)
            self._rows("delete from ahead where place <= ?", place)

    def leave_out(self, place: int, change: str, why: str) -> bool:
        """This row can never be carried; whether that is new."""
        return bool(
            self._rows("insert or ignore into left_out values (?, ?, ?) returning place", place, change, why[:500])
        )

    def left_out_at(self, place: int) -> bool:
        """Whether this row can never be carried."""
        return bool(self._rows("select 1 from left_out where place = ?", place))

    def left_out(self, change: str) -> list[str]:
        """Why rows about a change were never carried."""
        return [str(row[0]) for row in self._rows("select why from left_out where change = ? order by place", change)]

    def rewind(self, name: str) -> None:
        """Begin from the start: the journal is another than it was."""
        with self.transaction():
            self._db.execute("delete from cursor where name = ?", (name,))
            for table in ("ahead", "left_out", "proposed"):
                self._db.execute(f"delete from {table}")  # noqa: S608 - three names of ours

    def lost(self) -> list[str]:
        """Everything that can never be carried."""
        rows = self._rows("select place, change, why from left_out order by place")
        return [f"row {place}, change {str(change)[:12]}: {why}" for place, change, why in rows]

    # -- back -----------------------------------------------------------------------------------------------------

    def come(self, ids: Iterable[str]) -> None:
        """These events came from the topics: they never go out again."""
        with self.transaction():
            self._db.executemany("insert or ignore into came values (?)", [(name,) for name in ids])

    def came(self, event_id: str) -> bool:
        return bool(self._rows("select 1 from came where id = ?", event_id))

    def hear(self, judged: Iterable[tuple[str, str, str]], told: Iterable[Told], cursors: Mapping[str, int]) -> None:
        """Who has judged which content, what was decided, and how far that was read: all at once.

        A decision gives way to none that was told before it.
        """
        with self.transaction():
            self._db.executemany("insert or ignore into judged values (?, ?, ?)", judged)
            rows = [(e.change, place, e.content_key, e.outcome, e.at, e.decision) for place, e in told]
            self._db.executemany(
                "insert into decision values (?, ?, ?, ?, ?, ?) on conflict (change) do update set place = excluded.place,"
                " content_key = excluded.content_key, outcome = excluded.outcome, at = excluded.at,"
                " decision = excluded.decision where excluded.place >= decision.place",
                rows,
            )
            self._db.executemany("insert or replace into cursor values (?, ?)", cursors.items())

    def anew(self, names: Iterable[str]) -> None:
        """These partitions were made anew: they are read from the start, and what they told before has no place any more."""
        with self.transaction():
            self._db.executemany("delete from cursor where name = ?", [(name,) for name in names])
            self._db.execute("update decision set place = -1")

    def standing(self, change: str) -> Standing | None:
        """What the decider last said about a change."""
        asked = "select change, content_key, outcome, at, decision from decision where change = ?"
        rows = self._rows(asked, change)
        return Standing(*map(str, rows[0])) if rows else None

    def judged(self, change: str, content_key: str) -> tuple[str, ...]:
        """Who has judged this content, as the topics tell."""
        asked = "select reviewer from judged where change = ? and content_key = ? order by reviewer"
        return tuple(str(row[0]) for row in self._rows(asked, change, content_key))


def _unusable(path: Path, error: Exception) -> RelayUnusable:
    if "locked" in str(error):
        said = f"{path} is locked by another process for more than {PATIENCE:.0f} seconds."
        return RelayUnusable(said, "Look for a hanging twohand or a backup that holds it, then try again.", busy=True)
    here = quote(str(path))
    return RelayUnusable(
        f"{path} cannot be used: {error}.",
        f"Stop the relay, move it away (`mv {here} {here}.old`) and start it again: it begins from the start, and what it"
        " carries twice counts once.",
    )


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Carry for this repository, as the only process. RelayRuns where another one does."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / LOCK
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _runs(path, os.read(held, 100)) from None
        os.ftruncate(held, 0)
        os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(held)


def _runs(path: Path, said: bytes) -> RelayRuns:
    number = said.decode("ascii", "replace").strip()
    who = f"process {number}" if number.isdigit() else "another process"
    return RelayRuns(
        f"A relay runs for this repository already: {who} holds {path}.",
        "One is enough: `twohand serve` contains it. Stop that one first to use this one.",
    )

"""Letters to people, kept beside the record until somebody took them: the outbox and the timers of the journal (DESIGN 10).

A letter is written in the transaction that records why, and stays until a route took it. Its id is that of the message:
a receiver that gets one twice, because a sender died before it could say so, can drop the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from streams.engines.journal import Journal

LEASE: Final = 60  # seconds that a claimed letter is nobody else's
WAITING, SENT, FAILED, SUPERSEDED = "waiting", "sent", "failed", "superseded"
TABLES: Final = """
create table outbox (event text primary key, problem text not null, target text not null, message text not null,
    due integer not null, tries integer not null default 0, leased integer not null default 0,
    state text not null default 'waiting', route text not null default '', note text not null default '') strict;
create index outbox_due on outbox (state, due);
create index outbox_problem on outbox (problem, target);
create table timer (name text primary key, key text not null, due integer not null, body text not null) strict;
create index timer_due on timer (due);
create index timer_key on timer (key);
create table held (event text primary key, storm text not null, escalation text not null, body text not null) strict;
create table storm (name text primary key, until integer not null) strict;
create table told (escalation text not null, problem text not null, target text not null,
    primary key (escalation, problem, target)) strict, without rowid;
create table mark (name text primary key, value integer not null) strict;
"""


class Letter(NamedTuple):
    """`event` names the message and repeats with it; `problem` is the same for all about one thing.

    `target` is the word of a step's `notify`; `message` is the text of streams.sinks.alerts.message. Instants are seconds.
    """

    event: str
    problem: str
    target: str
    message: str
    due: int
    tries: int = 0


class Filed(NamedTuple):
    """What became of a letter."""

    letter: Letter
    state: str
    route: str
    note: str


def put(db: sqlite3.Connection, letters: Iterable[Letter]) -> None:
    """Write letters inside the transaction that records why; one that is there already stays as it is."""
    rows = [(one.event, one.problem, one.target, one.message, one.due) for one in letters]
    db.executemany("insert or ignore into outbox (event, problem, target, message, due) values (?, ?, ?, ?, ?)", rows)


def supersede(db: sqlite3.Connection, problem: str, target: str) -> bool:
    """Drop what waits about a problem that is over; whether anything about it may have gone out before."""
    where = "where problem = ? and target = ?"
    db.execute(
        f"update outbox set state = ? {where} and state = ? and leased = 0",  # noqa: S608
        (SUPERSEDED, problem, target, WAITING),
    )
    gone = db.execute(f"select 1 from outbox {where} and state <> ? limit 1", (problem, target, SUPERSEDED))  # noqa: S608
    return gone.fetchone() is not None


class Outbox:
    """The letters of one journal, as a sender sees them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def claim(self, now: int, *, limit: int = 100, lease: int = LEASE) -> list[Letter]:
        """Letters that are due and nobody's, oldest first; they are ours for `lease` seconds.

        Of one problem and target only the oldest: an end never overtakes its beginning.
        """
        with self._journal.transaction() as db:
            rows = db.execute(
                "select event, problem, target, message, due, tries, min(rowid) from outbox"
                " where state = ? group by problem, target having due <= ? and leased <= ? order by min(rowid) limit ?",
                (WAITING, now, now, limit),
            ).fetchall()
            db.executemany("update outbox set leased = ? where event = ?", [(now + lease, row[0]) for row in rows])
        return [Letter(*row[:6]) for row in rows]

    def sent(self, event: str, route: str, note: str = "") -> None:
        """A route took it."""
        self._file(event, SENT, route, note)

    def failed(self, event: str, reason: str) -> None:
        """No route will ever take it; it stays, with the reason, for people to see."""
        self._file(event, FAILED, "", reason)

    def again(self, event: str, due: int, reason: str) -> None:
        """It was not taken this time; it is due again then."""
        with self._journal.transaction() as db:
            db.execute(
                "update outbox set due = ?, tries = tries + 1, leased = 0, note = ? where event = ? and state = ?",
                (due, reason, event, WAITING),
            )

    def _file(self, event: str, state: str, route: str, note: str) -> None:
        with self._journal.transaction() as db:
            db.execute(
                "update outbox set state = ?, route = ?, note = ?, tries = tries + 1, leased = 0 where event = ?",
                (state, route, note, event),
            )

    def next_due(self) -> int | None:
        """When the first letter that waits is due."""
        rows = self._journal.ask("select min(max(due, leased)) from outbox where state = ?", (WAITING,))
        return rows[0][0] if rows else None

    def filed(self, state: str | None = None) -> list[Filed]:
        """Every letter, or those in one state, in the order in which they were written."""
        where, values = ("where state = ?", (state,)) if state else ("", ())
        asked = "select event, problem, target, message, due, tries, state, route, note from outbox"
        rows = self._journal.ask(f"{asked} {where} order by rowid", values)
        return [Filed(Letter(*row[:6]), *row[6:]) for row in rows]

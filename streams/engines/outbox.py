"""Letters to people, kept beside the record until somebody took them: the outbox and the timers of the journal (DESIGN 10).

A letter is written in the transaction that records why, and stays until a route took it. Its id is that of the message:
a receiver that gets one twice, because a sender died before it could say so, drops the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.engines.book import Book, Database
    from streams.sinks.alerts.dispatch import Outcome, Parcel
    from streams.sinks.alerts.message import Message

LEASE: Final = 90  # seconds that a parcel which one sender took up is nobody else's; longer than a pass
AT_ONCE: Final = 500  # parcels of one pass
FAR: Final = 7200  # seconds ahead that nothing is put off for: what lies further was written by a clock that went back
KEPT: Final = 30 * 86_400  # seconds that a letter is kept after it was taken
WAITING, SENT, FAILED = "waiting", "sent", "failed"
TABLES: Final = """
create table outbox (number integer primary key autoincrement, id text not null unique, dedup text not null,
    route text not null, message text not null, instead text not null, due integer not null, attempts integer not null,
    leased integer not null, stood_in text not null, state text not null, reason text not null) strict;
create index outbox_due on outbox (state, due);
create index outbox_dedup on outbox (dedup, route);
create table timer (name text primary key, key text not null, due integer not null, body text not null) strict;
create index timer_due on timer (due);
create index timer_key on timer (key);
create table law (digest text primary key, body text not null) strict;
create table held (id text primary key, storm text not null, escalation text not null, body text not null) strict;
create table storm (name text primary key, until integer not null, begun_by text not null) strict;
create table told (escalation text not null, dedup text not null, route text not null,
    primary key (escalation, dedup, route)) strict, without rowid;
create table continued (content_key text not null, by text not null, primary key (content_key, by)) strict, without rowid;
create table mark (name text primary key, value integer not null) strict;
"""
_COLUMNS: Final = "id, number, route, message, instead, attempts, stood_in"


class Letter(NamedTuple):
    """A message for a route, before it is a parcel. `instead` are routes to use where that one fails; `due` is seconds."""

    id: str
    dedup: str
    route: str
    message: str  # streams.sinks.alerts.message.as_text
    instead: tuple[str, ...]
    due: int


def put(db: Database, letters: Iterable[Letter]) -> None:
    """Write letters inside the transaction that records why; one that is there already stays as it is."""
    rows = [(one.id, one.dedup, one.route, one.message, "\n".join(one.instead), one.due) for one in letters]
    db.executemany(
        "insert into outbox (id, dedup, route, message, instead, due, attempts, leased, stood_in, state, reason)"
        " values (?, ?, ?, ?, ?, ?, 0, 0, '', 'waiting', '') on conflict do nothing",
        rows,
    )


class JournalOutbox:
    """streams.sinks.alerts.dispatch.Outbox in the tables of a record; several senders share it."""

    def __init__(self, journal: Book) -> None:
        self._journal = journal

    def due(self, now: int) -> Sequence[Parcel]:
        """The parcels whose time has come and which nobody else took up; they are ours for LEASE seconds."""
        if not self._journal.ask("select 1 from outbox where state = ? limit 1", (WAITING,)):
            return []
        with self._journal.transaction() as db:
            rows = db.execute(
                f"select {_COLUMNS} from outbox where state = ? and due not between ? and ? and leased not between ? and ?"  # noqa: S608
                " order by number limit ?",
                (WAITING, now + 1, now + FAR, now + 1, now + FAR, AT_ONCE),
            ).fetchall()
            db.executemany("update outbox set leased = ? where number = ?", [(now + LEASE, row[1]) for row in rows])
        return [parcel for row in rows if (parcel := self._readable(row))]

    def _readable(self, row: Sequence[Any]) -> Parcel | None:
        """One letter whose text is damaged is filed as failed, with the reason; it holds up no other."""
        try:
            return _parcel(row)
        except ValueError as error:
            with self._journal.transaction() as db:
                db.execute("update outbox set state = ?, reason = ? where number = ?", (FAILED, str(error), row[1]))
            return None

    def waiting(self, dedup: str) -> Sequence[Parcel]:
        """All parcels of one problem that are not done with."""
        asked = f"select {_COLUMNS} from outbox where dedup = ? and state = ? order by number"  # noqa: S608
        rows = self._journal.ask(asked, (dedup, WAITING))
        return [parcel for row in rows if (parcel := self._readable(row))]

    def stand_ins(self, dedup: str, route: str) -> Sequence[str]:
        """The routes that took a parcel of this problem instead of its own."""
        asked = (
            "select distinct stood_in from outbox where dedup = ? and route = ? and stood_in <> '' order by stood_in"
        )
        return [row[0] for row in self._journal.ask(asked, (dedup, route))]

    def put(self, parcel: Parcel) -> None:
        """Add a parcel, due at once; nothing happens where its id is known."""
        from streams.sinks.alerts.message import as_text  # noqa: PLC0415 - the journal of a hook needs no messages

        text = as_text(parcel.message)
        with self._journal.transaction() as db:
            put(db, [Letter(parcel.id, parcel.message.dedup, parcel.route, text, parcel.instead, 0)])

    def settle(self, outcome: Outcome) -> None:
        """Keep what became of it: done, or due again with one attempt more."""
        parcel = outcome.parcel
        again = outcome.again
        stood_in = outcome.by if outcome.by not in ("", parcel.route) else parcel.stood_in
        over = SENT if outcome.by or not outcome.reason else FAILED
        state, due = (over, None) if again is None else (WAITING, again)
        with self._journal.transaction() as db:
            db.execute(
                "update outbox set state = ?, due = coalesce(?, due), attempts = attempts + 1, leased = 0, stood_in = ?,"
                " reason = ? where id = ?",
                (state, due, stood_in, outcome.reason, parcel.id),
            )

    def next_due(self) -> int | None:
        """When the first letter that waits is due."""
        rows = self._journal.ask(
            "select min(case when due > leased then due else leased end) from outbox where state = ?", (WAITING,)
        )
        return int(rows[0][0]) if rows[0][0] is not None else None

    def standing(self, routes: Iterable[str]) -> list[tuple[str, Message]]:
        """The newest message of each problem that was told through one of these routes and has not ended."""
        from streams.sinks.alerts.message import RESOLVED, from_text  # noqa: PLC0415

        found: list[tuple[str, Message]] = []
        for route in routes:
            asked = (
                "select message from outbox where number in (select max(number) from outbox where route = ? and state = ?"
                " group by dedup) and dedup in (select dedup from told)"
            )
            told = (from_text(row[0]) for row in self._journal.ask(asked, (route, SENT)))
            found += [(route, message) for message in told if message.kind != RESOLVED]
        return found

    def letters(self) -> list[tuple[Parcel, str, str]]:
        """Every parcel with its state and why its route did not take it, in the order of writing."""
        rows = self._journal.ask(f"select {_COLUMNS}, state, reason from outbox order by number")  # noqa: S608
        return [(_parcel(row[:7]), row[7], row[8]) for row in rows]


def _parcel(row: Sequence[Any]) -> Parcel:
    from streams.sinks.alerts.dispatch import Parcel  # noqa: PLC0415
    from streams.sinks.alerts.message import from_text  # noqa: PLC0415

    name, number, route, message, instead, attempts, stood_in = row
    others = tuple(filter(None, instead.split("\n")))
    return Parcel(name, number, route, from_text(message), others, attempts, stood_in)

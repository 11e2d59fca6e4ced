"""Timers that survive: what is due is worked out from the record, and what was told is recorded with the letters that tell it.

Everything a tick writes about an escalation - the event, its letters, when it is due next - is one transaction. A process
that dies, a second one beside it and a clock that jumps find the record as it is: a step that is recorded is not told again.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from rules import escalation, instants, storms, summons
from rules.canonical import canonical, plain
from rules.escalation import Due, Timetable
from rules.events import DecisionMade, EscalationOpened, EscalationResolved, LawText, type_name
from rules.judgement import read_laws
from rules.questions import BREAK_GLASS
from rules.revive import reviver
from rules.storms import Page
from rules.zones import UTC, opening
from streams import clock, letters, watch
from streams.engines.outbox import KEPT, put
from streams.held import Storms
from streams.letters import Link, Row, no_link
from streams.sinks.alerts.message import Message, from_text
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from rules.policy import Policy
    from streams.engines.journal import Journal
    from streams.settings import Alert

LOOKS: Final = 100  # changes that one transaction looks at
STEPS: Final = 200  # escalations that one transaction pages for
OTHERS: Final = "~"  # timers whose names begin so are of no escalation
DEADLINE: Final = OTHERS + "deadline:"
AGAIN: Final = OTHERS + "again:"
LATER: Final = 60  # seconds after which a change that could not be read or decided is tried again
STALE: Final = 7 * instants.DAY
FAULTS: Final = (SourceError, ValueError, LookupError, TypeError, AssertionError)
DECIDED: Final = type_name(DecisionMade)
EVIDENCE: Final = tuple(map(type_name, watch.EVIDENCE))
OWN_TYPES: Final = tuple(f"dev.twohand.{name}.v1" for name in watch.LOOKED_AT)


class Ticked(NamedTuple):
    """What one tick did: changes looked at, pages told or held, and whether more is due at once."""

    looked: int
    pages: int
    more: bool


class Timers:
    """The timers of one journal. `link` makes the address at which somebody may acknowledge."""

    def __init__(self, journal: Journal, alerts: Mapping[str, Alert], *, link: Link = no_link) -> None:
        self._journal = journal
        self._alerts = alerts
        self._link = link
        self._policies: dict[tuple[str, int], Policy] = {}

    def run(self, at: str) -> Ticked:
        """Ticks until nothing more is due at this instant."""
        looked = pages = 0
        while True:
            done = self.tick(at)
            looked, pages = looked + done.looked, pages + done.pages
            if not done.more:
                return Ticked(looked, pages, more=False)

    def tick(self, at: str) -> Ticked:
        """Look at what changed, then tell what is due: at most LOOKS changes and STEPS escalations."""
        now = instants.seconds_of(at)
        changed, since, upto = self._changed(now)
        good = [key for key in changed if self._try(key, now, lambda key=key: self._decide(key, at))]  # type: ignore[misc]
        if changed or upto > since:
            with self._journal.transaction() as db:
                db.executemany("delete from timer where name = ?", [(AGAIN + key,) for key in good])
                for key in changed:
                    self._look(db, key, now)
                _mark(db, "cursor", upto)
        late = self._deadlines(at)
        pages, more = self._tell(now) if self._is_due(now) else (0, False)
        return Ticked(len(changed) + late, pages, more=more or len(changed) >= LOOKS)

    def _cursor(self, now: int) -> int:
        """How far the last look went. The first one leaves alone what was recorded more than STALE seconds before it."""
        marks = self._journal.ask("select value from mark where name = 'cursor'")
        old = instants.text_of(now - STALE)
        rows = marks or self._journal.ask("select coalesce(max(offset), 0) from log where at < ?", (old,))
        return int(rows[0][0])

    def _decide(self, key: str, at: str) -> None:
        """Record the decision that newer evidence asks for."""
        newest = dict(self._journal.ask("select type, max(offset) from log where key = ? group by type", (key,)))
        decided = newest.pop(DECIDED, 0)
        if max((newest.get(kind, 0) for kind in EVIDENCE), default=0) < decided:
            return
        if events := watch.again(self._journal, watch.change_of(self._journal, key), at):
            self._journal.append(events)

    def _try(self, key: str, now: int, work: Callable[[], None]) -> bool:
        """One change that cannot be decided or read stops nobody else's pages; it is told, and tried again later."""
        try:
            work()
        except FAULTS as error:
            print(f"error: timers: change {key[:16]} is put off: {type(error).__name__}: {error}", file=sys.stderr)
            with self._journal.transaction() as db:
                db.execute("insert or replace into timer values (?, ?, ?, '')", (AGAIN + key, key, now + LATER))
            return False
        return True

    def next_due(self) -> int | None:
        """When the next timer is due."""
        rows = self._journal.ask("select min(due) from timer")
        return int(rows[0][0]) if rows[0][0] is not None else None

    # -- looking --------------------------------------------------------------------------------------------------

    def _changed(self, now: int) -> tuple[list[str], int, int]:
        """The changes of which something was recorded since the last look, how far that went, and how far this one goes."""
        since = self._cursor(now)
        whole = self._journal.ask("select coalesce(max(offset), 0) from log")[0][0]
        asked = (
            "select key, max(offset) from log where offset > ? and offset <= ? and type not in (?, ?)"
            " group by key order by 2 limit ?"
        )
        rows = self._journal.ask(asked, (since, whole, *OWN_TYPES, LOOKS)) if whole > since else []
        late = self._journal.ask(
            "select key from timer where name >= ? and name < ? and due <= ?", (AGAIN, AGAIN + OTHERS, now)
        )
        keys = dict.fromkeys(row[0] for row in (*rows, *late))
        return list(keys), since, rows[-1][1] if len(rows) == LOOKS else whole

    def _look(self, db: sqlite3.Connection, key: str, now: int) -> None:
        """Write the timers of one change anew; where its record cannot be read, it is told and put off."""
        db.execute("savepoint look")
        try:
            self._read(db, key, now)
        except FAULTS as error:
            print(f"error: timers: change {key[:16]} is put off: {type(error).__name__}: {error}", file=sys.stderr)
            db.execute("rollback to look")
            db.execute("insert or replace into timer values (?, ?, ?, '')", (AGAIN + key, key, now + LATER))
        db.execute("release look")

    def _read(self, db: sqlite3.Connection, key: str, now: int) -> None:
        """The timers of one change as its record asks for them, and of those changes that it takes up again."""
        change = watch.change_of(self._journal, key)
        contents = change.proposed.continues if change.proposed else ()
        db.executemany("insert or ignore into continued values (?, ?)", [(content, key) for content in contents])
        others = {name for content in contents for name in self._journal.changes_with(content)}
        for other in sorted(others - {key}):
            self._settle(db, other, watch.change_of(self._journal, other), now)
        self._settle(db, key, change, now)

    def _settle(self, db: sqlite3.Connection, key: str, change: watch.Change, now: int) -> None:
        continued = _is_continued(db, key, change)
        found = watch.asked(change, continued=continued)
        for end in watch.ended(change, found, continued=continued):
            self._end(db, end, now)
        db.execute("delete from timer where key = ? and (name < ? or name = ?)", (key, OTHERS, DEADLINE + key))
        if found and change.proposed:
            row = watch.row_for(change, found, self._law(db, change.proposed.laws))
            self._file(db, row)
            if row.one.acknowledged is not None:
                self._heard(db, row, now)
        elif not continued and (due := watch.deadline(change)) is not None:
            db.execute("insert into timer values (?, ?, ?, '')", (DEADLINE + key, key, due))

    def _law(self, db: sqlite3.Connection, laws: tuple[LawText, ...]) -> str:
        text = canonical(plain(list(laws))).decode()
        name = sha256(text.encode()).hexdigest()
        db.execute("insert or ignore into law values (?, ?)", (name, text))
        return name

    def _policy(self, row: Row) -> Policy:
        known = self._policies.get((row.law, row.place))
        if known is None:
            text = self._journal.ask("select body from law where digest = ?", (row.law,))[0][0]
            laws: tuple[LawText, ...] = reviver(tuple[LawText, ...])(json.loads(text))
            known = read_laws(laws)[row.place].policy
            assert known is not None
            self._policies[row.law, row.place] = known
        return known

    def _end(self, db: sqlite3.Connection, end: watch.End, now: int) -> None:
        """Record how it ended, and tell every route that told of it, once nothing else keeps the problem open there."""
        at, one = instants.text_of(now), end.one
        resolved = EscalationResolved(change=one.change, escalation=one.name, how=end.how, at=at)
        self._journal.append_in(db, [resolved])
        db.execute("delete from held where escalation = ?", (one.name,))
        rows = db.execute("select dedup, route from told where escalation = ?", (one.name,)).fetchall()
        db.execute("delete from told where escalation = ?", (one.name,))
        for dedup, route in rows:
            if not db.execute("select 1 from told where dedup = ? and route = ?", (dedup, route)).fetchone():
                _close(db, (dedup, route), lambda message: letters.ended(message, end.how, at, by=end.by), now)

    def _heard(self, db: sqlite3.Connection, row: Row, now: int) -> None:
        """Tell every route that told of the problem that somebody has heard it."""
        one = row.one
        db.execute("delete from held where escalation = ?", (one.name,))
        since = one.acknowledged or now
        at, until = map(instants.text_of, (since, since + self._policy(row).escalation.acknowledged_for))
        rows = db.execute("select dedup, route from told where escalation = ? and dedup = ?", (one.name, one.name))
        for dedup, route in rows.fetchall():
            _close(db, (dedup, route), lambda message: letters.heard(message, one.by, until, at), now)

    # -- telling --------------------------------------------------------------------------------------------------

    def _deadlines(self, at: str) -> int:
        """Record the deadlines that have passed, with the decisions that follow."""
        now = instants.seconds_of(at)
        rows = self._journal.ask(
            "select key from timer where due <= ? and name >= ? and name < ? order by due limit ?",
            (now, DEADLINE, DEADLINE + OTHERS, LOOKS),
        )
        for (key,) in rows:
            good = self._try(key, now, lambda key=key: self._pass(key, now))  # type: ignore[misc]
            with self._journal.transaction() as db:
                if good:
                    self._look(db, key, now)
                else:
                    db.execute("update timer set due = ? where name = ?", (now + LATER, DEADLINE + key))
        return len(rows)

    def _pass(self, key: str, now: int) -> None:
        """Record that a deadline has passed, where it has."""
        change = watch.change_of(self._journal, key)
        due = watch.deadline(change)
        if due is not None and due <= now:
            self._journal.append(watch.overdue(change, due, instants.text_of(now)))

    def _is_due(self, now: int) -> bool:
        """Whether anything may be due; an idle service writes nothing."""
        rows = self._journal.ask("select 1 from timer where due <= ? limit 1", (now,))
        marks = self._journal.ask("select value from mark where name = 'now'")
        return bool(rows) or not marks or not 0 <= now - marks[0][0] < instants.DAY

    def _tell(self, now: int) -> tuple[int, bool]:
        """Tell what is due in one transaction; how many pages, and whether more is due."""
        with self._journal.transaction() as db:
            back = _went_back(db, now)  # then everything is looked at, whenever it was due
            asked = "select body from timer where (due <= ? or ?) and name < ? order by due limit ?"
            found = db.execute(asked, (now, back, OTHERS, -1 if back else STEPS)).fetchall()
            rows = [row for (text,) in found if not _is_news(db, row := letters.row_of(text))]
            desk = Storms(db, self._alerts, now)
            pages = sum(self._step(desk, row, now) for row in rows) + desk.tell()
            _mark(db, "now", now)
            db.execute("delete from outbox where state = 'sent' and due < ?", (now - KEPT,))
        return pages, len(found) == STEPS or len(rows) < len(found)

    def _step(self, desk: Storms, row: Row, now: int) -> int:
        """The steps of one escalation that are due: recorded, told or held, and the timer set for the next."""
        policy, pages = self._policy(row), 0
        for due in escalation.due(row.one, self._table(row, now), now):
            opened, called = _opened(row, due, policy, now)
            row = row._replace(one=escalation.evolve({row.one.name: row.one}, opened)[row.one.name])
            if self._journal.append_in(desk.db, [opened]):
                pages += self._page(desk, row, due, called)
        self._file(desk.db, row, after=now)
        return pages

    def _page(self, desk: Storms, row: Row, due: Due, called: Iterable[summons.Call]) -> int:
        """One page for each word of a step, told or held; how many."""
        one, policy = row.one, self._policy(row)
        pages = [
            Page(escalation.page_of(one.name, due, call.target), one.name, call.target, call.people, row.session)
            for call in called
        ]
        for page in pages:
            for part in storms.parted(page, desk.quiet(page), desk.now):
                desk.take(part, letters.page(part, row, policy, desk.now, self._link))
        return len(pages)

    def _table(self, row: Row, now: int) -> Timetable:
        rules = self._policy(row).escalation
        hours = rules.hours if row.low else None
        after = tuple(step.after for step in rules.steps)
        if hours is None:
            return Timetable(after, rules.repeat, rules.acknowledged_for)
        offsets = clock.zones((hours.zone,), now).get(hours.zone, UTC)
        return Timetable(after, rules.repeat, rules.acknowledged_for, lambda at: opening(hours, offsets, at))

    def _file(self, db: sqlite3.Connection, row: Row, *, after: int = 0) -> None:
        due = escalation.next_due(row.one, self._table(row, max(after, row.one.newest)))
        if due is not None:
            values = (row.one.name, row.one.change, max(due, after + 1), row.text())
            db.execute("insert or replace into timer values (?, ?, ?, ?)", values)


def _opened(row: Row, due: Due, policy: Policy, now: int) -> tuple[EscalationOpened, tuple[summons.Call, ...]]:
    """The record of one step, and whom it asks. The first step after a break-glass tells everybody whom it skipped (law 35)."""
    notify = policy.escalation.steps[due.level].notify
    if row.one.reasons[:1] == (BREAK_GLASS,) and due.level == 0 and summons.OWNERS not in notify:
        notify = (summons.OWNERS, *notify)
    zones = clock.zones({rotation.zone for rotation in policy.rotations.values()}, now)
    called = summons.calls(notify, summons.Roster(policy, row.asks, now, zones))
    opened = EscalationOpened(
        change=row.one.change, escalation=row.one.name, level=due.level,
        asked=tuple(sorted({name for call in called for name in call.people})), reasons=row.one.reasons,
        content=row.one.content, round=due.turn, lapse=due.lapse, since=instants.text_of(due.since),
        at=instants.text_of(now),
    )  # fmt: skip
    return opened, called


def _close(db: sqlite3.Connection, place: tuple[str, str], closed: Callable[[Message], Message], now: int) -> None:
    """A closing letter for one problem at one route, made of the newest that was written there."""
    dedup, route = place
    asked = "select message from outbox where dedup = ? and route = ? order by number desc limit 1"
    row = db.execute(asked, (dedup, route)).fetchone()
    if row:
        put(db, letters.closing(closed(from_text(row[0])), [route], now))


def _is_news(db: sqlite3.Connection, row: Row) -> bool:
    """Whether something was recorded that nobody looked at yet: an acknowledgement of this second stops its page."""
    asked = "select 1 from log where key = ? and type not in (?, ?) and offset > (select value from mark where name = 'cursor')"
    return db.execute(f"{asked} limit 1", (row.one.change, *OWN_TYPES)).fetchone() is not None


def _is_continued(db: sqlite3.Connection, key: str, change: watch.Change) -> bool:
    """Whether a later push took this content up again (law 12, 34): then that one is asked about."""
    if change.proposed is None:
        return False
    newest = "select max(offset) from log where key = ? and type = 'dev.twohand.change-proposed.v1'"
    mine = db.execute(newest, (key,)).fetchone()[0]
    rows = db.execute("select by from continued where content_key = ? and by <> ?", (change.proposed.content_key, key))
    return any(db.execute(newest, row).fetchone()[0] > mine for row in rows.fetchall())


def _mark(db: sqlite3.Connection, name: str, value: int) -> None:
    db.execute("insert or replace into mark values (?, ?)", (name, value))


def _went_back(db: sqlite3.Connection, now: int) -> bool:
    """Whether the clock shows much less than at the last tick."""
    row = db.execute("select value from mark where name = 'now'").fetchone()
    return row is not None and now < row[0] - escalation.BACK

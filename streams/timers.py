"""Timers that survive: what is due is worked out from the record, and what was told is recorded with the letters that tell it.

Everything a tick writes about an escalation - the event, its letters, when it is due next - is one transaction. A process
that dies, a second one beside it and a clock that jumps find the record as it is: a step that is recorded is not told again.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from rules import escalation, instants, storms, summons
from rules.canonical import canonical, plain
from rules.escalation import Due, Timetable
from rules.events import ChangeProposed, EscalationOpened, EscalationResolved, LawText, type_name
from rules.questions import BREAK_GLASS
from rules.storms import Page
from rules.zones import UTC, opening
from streams import clock, letters, watch
from streams.engines.book import BookAway
from streams.engines.journal import Journal
from streams.engines.outbox import KEPT, put
from streams.held import Storms
from streams.letters import Link, Row, no_link
from streams.news import Since, mark
from streams.sinks.alerts.message import Message, from_text
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rules.policy import Policy
    from streams.engines.book import Book, Casebook, Database, News
    from streams.settings import Alert

LOOKS: Final = 100  # changes that one transaction looks at
STEPS: Final = 200  # escalations that one transaction pages for
ALL: Final = 1 << 40  # more rows than there are
OTHERS: Final = "~"  # timers whose names begin so are of no escalation
DEADLINE: Final = OTHERS + "deadline:"
AGAIN: Final = OTHERS + "again:"
LATER: Final = 60  # seconds after which a change that could not be read or decided is tried again
FAULTS: Final = (SourceError, ValueError, LookupError, TypeError, AssertionError)
PROPOSED: Final = type_name(ChangeProposed)


class Ticked(NamedTuple):
    """What one tick did: changes looked at, pages told or held, and whether more is due at once."""

    looked: int
    pages: int
    more: bool


class Timers:
    """The timers of one record. `link` makes the address at which somebody may acknowledge."""

    def __init__(self, journal: Journal | Casebook, alerts: Mapping[str, Alert], *, link: Link = no_link) -> None:
        self._journal: Book = journal
        self._news: News = Since(journal) if isinstance(journal, Journal) else journal
        self._alerts = alerts
        self._link = link
        self._policies: dict[tuple[str, int], Policy] = {}

    def run(self, at: str, *, ticks: int = ALL) -> Ticked:
        """Ticks until nothing more is due at this instant, or so many were done."""
        looked = pages = 0
        more = True
        while more and ticks > 0:
            done = self.tick(at)
            looked, pages, more, ticks = looked + done.looked, pages + done.pages, done.more, ticks - 1
        return Ticked(looked, pages, more=more)

    def tick(self, at: str) -> Ticked:
        """Look at what changed, then tell what is due: at most LOOKS changes and STEPS escalations."""
        now = instants.seconds_of(at)
        fresh = self._news.fresh(now, LOOKS)
        changed = list(dict.fromkeys((*fresh.changes, *self._again(now))))
        good = [key for key in changed if self._try(key, now, lambda key=key: self._news.decide(key, at))]  # type: ignore[misc]
        if changed or fresh.places:
            with self._journal.transaction() as db:
                db.executemany("delete from timer where name = ?", [(AGAIN + key,) for key in good])
                for key in changed:
                    self._look(db, key, now)
                self._news.looked(db, fresh)
        late = self._deadlines(at)
        pages, more = self._tell(now) if self._is_due(now) else (0, False)
        return Ticked(len(changed) + late, pages, more=more or len(changed) >= LOOKS)

    def _try(self, key: str, now: int, work: Callable[[], None]) -> bool:
        """One change that cannot be decided or read stops nobody else's pages; it is told, and tried again later."""
        try:
            work()
        except BookAway:
            raise
        except FAULTS as error:
            with self._journal.transaction() as db:
                _put_off(db, key, now, error)
            return False
        return True

    def next_due(self) -> int | None:
        """When the next timer is due."""
        rows = self._journal.ask("select min(due) from timer")
        return int(rows[0][0]) if rows[0][0] is not None else None

    # -- looking --------------------------------------------------------------------------------------------------

    def _again(self, now: int) -> list[str]:
        """The changes that are tried again."""
        asked = "select key from timer where name >= ? and name < ? and due <= ?"
        return [row[0] for row in self._journal.ask(asked, (AGAIN, AGAIN + OTHERS, now))]

    def _look(self, db: Database, key: str, now: int) -> None:
        """Write the timers of one change anew; where its record cannot be read, it is told and put off."""
        db.execute("savepoint look")
        try:
            self._read(db, key, now)
        except BookAway:
            raise
        except FAULTS as error:
            db.execute("rollback to look")
            _put_off(db, key, now, error)
        db.execute("release look")

    def _read(self, db: Database, key: str, now: int) -> None:
        """The timers of one change as its record asks for them, and of those changes that it takes up again."""
        change = watch.change_of(self._journal, key)
        contents = change.proposed.continues if change.proposed else ()
        rows = [(content, key) for content in contents]
        db.executemany("insert into continued values (?, ?) on conflict do nothing", rows)
        others = {name for content in contents for name in self._journal.changes_with(content)}
        for other in sorted(others - {key}):
            self._settle(db, other, watch.change_of(self._journal, other), now)
        self._settle(db, key, change, now)

    def _settle(self, db: Database, key: str, change: watch.Change, now: int) -> None:
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
            _file(db, (DEADLINE + key, key, due, ""))

    def _law(self, db: Database, laws: tuple[LawText, ...]) -> str:
        text = canonical(plain(list(laws))).decode()
        name = sha256(text.encode()).hexdigest()
        db.execute("insert into law values (?, ?) on conflict do nothing", (name, text))
        return name

    def _policy(self, row: Row) -> Policy:
        known = self._policies.get((row.law, row.place))
        if known is None:
            text = self._journal.ask("select body from law where digest = ?", (row.law,))[0][0]
            known = self._policies[row.law, row.place] = letters.policy_in(text, row.place)
        return known

    def _end(self, db: Database, end: watch.End, now: int) -> None:
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

    def _heard(self, db: Database, row: Row, now: int) -> None:
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
            self._news.late(change, due, instants.text_of(now))

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
            found = db.execute(asked, (now, back, OTHERS, ALL if back else STEPS)).fetchall()
            rows = [row for (text,) in found if not self._news.waits(db, (row := letters.row_of(text)).one.change)]
            desk = Storms(db, self._alerts, now)
            pages = sum(self._step(desk, row, now) for row in rows) + desk.tell()
            mark(db, "now", now)
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

    def _file(self, db: Database, row: Row, *, after: int = 0) -> None:
        due = escalation.next_due(row.one, self._table(row, max(after, row.one.newest)))
        if due is not None:
            _file(db, (row.one.name, row.one.change, max(due, after + 1), row.text()))


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


def _close(db: Database, place: tuple[str, str], closed: Callable[[Message], Message], now: int) -> None:
    """A closing letter for one problem at one route, made of the newest that was written there."""
    dedup, route = place
    asked = "select message from outbox where dedup = ? and route = ? order by number desc limit 1"
    row = db.execute(asked, (dedup, route)).fetchone()
    if row:
        put(db, letters.closing(closed(from_text(row[0])), [route], now))


def _is_continued(db: Database, key: str, change: watch.Change) -> bool:
    """Whether a later push took this content up again (law 12, 34): then that one is asked about."""
    if change.proposed is None:
        return False
    newest = 'select max("offset") from log where key = ? and type = ?'
    mine = db.execute(newest, (key, PROPOSED)).fetchone()[0]
    rows = db.execute("select by from continued where content_key = ? and by <> ?", (change.proposed.content_key, key))
    return any(db.execute(newest, (by, PROPOSED)).fetchone()[0] > mine for (by,) in rows.fetchall())


def _put_off(db: Database, key: str, now: int, error: Exception) -> None:
    """Tell that a change cannot be read or decided, and try it again later."""
    print(f"error: timers: change {key[:16]} is put off: {type(error).__name__}: {error}", file=sys.stderr)
    _file(db, (AGAIN + key, key, now + LATER, ""))


def _file(db: Database, row: tuple[str, str, int, str]) -> None:
    """Set a timer, or set it anew."""
    db.execute(
        "insert into timer values (?, ?, ?, ?) on conflict (name) do update"
        " set key = excluded.key, due = excluded.due, body = excluded.body",
        row,
    )


def _went_back(db: Database, now: int) -> bool:
    """Whether the clock shows much less than at the last tick."""
    row = db.execute("select value from mark where name = 'now'").fetchone()
    return row is not None and now < row[0] - escalation.BACK

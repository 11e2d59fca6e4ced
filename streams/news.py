"""What was recorded in a journal since timers looked at it last, and the decisions that it asks for.

Rows of a journal are committed in their order, so a cursor misses none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rules import instants
from rules.events import DecisionMade, type_name
from streams import watch
from streams.engines.book import Fresh

if TYPE_CHECKING:
    from streams.engines.book import Database
    from streams.engines.journal import Journal

STALE: Final = 7 * instants.DAY  # what is older at the first look of all is left alone
LOOKED_AT: Final = ("escalation-opened", "escalation-resolved")  # types that only timers write, after they have looked
DECIDED: Final = type_name(DecisionMade)
EVIDENCE: Final = tuple(map(type_name, watch.EVIDENCE))
OWN_TYPES: Final = tuple(f"dev.twohand.{name}.v1" for name in LOOKED_AT)


class Since:
    """streams.engines.book.News of a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def fresh(self, now: int, most: int) -> Fresh:
        """At most so many changes, and how far the look goes."""
        since = self._cursor(now)
        whole = self._journal.ask('select coalesce(max("offset"), 0) from log')[0][0]
        asked = (
            'select key, max("offset") from log where "offset" > ? and "offset" <= ? and type not in (?, ?)'
            " group by key order by 2 limit ?"
        )
        rows = self._journal.ask(asked, (since, whole, *OWN_TYPES, most)) if whole > since else []
        upto = rows[-1][1] if len(rows) == most else whole
        return Fresh(tuple(row[0] for row in rows), (upto,) if upto > since else ())

    def looked(self, db: Database, fresh: Fresh) -> None:
        """Move the cursor."""
        for upto in fresh.places:
            mark(db, "cursor", upto)

    def waits(self, db: Database, change: str) -> bool:
        """Whether something stands behind the cursor."""
        asked = 'select 1 from log where key = ? and type not in (?, ?) and "offset" > (select value from mark where name = ?)'
        return db.execute(f"{asked} limit 1", (change, *OWN_TYPES, "cursor")).fetchone() is not None

    def decide(self, change: str, at: str) -> None:
        """Record the decision that newer evidence asks for."""
        newest = dict(self._journal.ask('select type, max("offset") from log where key = ? group by type', (change,)))
        decided = newest.pop(DECIDED, 0)
        if max((newest.get(kind, 0) for kind in EVIDENCE), default=0) < decided:
            return
        if events := watch.again(self._journal, watch.change_of(self._journal, change), at):
            self._journal.append(events)

    def late(self, change: watch.Change, due: int, at: str) -> None:
        """With the decision that follows."""
        self._journal.append(watch.overdue(change, due, at))

    def _cursor(self, now: int) -> int:
        """How far the last look went. The first one leaves alone what was recorded more than STALE seconds before it."""
        marks = self._journal.ask("select value from mark where name = 'cursor'")
        old = instants.text_of(now - STALE)
        rows = marks or self._journal.ask('select coalesce(max("offset"), 0) from log where at < ?', (old,))
        return int(rows[0][0])


def mark(db: Database, name: str, value: int) -> None:
    """Keep a number under a name."""
    db.execute("insert into mark values (?, ?) on conflict (name) do update set value = excluded.value", (name, value))

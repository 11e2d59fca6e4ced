"""Pages that go out and pages that are held: storm control over the tables of a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rules import storms
from rules.storms import Page, Part, Quiet
from streams import letters
from streams.engines.outbox import put
from streams.sinks.alerts.message import Message, as_text, from_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.engines.book import Database
    from streams.settings import Alert

STORM: Final = "~storm:"  # before the names of timers of storms
AT_ONCE: Final = 200  # storms that one transaction ends


class Storms:
    """Storm control in one transaction: what goes out, what is held, and what was held long enough."""

    def __init__(self, db: Database, alerts: Mapping[str, Alert], now: int) -> None:
        self.db = db
        self._alerts = alerts
        self.now = now

    def quiet(self, page: Page) -> dict[str, Quiet]:
        names = [storms.storm_of(page, person) for person in page.people or ("",)]
        marks = ", ".join("?" * len(names))
        asked = f"select name, until, begun_by from storm where name in ({marks})"  # noqa: S608
        return {name: Quiet(until, by) for name, until, by in self.db.execute(asked, names)}

    def take(self, part: Part, message: Message) -> None:
        """Tell a part at once, or hold it until its storm is over."""
        if part.storm:
            body = json.dumps([part.page.escalation, part.page.target, as_text(message)])
            self.db.execute(
                "insert into held (id, storm, escalation, body) values (?, ?, ?, ?) on conflict do nothing",
                (part.name, part.storm, part.page.escalation, body),
            )
            return
        self._post(message, part.page.target, [part.page.escalation])
        self._begin(storms.silenced(part, self.now))

    def tell(self) -> int:
        """The digests of storms that are over."""
        asked = "select name from storm where until not between ? and ? order by until limit ?"
        rows = self.db.execute(asked, (self.now + 1, self.now + storms.QUIET, AT_ONCE)).fetchall()
        over = [row[0] for row in rows]
        return sum(self._over(storm) for storm in over)

    def _over(self, storm: str) -> int:
        rows = self.db.execute("select body from held where storm = ? order by rowid", (storm,)).fetchall()
        self.db.execute("delete from held where storm = ?", (storm,))
        self.db.execute("delete from storm where name = ?", (storm,))
        self.db.execute("delete from timer where name = ?", (STORM + storm,))
        held = [json.loads(row[0]) for row in rows]
        for name, told in storms.gathered(held, lambda one: one[0]):
            messages = [from_text(one[2]) for one in told]
            message = messages[0] if len(told) == 1 else letters.gathered(name, messages, self.now)
            self._post(message, told[0][1], [one[0] for one in told])
            self._begin({storm: Quiet(self.now + storms.QUIET, "")})
        return bool(held)

    def _begin(self, storms_begun: Mapping[str, Quiet]) -> None:
        """What is quiet already stays so no longer than it was: somebody may be held in it."""
        for name, quiet in storms_begun.items():
            known = self.db.execute("select until from storm where name = ?", (name,)).fetchone()
            if known is None or not self.now < known[0] <= self.now + storms.QUIET:
                self._hold(name, quiet)

    def _hold(self, name: str, quiet: Quiet) -> None:
        self.db.execute(
            "insert into storm values (?, ?, ?) on conflict (name) do update"
            " set until = excluded.until, begun_by = excluded.begun_by",
            (name, *quiet),
        )
        self.db.execute(
            "insert into timer values (?, '', ?, '') on conflict (name) do update set due = excluded.due",
            (STORM + name, quiet.until),
        )

    def _post(self, message: Message, target: str, about: Iterable[str]) -> None:
        letter = letters.letter(message, target, self._alerts, self.now)
        put(self.db, [letter])
        rows = [(name, letter.dedup, letter.route) for name in about]
        self.db.executemany("insert into told values (?, ?, ?) on conflict do nothing", rows)

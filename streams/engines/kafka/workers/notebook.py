"""What the workers of model reviewers remember, in one file: what was asked and cost, and what was told of which proposal.

The file is a journal of its own with the ledger in it. A proposal that comes again is answered with the same events, and no
model is asked; so a worker may end anywhere between asking and committing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rules.events import Event, event_id
from streams.engines.codec import TYPES, revive
from streams.engines.journal import Journal
from streams.judges.ledger import NOTEBOOK, Ledger
from streams.memory import verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

TABLE: Final = """create table if not exists told_of (
    record text not null, reviewer text not null, at text not null, events text not null,
    primary key (record, reviewer)) strict, without rowid"""


def place(id_: str, partition: int, offset: int) -> str:
    """The name of a record: handed in again, the same event is another record, and what failed is tried again."""
    return f"{id_}:{partition}:{offset}"


class Notebook:
    """The file in `folder`/twohand. Several processes share it; one thread uses this object. Errors: JournalUnusable."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder / "twohand" / NOTEBOOK)
        self.ledger = Ledger(self._journal)
        with self._journal.transaction() as db:
            db.execute(TABLE)

    def close(self) -> None:
        self._journal.__exit__()

    def told(self, record: str, reviewer: str) -> list[Event] | None:
        """What was told of a record, named as `place` does; None where it was not handled to its end."""
        rows = self._journal.ask("select events from told_of where record = ? and reviewer = ?", (record, reviewer))
        return [self._event(name) for name in json.loads(rows[0][0])] if rows else None

    def keep(self, record: str, reviewer: str, events: Sequence[Event], at: str) -> None:
        """What is told of a record, before it is published."""
        names = json.dumps([event_id(event) for event in events])
        with self._journal.transaction() as db:
            self._journal.append_in(db, events)
            db.execute("insert or replace into told_of values (?, ?, ?, ?)", (record, reviewer, at, names))

    def heard(self, events: Iterable[Event]) -> None:
        """What others said that matters to who may judge."""
        self._journal.append(events)

    def history(self, change: str) -> list[Event]:
        """What was told and heard of a change, signatures verified again (law 19)."""
        return [verified(event) for event in self._journal.events(change)]

    def _event(self, name: str) -> Event:
        (row,) = self._journal.ask("select type, at, body from log where event_id = ?", (name,))
        return revive(TYPES[row[0]], json.loads(row[2]), row[1])

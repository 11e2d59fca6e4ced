"""What became of the messages about an escalation, and when the next is due."""

from collections.abc import Iterable
from typing import NamedTuple

from rules import instants
from streams.engines.journal import Journal


class Letter(NamedTuple):
    """One message through one route; `reason` says why it has not been taken yet, or never will be."""

    route: str
    state: str
    attempts: int
    reason: str


def letters(journal: Journal, escalations: Iterable[str]) -> dict[str, list[Letter]]:
    """By escalation, in the order in which they were written; nothing in a journal that never held any."""
    if not _has(journal, "outbox"):
        return {}
    asked = "select route, state, attempts, reason from outbox where dedup = ? order by number"
    return {name: [Letter(*row) for row in journal.ask(asked, (name,))] for name in escalations}


def due(journal: Journal, escalations: Iterable[str]) -> dict[str, str]:
    """By escalation, the instant of its next page; none where nobody will be paged again."""
    if not _has(journal, "timer"):
        return {}
    rows = ((name, journal.ask("select min(due) from timer where name = ?", (name,))[0][0]) for name in escalations)
    return {name: instants.text_of(at) for name, at in rows if at is not None}


def _has(journal: Journal, table: str) -> bool:
    return bool(journal.ask("select 1 from sqlite_master where name = ?", (table,)))

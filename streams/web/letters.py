"""What became of the messages about an escalation."""

from collections.abc import Iterable
from typing import NamedTuple

from streams.engines.journal import Journal


class Letter(NamedTuple):
    """One message through one route; `reason` says why it has not been taken yet, or never will be."""

    route: str
    state: str
    attempts: int
    reason: str


def letters(journal: Journal, escalations: Iterable[str]) -> dict[str, list[Letter]]:
    """By escalation, in the order in which they were written; nothing in a journal that never held any."""
    if not journal.ask("select 1 from sqlite_master where name = 'outbox'"):
        return {}
    asked = "select route, state, attempts, reason from outbox where dedup = ? order by number"
    return {name: [Letter(*row) for row in journal.ask(asked, (name,))] for name in escalations}

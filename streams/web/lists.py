"""The lists of changes and escalations: chosen, in order, in pages."""

from collections.abc import Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from streams.web.ledger import Entry, Escalation, Standing

PAGE: Final = 25
OUTCOMES: Final = ("escalated", "blocked", "pending")
SHOWN: Final = {"waiting": "Waiting", "ended": "Ended", "all": "All"}
LONGEST: Final = 200  # characters of what somebody looks for
T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """One page of a list; pages count from 1."""

    rows: tuple[T, ...]
    number: int
    pages: int
    total: int


class Wanted(NamedTuple):
    """What somebody wants to see: which changes, for whom, holding which text."""

    show: str = "waiting"
    who: str = ""
    text: str = ""


def page(rows: Sequence[T], number: int) -> Page[T]:
    """The page of that number, or the nearest there is."""
    pages = max(1, -(-len(rows) // PAGE))
    at = min(max(number, 1), pages)
    return Page(tuple(rows[(at - 1) * PAGE : at * PAGE]), at, pages, len(rows))


def changes(standing: Standing, wanted: Wanted) -> list[Entry]:
    """What waits: escalated, blocked, pending, each the longest first. Else: the newest decision first."""
    rows = [entry for entry in standing.entries.values() if _chosen(entry, wanted)]
    if wanted.show == "waiting":
        return sorted(rows, key=_urgency)
    return sorted(rows, key=lambda entry: (entry.ended_at or entry.decided, entry.change), reverse=True)


def _chosen(entry: Entry, wanted: Wanted) -> bool:
    if not entry.outcome or (wanted.show == "waiting" and not entry.waits) or (wanted.show == "ended" and entry.waits):
        return False
    if wanted.who and wanted.who not in entry.wait.names:
        return False
    look = wanted.text.casefold()
    return not look or any(look in text.casefold() for text in (entry.branch, entry.number, entry.head, entry.change))


def _urgency(entry: Entry) -> tuple[int, str, str]:
    rank = OUTCOMES.index(entry.outcome) if entry.outcome in OUTCOMES else len(OUTCOMES)
    return rank, entry.since, entry.change


def counts(standing: Standing) -> dict[str, int]:
    """How many changes wait, by outcome."""
    found = dict.fromkeys(OUTCOMES, 0)
    for entry in standing.entries.values():
        if entry.waits:
            found[entry.outcome] = found.get(entry.outcome, 0) + 1
    return found


def waited_for(standing: Standing, most: int = 12) -> list[tuple[str, int]]:
    """For whom most changes wait."""
    found: dict[str, int] = {}
    for entry in standing.entries.values():
        for name in entry.wait.names if entry.waits else ():
            found[name] = found.get(name, 0) + 1
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))[:most]


STATES: Final = ("open", "acknowledged", "resolved")


def escalations(standing: Standing) -> list[Escalation]:
    """Open ones first, the longest open first; then the acknowledged; then what is over, the newest first."""
    return [*_asking(standing.escalations.values()), *_over(standing.escalations.values())]


def _asking(rows: Iterable[Escalation]) -> list[Escalation]:
    return sorted((one for one in rows if not one.resolved), key=lambda one: (STATES.index(one.state), one.opened))


def _over(rows: Iterable[Escalation]) -> list[Escalation]:
    return sorted((one for one in rows if one.resolved), key=lambda one: one.resolved, reverse=True)

"""A recorded change, found again in the journal by what people call it."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rules.case import Case, fold
from rules.events import ChangeProposed, DecisionMade, Event
from streams.desk import Desk
from streams.memory import verified
from streams.sources.errors import SourceError

LATEST = "latest"
SHORTEST = 4  # characters of a prefix
HEX = frozenset("0123456789abcdef")


class NotRecorded(SourceError):
    """The journal knows no such change."""

    exit_code = 2


class Ambiguous(SourceError):
    """Several recorded changes are called so."""

    exit_code = 2


class Recalled(NamedTuple):
    """One change with all that the journal holds of it, every statement verified again."""

    change: str
    events: tuple[Event, ...]

    @property
    def case(self) -> Case:
        return fold(self.events)

    @property
    def decisions(self) -> tuple[DecisionMade, ...]:
        return tuple(event for event in self.events if isinstance(event, DecisionMade))


def recall(desk: Desk, name: str) -> Recalled:
    """The change that `name` means: `latest`, the beginning of a change id, content key or head, a branch, or `#number`.

    Errors: NotRecorded, Ambiguous."""
    if not desk.journal_path.exists():
        raise NotRecorded("Nothing is recorded in this repository.", remedy=_record(desk, name))
    found = _newest(desk) if name == LATEST else _meant(desk, name)
    if not found:
        raise NotRecorded(f"{name!r} is no recorded change.", remedy=_record(desk, name))
    if len(found) > 1:
        raise Ambiguous(
            f"{name!r} means {len(found)} recorded changes: {', '.join(key[:16] for key in found[:5])}.",
            remedy="Give more of the change id.",
        )
    return Recalled(found[0], tuple(map(verified, desk.journal.events(found[0]))))


def _record(desk: Desk, name: str) -> str:
    head = f" --head {name}" if name != LATEST and _commit(desk, name) else ""
    return f"Record it with `twohand review{head}`; `twohand explain latest` shows the newest."


def _newest(desk: Desk) -> list[str]:
    newest = ""
    for event in desk.journal.events():
        newest = event.change if isinstance(event, DecisionMade) else newest
    return [newest] if newest else []


def _meant(desk: Desk, name: str) -> list[str]:
    """The first sort of name that fits anything; of changes with one content or head the newest counts."""
    prefix = name.casefold()
    hexadecimal = len(prefix) >= SHORTEST and set(prefix) <= HEX
    if hexadecimal and (found := desk.journal.find_changes(prefix)):
        return found
    proposals = [event for event in desk.journal.events() if isinstance(event, ChangeProposed)]
    for says in _says(desk, name, prefix if hexadecimal else ""):
        met = {says(event): event.change for event in proposals if says(event)}
        if met:
            return list(dict.fromkeys(met.values()))
    return []


def _says(desk: Desk, name: str, prefix: str) -> Iterator[Callable[[ChangeProposed], str]]:
    """Each gives what an event is called, where `name` means it; else nothing."""
    if prefix:
        yield lambda event: event.content_key if event.content_key.startswith(prefix) else ""
        yield lambda event: event.head if event.head.startswith(prefix) else ""
    yield lambda event: event.number if event.number and name in (event.number, f"#{event.number}") else ""
    yield lambda event: event.branch if event.branch and name in (event.branch, event.branch.split("/", 2)[-1]) else ""
    if head := _commit(desk, name):
        yield lambda event: event.head if event.head == head else ""


def _commit(desk: Desk, name: str) -> str:
    try:
        return desk.repo.resolve(name)
    except SourceError:
        return ""

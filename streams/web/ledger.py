"""What the journal says of all changes at once: the latest of each, kept in memory and brought up to date by what was appended.

The journal is only read. Its first reading takes all decisions; each later one takes the rows that are new.
"""

import json
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Final, NamedTuple

from rules.events import (
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    Event,
    type_name,
)
from streams.engines.journal import Journal
from streams.web import recorded, waiting

ADMITTED: Final = "admitted"
LANDED: Final = "landed"
ENDS: Final = {type_name(ChangeMerged): LANDED, type_name(ChangeWithdrawn): "withdrawn"}
AT_ONCE: Final = 500  # decisions that are read in one question
_PROPOSED: Final = "'$.target', '$.branch', '$.number', '$.head', '$.content_key', '$.continues'"


class Entry(NamedTuple):
    """One change as a list shows it. `since` is when its present waiting began; `ended` is landed, withdrawn or taken up."""

    change: str
    first: str = ""
    target: str = ""
    branch: str = ""
    number: str = ""
    head: str = ""
    content_key: str = ""
    outcome: str = ""
    decided: str = ""
    since: str = ""
    wait: waiting.Wait = waiting.NOTHING
    authors: tuple[str, ...] = ()
    size: tuple[int, int, int] = (0, 0, 0)  # files, added, removed
    ended: str = ""
    ended_at: str = ""
    successor: str = ""  # the change that took this one up

    @property
    def waits(self) -> bool:
        """Whether somebody still has to do something."""
        return bool(self.outcome) and self.outcome != ADMITTED and not self.ended


class Escalation(NamedTuple):
    """A question to people. `levels` holds when each step was taken and whom it asked."""

    name: str
    change: str
    opened: str
    levels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reasons: tuple[str, ...] = ()
    acknowledged: str = ""
    by: str = ""
    resolved: str = ""
    how: str = ""
    lapse: int = 0  # how many acknowledgements have ended

    @property
    def state(self) -> str:
        return "resolved" if self.resolved else "acknowledged" if self.acknowledged else "open"

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, names in self.levels for name in names))


class Standing(NamedTuple):
    """What is known at one offset. Mappings are never written after they were handed out."""

    offset: int
    entries: Mapping[str, Entry]
    escalations: Mapping[str, Escalation]


class Ledger:
    """The standing of one journal; safe for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mark: tuple[int, str] = (0, "")  # offset and hash of the last row that was read
        self._entries: dict[str, Entry] = {}
        self._escalations: dict[str, Escalation] = {}
        self._branches: dict[tuple[str, str], str] = {}
        self._contents: dict[str, str] = {}

    def standing(self, journal: Journal) -> Standing:
        """Everything up to the newest row. Errors: JournalUnusable."""
        with self._lock:
            newest = (journal.ask("select offset, hash from log order by offset desc limit 1") or [(0, "")])[0]
            if newest != self._mark:
                self._advance(journal, newest)
            return Standing(self._mark[0], dict(self._entries), dict(self._escalations))

    def _advance(self, journal: Journal, newest: tuple[int, str]) -> None:
        if self._mark[0] and not journal.ask("select 1 from log where offset = ? and hash = ?", self._mark):
            self._forget()  # another file stands in its place: a backup, or a new one
        span = (self._mark[0], newest[0])
        self._follow(journal, span)
        self._decide(journal, span)
        self._escalate(journal, span)
        self._mark = newest

    def _forget(self) -> None:
        self._mark = (0, "")
        for kept in (self._entries, self._escalations, self._branches, self._contents):
            kept.clear()

    def _follow(self, journal: Journal, span: tuple[int, int]) -> None:
        """Proposals and ends in their order: what was withdrawn may be proposed again."""
        query = (
            f"select key, at, type, json_extract(body, {_PROPOSED}) from log where type in (?, ?, ?)"  # noqa: S608
            " and offset > ? and offset <= ? order by offset"
        )
        for key, at, kind, text in journal.ask(query, (type_name(ChangeProposed), *ENDS, *span)):
            entry = self._entries.get(key) or Entry(key, first=at)
            if kind in ENDS:
                self._entries[key] = entry._replace(ended=ENDS[kind], ended_at=at)
            else:
                self._propose(entry, at, json.loads(text))

    def _propose(self, entry: Entry, at: str, said: list[Any]) -> None:
        target, branch, number, head, content, continues = said
        key = entry.change
        if entry.ended != LANDED:
            entry = entry._replace(ended="", ended_at="", successor="")
        self._entries[key] = entry._replace(target=target, branch=branch, number=number, head=head, content_key=content)
        self._take_up(key, at, branch and (target, branch), continues or ())
        self._contents[content] = key

    def _take_up(self, key: str, at: str, place: Any, continues: Iterable[str]) -> None:
        """A newer proposal of a branch, or one that says so, stands for the ones before it."""
        before = [self._branches.get(place, "")] if place else []
        for other in (*before, *(self._contents.get(content, "") for content in continues)):
            if (entry := self._entries.get(other)) and other != key and not entry.ended:
                self._entries[other] = entry._replace(ended="taken up", ended_at=at, successor=key)
        if place:
            self._branches[place] = key

    def _decide(self, journal: Journal, span: tuple[int, int]) -> None:
        newest: dict[str, int] = {}
        for key, at, offset, outcome in _rows(journal, DecisionMade, "key, at, offset, body ->> '$.outcome'", span):
            entry = self._entries.get(key) or Entry(key, first=at)
            since = "" if outcome == ADMITTED else entry.since or at
            self._entries[key] = entry._replace(outcome=outcome, decided=at, since=since)
            newest[key] = offset
        offsets = sorted(newest.values())
        for first in range(0, len(offsets), AT_ONCE):
            for key, text in _bodies(journal, offsets[first : first + AT_ONCE]):
                self._entries[key] = _told(self._entries[key], recorded.decision(text))

    def _escalate(self, journal: Journal, span: tuple[int, int]) -> None:
        kinds = (EscalationOpened, EscalationAcknowledged, EscalationResolved)
        query = (
            "select key, type, at, body from log where type in (?, ?, ?) and offset > ? and offset <= ? order by offset"
        )
        for key, kind, at, text in journal.ask(query, (*map(type_name, kinds), *span)):
            body = json.loads(text)
            name = body["escalation"]
            one = self._escalations.get(name) or Escalation(name, key, at)
            self._escalations[name] = _moved(one, kind, at, body)


def _moved(one: Escalation, kind: str, at: str, body: Mapping[str, Any]) -> Escalation:
    """The escalation after one event; an acknowledgement holds until a later lapse asks again."""
    lapse = body.get("lapse", 0)
    if kind == type_name(EscalationOpened):
        heard = {"acknowledged": "", "by": ""} if lapse > one.lapse else {}
        reasons = one.reasons or tuple(body["reasons"])
        levels = (*one.levels, (at, tuple(body["asked"])))
        return one._replace(levels=levels, reasons=reasons, lapse=max(lapse, one.lapse), **heard)
    if kind == type_name(EscalationResolved):
        return one._replace(resolved=at, how=body["how"])
    return one._replace(acknowledged=at, by=body["by"]) if lapse >= one.lapse else one


def _rows(journal: Journal, kind: type[Event], asked: str, span: tuple[int, int]) -> list[tuple[Any, ...]]:
    query = f"select {asked} from log where type = ? and offset > ? and offset <= ? order by offset"  # noqa: S608
    return journal.ask(query, (type_name(kind), *span))


def _bodies(journal: Journal, offsets: list[int]) -> list[tuple[Any, ...]]:
    marks = ", ".join("?" * len(offsets))
    return journal.ask(f"select key, body ->> '$.decision' from log where offset in ({marks})", tuple(offsets))  # noqa: S608


def _told(entry: Entry, decision: Mapping[str, Any] | None) -> Entry:
    """The entry with what its latest decision says; one that cannot be read hides no other."""
    try:
        return _with(entry, decision) if decision else entry._replace(wait=waiting.UNREADABLE)
    except (KeyError, TypeError, AttributeError, ValueError):
        return entry._replace(wait=waiting.UNREADABLE)


def _with(entry: Entry, decision: Mapping[str, Any]) -> Entry:
    change = decision["change"]
    return entry._replace(
        target=change["target"],
        branch=change["branch"] or "",
        number=change["number"] or "",
        head=change["head"],
        wait=waiting.foremost(decision),
        authors=tuple(row["name"] for row in decision["authors"][:4]),
        size=(change["files"], change["added"], change["removed"]),
    )

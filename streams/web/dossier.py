"""One change with everything that the journal holds of it, as values for its page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rules.case import fold
from rules.change import FileChange
from rules.events import ChangeProposed, DecisionMade, Event
from rules.judgement import judge
from rules.record import record
from streams.engines.journal import Journal
from streams.sinks.render.differences import Difference, differences
from streams.sinks.render.people import described, known_by, said
from streams.sinks.render.sheet import GLUE
from streams.web import diffs, recorded, waiting
from streams.web.ledger import Entry, Escalation
from streams.web.letters import Letter, due, letters
from streams.web.place import Place
from streams.web.timeline import Moment, timeline

Row = Mapping[str, Any]
STATES = ("unmet", "met", "not-applicable")
ORDER = {"same": 0, "unresolved": 1, "distinct": 2}


class Requirement(NamedTuple):
    """A requirement with what it waits for; the change's own reasons have no name and the state `held`."""

    name: str
    state: str
    counted: int
    needed: int
    policy: str
    waits: tuple[waiting.Wait, ...]


class Author(NamedTuple):
    name: str
    what: str
    known_by: str
    evidence: tuple[Row, ...]
    accountable: bool


class Voice(NamedTuple):
    """A review or a statement; `axes` in the order of their weight."""

    name: str
    said: str
    verdict: str
    counts: bool
    recused: bool
    time: str
    axes: tuple[Row, ...]
    uncovered: tuple[Row, ...]


class Owned(NamedTuple):
    """Paths that the same people own in the same state."""

    state: str
    owners: tuple[str, ...]
    paths: tuple[str, ...]


class Listed(NamedTuple):
    """A changed file; `at` is its place in the proposal."""

    at: int
    path: str
    added: int
    removed: int
    findings: int


class Dossier(NamedTuple):
    """`shown` is the decision that stands: the last recorded one where the change ended, else what holds now."""

    entry: Entry
    proposed: ChangeProposed  # the newest
    shown: Row
    now: Row
    decisions: int
    differences: tuple[Difference, ...]
    requirements: tuple[Requirement, ...]
    steps: tuple[waiting.Next, ...]
    authors: tuple[Author, ...]
    voices: tuple[Voice, ...]
    owned: tuple[Owned, ...]
    findings: tuple[Row, ...]
    files: tuple[Listed, ...]
    moments: tuple[Moment, ...]
    escalations: tuple[Escalation, ...]
    letters: Mapping[str, Sequence[Letter]]
    due: Mapping[str, str]


def dossier(place: Place, journal: Journal, entry: Entry, escalations: Iterable[Escalation]) -> Dossier | None:
    """Everything about a change; None where nothing was proposed. Errors: JournalUnusable."""
    events = place.events(journal, entry.change)
    case = fold(events)
    if case.proposed is None:
        return None
    decisions = _decisions(events)
    now = record(judge(case, place.now()))
    shown = decisions[-1] if entry.ended and decisions else now
    findings = diffs.heaviest_first(shown["findings"])
    concerned = tuple(one for one in escalations if one.change == entry.change)
    return Dossier(
        entry=entry,
        proposed=case.proposed,
        shown=shown,
        now=now,
        decisions=len(decisions),
        differences=tuple(differences(decisions[-1], now)) if decisions else (),
        requirements=tuple(_requirements(shown, waiting.beginnings(decisions, now))),
        steps=tuple(waiting.next_steps(shown)),
        authors=tuple(_author(row) for row in shown["authors"]),
        voices=tuple(_voice(row) for row in sorted(shown["reviews"], key=lambda row: row.get("time") or "")),
        owned=tuple(_owned(shown)),
        findings=tuple(findings),
        files=tuple(_listed(case.proposed.files, findings)),
        moments=tuple(timeline(events)),
        escalations=concerned,
        letters=letters(journal, [one.name for one in concerned]),
        due=due(journal, [one.name for one in concerned]),
    )


def _decisions(events: Iterable[Event]) -> list[Row]:
    texts = (event.decision for event in events if isinstance(event, DecisionMade))
    return [found for text in texts if (found := recorded.decision(text))]


def _requirements(decision: Row, since: Mapping[tuple[str, str, str], str]) -> Iterable[Requirement]:
    """What holds the change as such, then what is unmet, met and does not apply."""
    by_name: dict[str, list[waiting.Wait]] = {}
    for reason in decision["reasons"]:
        called = (reason["code"], reason["subject"], reason["requirement"])
        waits = by_name.setdefault(reason["requirement"], [])
        found = waiting.wait(reason, since.get(called, ""))
        if found.what not in [one.what for one in waits]:
            waits.append(found)
    named = {row["name"] for row in decision["requirements"]}
    for name, waits in by_name.items():
        if name not in named:
            yield Requirement(name, "held", 0, 0, "", tuple(waits))
    for row in sorted(decision["requirements"], key=lambda row: STATES.index(row["state"])):
        told = tuple(by_name.get(row["name"], ())) if row["state"] == "unmet" else ()
        yield Requirement(row["name"], row["state"], row["counted"], row["needed"], row["policy"], told)


def _author(row: Row) -> Author:
    known = known_by(row["evidence"]).replace(GLUE, " ")
    return Author(row["name"], ", ".join(described(row)), known, tuple(row["evidence"]), row["accountable"])


def _voice(row: Row) -> Voice:
    axes = sorted(row["axes"], key=lambda answer: ORDER.get(answer["result"], 0))
    recused = any(answer["result"] == "same" for answer in row["recusals"]) and not row["counts"]
    return Voice(
        row["reviewer"], said(row), row["verdict"], row["counts"], recused, row.get("time") or "", tuple(axes),
        tuple(row["coverage"]["uncovered"]),
    )  # fmt: skip


def _owned(decision: Row) -> Iterable[Owned]:
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for row in decision["owners"]:
        groups.setdefault((row["state"], tuple(row["owners"])), []).append(diffs.path_for_people(row["path"]))
    return (Owned(state, owners, tuple(paths)) for (state, owners), paths in groups.items())


def _listed(files: Sequence[FileChange], findings: Sequence[Row]) -> Iterable[Listed]:
    counts: dict[str, int] = {}
    for row in findings:
        counts[row["path"]] = counts.get(row["path"], 0) + 1
    for at in diffs.order(files, findings):
        file = files[at]
        yield Listed(at, diffs.path_for_people(file.path), file.added, file.removed, counts.get(file.path, 0))

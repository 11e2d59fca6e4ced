"""What the record of one change asks of people now: decisions that are due again, the question that stands, how others ended."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rules import escalation, instants, questions
from rules.case import fold
from rules.decision import ADMITTED, OUTCOMES, PENDING
from rules.events import (
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    DeadlinePassed,
    DecisionMade,
    Event,
    ReviewerRestored,
    ReviewerSuspended,
    ReviewGiven,
    WaiverGranted,
)
from rules.judgement import judge, read_laws
from rules.questions import BREAK_GLASS, Question, Stand
from rules.record import record
from streams.letters import Row, texts
from streams.memory import Memory, decided, verified
from streams.sources import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rules.policy import Policy
    from streams.engines.book import Book
    from streams.engines.journal import Journal

EVIDENCE = (ChangeProposed, ReviewGiven, WaiverGranted, DeadlinePassed, ReviewerSuspended, ReviewerRestored)
ENDS = {"approved": "approve", "reviewed": "approve", "waived": "waive", "refused": "object"}


class Asked(NamedTuple):
    """A question, with what its messages are made of."""

    question: Question
    record: dict[str, Any]
    place: int  # of the policy that asks
    by: str = ""
    why: str = ""


class End(NamedTuple):
    """An escalation that is over; `by` are those whose word ended it, empty where nobody's did."""

    one: escalation.Escalation
    how: str
    by: str = ""


class Change(NamedTuple):
    """One change as the record holds it."""

    events: tuple[Event, ...]

    @property
    def proposed(self) -> ChangeProposed | None:
        return next((event for event in reversed(self.events) if isinstance(event, ChangeProposed)), None)

    @property
    def decisions(self) -> list[DecisionMade]:
        return [event for event in self.events if isinstance(event, DecisionMade)]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(made.decision) for made in self.decisions]

    @property
    def stand(self) -> Stand | None:
        """None before the newest content was decided."""
        decisions, proposed = self.decisions, self.proposed
        if not decisions or proposed is None:
            return None
        last = decisions[-1]
        stamps = json.loads(last.decision)["stamps"]
        landed = any(isinstance(event, ChangeMerged) for event in self.events)
        withdrawn = fold(self.events).withdrawn
        return Stand(proposed.content_key, last.outcome, "waived" in stamps, landed=landed, withdrawn=withdrawn)


def change_of(journal: Book, key: str) -> Change:
    return Change(tuple(journal.events(key)))


def again(journal: Journal, change: Change, at: str) -> list[Event]:
    """The decision that newer evidence asks for, where it says something else than the last one.

    Decided from the record alone, with every signature verified again (law 19); a door that lets something in decides for itself (law 7).
    """
    proposed, decisions = change.proposed, change.decisions
    if proposed is None or not _is_newer(change.events) or _is_over(change):
        return []
    glass = Memory(journal).open_glass(proposed.change, at, proposed.laws)
    fresh = replace(proposed, break_glass_open_since=glass, at=at)
    told = [fresh] if glass != proposed.break_glass_open_since else []
    made = decided(judge(fold([*map(verified, change.events), *told]), at))
    if decisions and _gist(decisions[-1]) == _gist(made):
        return []
    return [*told, made]


def late(change: Change, due: int, at: str) -> DeadlinePassed:
    """Nobody who was awaited answered in time (law 39)."""
    assert change.proposed is not None
    key = change.proposed.content_key
    return DeadlinePassed(change=change.proposed.change, content_key=key, due=instants.text_of(due), at=at)


def overdue(change: Change, due: int, at: str) -> list[Event]:
    """That a deadline has passed, and what is decided then."""
    passed = late(change, due, at)
    return [passed, decided(judge(fold([*map(verified, change.events), passed]), at))]


def deadline(change: Change) -> int | None:
    """When the time of those who are awaited is up: whom a pending decision awaits, and reviewers before there is any."""
    proposed = change.proposed
    if proposed is None or _is_over(change):
        return None
    made = next((row for row in change.decisions[-1:] if row.content_key == proposed.content_key), None)
    case = fold(event for event in change.events if not isinstance(event, ReviewGiven | WaiverGranted))
    first = case.first_seen.get(proposed.content_key, proposed.at)
    over = proposed.content_key in case.overdue or (made is not None and made.outcome != PENDING)
    if over or not instants.is_instant(first):
        return None
    waits = _patience(proposed, json.loads(made.decision) if made else None)
    return instants.seconds_of(first) + min(waits) if waits else None


def _patience(proposed: ChangeProposed, made: dict[str, Any] | None) -> list[int]:
    """Seconds that the policy whose opinion stands gives them; before there is a decision, those of each policy."""
    places = range(len(read_laws(proposed.laws))) if made is None else [leading(made, proposed)]
    policies = (policy_at(proposed, place) for place in places)
    return [policy.escalation.deadline for policy in policies if policy]


def leading(made: dict[str, Any], proposed: ChangeProposed) -> int:
    """The place of the policy whose opinion stands: the worst that could be read."""
    laws = read_laws(proposed.laws)
    rows = [(OUTCOMES.index(row["outcome"]), at) for at, row in enumerate(made["policy"]) if laws[at].policy]
    return min(rows)[1] if rows else 0


def policy_at(proposed: ChangeProposed, place: int) -> Policy | None:
    laws = read_laws(proposed.laws)
    return laws[place].policy if place < len(laws) else None


def asked(change: Change, *, continued: bool = False) -> Asked | None:
    """What the change asks people now: to answer, or to review what somebody let in by break-glass (law 35).

    `continued`: a later push took it up again and is asked about instead.
    """
    proposed, records = change.proposed, change.records
    if proposed is None or not records:
        return None
    if broken := glass(change):
        return broken
    found = None if continued or _is_over(change) else questions.asked(records)
    if found is None or found.content != proposed.content_key:
        return None
    return Asked(found, records[-1], leading(records[-1], proposed))


def glass(change: Change) -> Asked | None:
    """What a break-glass that let the change in has skipped, while nobody independent has looked at it since."""
    proposed, decisions = change.proposed, change.decisions
    broken = [event for event in change.events if isinstance(event, WaiverGranted) and _breaks(event)]
    if not broken or proposed is None or not decisions or decisions[-1].outcome != ADMITTED:
        return None
    at = decisions[-1].at
    without = record(judge(fold(map(verified, (event for event in change.events if event not in broken))), at))
    statement = statements.read(broken[0].statement)
    if without["outcome"] == ADMITTED or statement is None:
        return None
    first = next(made.at for made in decisions if made.outcome == ADMITTED)
    question = questions.of_record(without, instants.seconds_of(first), (BREAK_GLASS,))
    return Asked(
        question._replace(asks=tuple(name for name in skipped(without) if name != statement.by)),
        without,
        leading(without, proposed),
        statement.by,
        statement.reason,
    )


def skipped(made: dict[str, Any]) -> tuple[str, ...]:
    """Everybody whose answer a decision waits for."""
    owners = {name for row in made["owners"] if row["state"] == "awaited" for name in row["owners"]}
    waiting = {name for row in made["requirements"] if row["state"] == "unmet" for name in row["waiting_for"]}
    return tuple(sorted(owners | waiting))


def row_for(change: Change, found: Asked, law: str) -> Row:
    """The escalation of a question: the one that is open already, else a new one that nobody was asked about yet."""
    proposed = change.proposed
    assert proposed is not None
    known = escalation.fold(change.events)
    question = found.question
    same = (one for one in known.values() if not one.how and is_about(one, question))
    number = len(known)
    name = escalation.name_of(proposed.change, question.content, number)
    one = next(same, None) or replace(
        escalation.question(name, proposed.change, question.content, question.since), reasons=question.reasons
    )
    first, later = texts(found.record, question, one.name, by=found.by, why=found.why)
    return Row(one, law, found.place, question.asks, question.low, question.session, first, later)


def is_about(one: escalation.Escalation, question: Question) -> bool:
    kinds = {reasons[:1] == (BREAK_GLASS,) for reasons in (one.reasons, question.reasons)}
    return one.content == question.content and len(kinds) == 1


def ended(change: Change, found: Asked | None, *, continued: bool = False) -> list[End]:
    """The open escalations that are over, how each ended, and by whose word."""
    stand = change.stand
    rows = []
    for one in escalation.fold(change.events).values():
        if one.how or stand is None or (found and is_about(one, found.question)):
            continue
        if one.reasons[:1] == (BREAK_GLASS,):
            how = "reviewed"
        else:
            how = "reworked" if continued else questions.ending(one, stand) or "answered"
        rows.append(End(one, how, _speakers(change, how)))
    return rows


def _speakers(change: Change, how: str) -> str:
    """`alice, bob`: whose statements count in the newest decision as those that ended a question so."""
    names = [
        row["reviewer"] for row in change.records[-1]["reviews"] if row["counts"] and row["verdict"] == ENDS.get(how)
    ]
    return ", ".join(sorted(set(names)))


def _is_newer(events: Sequence[Event]) -> bool:
    """Whether evidence came after the last decision."""
    last = max((at for at, event in enumerate(events) if isinstance(event, DecisionMade)), default=-1)
    return any(isinstance(event, EVIDENCE) for event in events[last + 1 :])


def _is_over(change: Change) -> bool:
    """Landed or withdrawn, and not proposed again since."""
    over = False
    for event in change.events:
        if isinstance(event, ChangeMerged | ChangeWithdrawn):
            over = True
        elif isinstance(event, ChangeProposed):
            over = False
    return over


def _gist(made: DecisionMade) -> object:
    """What of a decision people would notice."""
    told = json.loads(made.decision)
    codes = [(row["code"], row["subject"]) for row in told["reasons"]]
    return made.content_key, made.outcome, codes, told["escalation"], told["stamps"]


def _breaks(event: WaiverGranted) -> bool:
    statement = statements.read(event.statement)
    return statement is not None and statement.break_glass

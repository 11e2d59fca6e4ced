"""Decisions made again from a file of events: the audit of what was recorded (law 19, 38, 42).

Nothing in the file is believed: ids are digests, signatures are verified again, and every recorded decision is compared,
byte for byte, with the one that the law makes of the events before it. A proposal is its source's word; it is not signed.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from rules import instants
from rules.canonical import canonical, plain
from rules.case import Case, evolve
from rules.events import ChangeProposed, DecisionMade, Event, LawText, ReviewGiven, WaiverGranted, body, event_id
from rules.judgement import Judgement, judge
from rules.record import record
from streams import memory
from streams.engines.codec import MAX_LINE, Undecodable, decode

SAME, DIFFERS = "same", "differs"


class BadLine(NamedTuple):
    """A line that is no event of ours. Lines count from 1."""

    line: int
    reason: str


class Recorded(NamedTuple):
    """A recorded decision, made again. `difference` names the first place where the two are not equal."""

    line: int
    decided_at: str
    outcome: str
    result: str
    difference: str = ""


@dataclass(slots=True)
class Course:
    """One change as the file tells it."""

    change: str
    case: Case = field(default_factory=Case)
    last: str = ""  # the latest instant that its events name
    proposals: list[ChangeProposed] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    trouble: str = ""  # why it cannot be decided


@dataclass(slots=True)
class Replay:
    """A whole file, folded. Courses stand in the order in which their changes first appear."""

    courses: dict[str, Course] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)
    events: int = 0  # different ones
    repeats: int = 0
    verified: int = 0  # statements whose signature holds
    unverified: int = 0

    @property
    def differing(self) -> int:
        return sum(row.result == DIFFERS for course in self.courses.values() for row in course.recorded)


def replay(stream: IO[bytes], *, verify: Callable[[Event], Event] = memory.verified) -> Replay:
    """Fold every line. Total: what cannot be read is a `BadLine`, and nothing is skipped silently."""
    told = Replay()
    seen: set[str] = set()
    for number, line in _lines(stream):
        if line.strip():
            _take(told, seen, (number, line), verify)
    return told


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines and their numbers; of one that is too long only as much as shows it."""
    number = 0
    while line := stream.readline(MAX_LINE + 2):
        number += 1
        yield number, line.rstrip(b"\r\n")
        while not line.endswith(b"\n") and line:
            line = stream.readline(MAX_LINE)


def _take(told: Replay, seen: set[str], row: tuple[int, bytes], verify: Callable[[Event], Event]) -> None:
    number, line = row
    try:
        event = decode(line)
    except Undecodable as error:
        told.bad.append(BadLine(number, str(error)))
        return
    name = event_id(event)
    if name in seen:
        told.repeats += 1
        return
    seen.add(name)
    told.events += 1
    course = told.courses.setdefault(event.change, Course(event.change))
    course.last = max(course.last, event.at)
    _fold(course, number, _heard(told, event, verify))


def _heard(told: Replay, event: Event, verify: Callable[[Event], Event]) -> Event:
    """The event with the signer that verification finds now."""
    if not isinstance(event, ReviewGiven | WaiverGranted) or not event.statement:
        return event
    checked = verify(event)
    if getattr(checked, "signer", None):
        told.verified += 1
    else:
        told.unverified += 1
    return checked


def _fold(course: Course, number: int, event: Event) -> None:
    if isinstance(event, DecisionMade):
        course.recorded.append(_compared(course, number, event))
    if isinstance(event, ChangeProposed):
        course.proposals.append(event)
    try:
        course.case = evolve(course.case, event)
    except Exception as error:  # noqa: BLE001 - the law is total; should it fail, the audit says so and goes on
        course.trouble = f"line {number} cannot be folded: {_words(error)}"


def _compared(course: Course, number: int, event: DecisionMade) -> Recorded:
    """The recorded decision against the one that follows from the events before it."""
    at = _decided_at(event.decision)
    if not instants.is_instant(at):
        return Recorded(number, "", event.outcome, DIFFERS, "it does not say when it was decided")
    differences = []
    for case in _cases(course, event):
        difference = _difference(case, event, at)
        if not difference:
            course.case = case  # the head that was decided on is the one that stands
            return Recorded(number, at, event.outcome, SAME)
        differences.append(difference)
    why = differences[0] if differences else "no change was proposed before it"
    return Recorded(number, at, event.outcome, DIFFERS, why)


def _cases(course: Course, event: DecisionMade) -> Iterator[Case]:
    """The case as it stands, and as it stood when a head came back: a log records an equal proposal only once."""
    if course.case.proposed is None:
        return
    yield course.case
    for proposal in reversed(course.proposals):
        if proposal is not course.case.proposed and proposal.content_key == event.content_key:
            yield evolve(course.case, proposal)


def _difference(case: Case, event: DecisionMade, at: str) -> str:
    try:
        again = memory.decided(judge(case, at))
    except Exception as error:  # noqa: BLE001 - as above
        return f"it cannot be made again: {_words(error)}"
    if canonical(body(again)) == canonical(body(event)) and event.at == again.at:
        return ""
    return _first_difference(_read(event.decision), _read(again.decision), "decision") or _first_difference(
        plain(body(event)) | {"at": event.at}, plain(body(again)) | {"at": again.at}, "event"
    )


def _first_difference(recorded: Any, again: Any, where: str) -> str:
    """`where.key[2]: ... was recorded, ... follows`; "" where the two are equal."""
    if isinstance(recorded, dict) and isinstance(again, dict):
        keys = sorted(recorded.keys() | again.keys())
        found = (_first_difference(recorded.get(key), again.get(key), f"{where}.{key}") for key in keys)
        return next(filter(None, found), "")
    if isinstance(recorded, list) and isinstance(again, list):
        if len(recorded) != len(again):
            return f"{where}: {len(recorded)} were recorded, {len(again)} follow"
        pairs = enumerate(zip(recorded, again, strict=True))
        return next(filter(None, (_first_difference(a, b, f"{where}[{at}]") for at, (a, b) in pairs)), "")
    if recorded == again and type(recorded) is type(again):
        return ""
    return f"{where}: {_short(recorded)} was recorded, {_short(again)} follows"


def _read(decision: str) -> Any:
    try:
        return json.loads(decision)
    except (ValueError, RecursionError):
        return decision


def _decided_at(decision: str) -> str:
    read = _read(decision)
    at = read.get("decided_at") if isinstance(read, dict) else None
    return at if isinstance(at, str) else ""


def _short(value: Any) -> str:
    text = canonical(value).decode("utf-8", "replace")
    return text if len(text) <= 120 else text[:117] + "..."


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def final(course: Course, texts: tuple[LawText, ...] | None = None) -> Judgement | None:
    """What the law makes of the change at the last instant of its events; None, with `trouble`, where it can say nothing."""
    if course.case.proposed is None:
        course.trouble = course.trouble or "no change was proposed"
        return None
    try:
        judgement = judge(course.case, course.last, texts)
        record(judgement)
    except Exception as error:  # noqa: BLE001 - as above
        course.trouble = f"it cannot be decided: {_words(error)}"
        return None
    return judgement

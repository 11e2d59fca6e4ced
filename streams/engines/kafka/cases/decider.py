"""What a decider concludes from what is known of one change: pure, over the law (law 38-40).

A change is decided once the rules have spoken about its content and all is heard that its source published with it, or once
their time is up; before that an objection that is still on its way would be missed. What could not be handled blocks it until it was
retried or dropped: as a finding of its own, so that every reader of decisions sees why.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from rules import instants
from rules.case import Case, evolve
from rules.decision import RULES
from rules.events import ChangeProposed, DecisionMade, Event, ReviewGiven, WaiverGranted
from rules.findings import Finding, Tier
from rules.judgement import judge
from rules.statement import statement_id
from streams.memory import decided

LETTERS: Final = "dead-letters"  # the reviewer in whose name open letters are told
LETTER: Final = "dead-letter"  # the finding that stands for one of them
SOURCE: Final = "source"  # the reviewer in whose name a source tells what only its repository shows
BESIDE: Final = "published beside it: "  # in `read_from`, before what the source published with its proposal
SKEW: Final = 60  # seconds that another's clock may be ahead of ours and still be believed
MOST_TOLD: Final = 20  # open letters that a decision tells one by one


class Letter(NamedTuple):
    """One dead letter of a change that nobody settled. `said` is a sentence."""

    id: str
    said: str


class Known(NamedTuple):
    """A change as the store has it: its case, what it last was decided to be, and its open letters."""

    case: Case
    latest: str  # the latest instant that its events name
    digest: str = ""  # of its newest decision, see `essence`
    letters: tuple[Letter, ...] = ()


class Conclusion(NamedTuple):
    """The events that follow, to be recorded in this order; the last decision among them is new."""

    events: tuple[Event, ...] = ()
    outcome: str = ""
    digest: str = ""


def conclude(known: Known, now: str) -> Conclusion:
    """What follows for a change at this instant; nothing where it cannot be decided yet, or where nothing changed."""
    proposed = known.case.proposed
    if proposed is None:
        return Conclusion()
    told = _told(known, proposed, now)
    case = evolve(known.case, told) if told else known.case
    before: tuple[Event, ...] = (told,) if told else ()
    if not _ready(case, proposed, known.letters):
        return Conclusion(before, digest=known.digest)
    at = min(max(now, known.latest), instants.later(now, SKEW))
    judgement = judge(case, at)
    decision = decided(judgement)
    digest = essence(decision)
    after: tuple[Event, ...] = (decision,) if digest != known.digest else ()
    return Conclusion((*before, *after), judgement.outcome, digest)


def essence(decision: DecisionMade) -> str:
    """The digest of a decision without its instant: two that differ in nothing else are one."""
    instant = f'"decided_at":"{decision.at}"'
    said = decision.decision.replace(instant, '"decided_at":""')
    return sha256(f"{decision.content_key} {said}".encode("utf-8", "surrogatepass")).hexdigest()


def _ready(case: Case, proposed: ChangeProposed, letters: tuple[Letter, ...]) -> bool:
    key = proposed.content_key
    heard = {name for name, _ in case.heard} | {name for content, name in case.scans if content == key}
    return bool(letters) or key in case.overdue or heard.issuperset((RULES, *_beside(proposed)))


def beside(events: Iterable[Event]) -> str:
    """The entry of `read_from` that names what is published with a proposal: another topic may be slower."""
    names = {_name(event) for event in events if isinstance(event, ReviewGiven | WaiverGranted)}
    return BESIDE + ", ".join(sorted(filter(None, names)))


def _name(event: ReviewGiven | WaiverGranted) -> str:
    """A statement's id, else who reviewed; a forge's word has no name."""
    if event.statement:
        return statement_id(event.statement.encode("utf-8", "surrogatepass"))
    return event.reviewer if isinstance(event, ReviewGiven) and not event.account else ""


def _beside(proposed: ChangeProposed) -> Iterator[str]:
    """The names of statements and reviewers without which nothing is decided."""
    for entry in proposed.read_from:
        if entry.startswith(BESIDE):
            yield from filter(None, entry.removeprefix(BESIDE).split(", "))


def _told(known: Known, proposed: ChangeProposed, now: str) -> ReviewGiven | None:
    """The review that tells of the open letters; None where the case knows it already."""
    before = known.case.scans.get((proposed.content_key, LETTERS))
    findings = tuple(_finding(letter) for letter in sorted(known.letters)[:MOST_TOLD])
    if findings == (before.findings if before else ()):
        return None
    return ReviewGiven(
        change=proposed.change, content_key=proposed.content_key, reviewer=LETTERS, findings=findings, time=now, at=now
    )


def _finding(letter: Letter) -> Finding:
    return Finding(LETTER, Tier.BLOCK, "", "new", 0, letter.said, letter.id)

"""Numbers of integrity, not of volume: what the record says about how changes were read, waived and answered (DESIGN 9).

Pure over events: `take` folds one after the other, `values` works out the numbers at an instant.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import events as e
from rules.statement import StatementInvalid, parse, statement_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ADMITTED: Final = "admitted"
GLASS: Final = "break-glass"
HASTY: Final = "approval.hasty"
MISSING: Final = "provenance.missing"
UNDECLARED: Final = "undeclared"
DEPENDENT: Final = "not independent"


class Waiver(NamedTuple):
    """An override as it was signed. `kind` is finding, objection or break-glass."""

    id: str
    change: str
    by: str
    kind: str
    what: str
    reason: str
    at: str
    expires: str


class Verdict(NamedTuple):
    """What the newest decision of a change says."""

    outcome: str = ""
    at: str = ""
    codes: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()  # the reviewers whose approval counts
    recusals: tuple[tuple[str, str], ...] = ()  # reviewer and axis, where it is the same hand
    hasty: tuple[str, ...] = ()
    waivers: frozenset[str] = frozenset()  # the statements of waivers that count
    asks: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()  # owned paths and those of findings, the first few
    lines: int = 0

    @property
    def read(self) -> bool:
        """Whether an independent hand looked at it."""
        return bool(self.approvals) and DEPENDENT not in self.stamps


@dataclass(frozen=True, slots=True)
class Story:
    """One change over time; empty instants: it has not come to that."""

    change: str
    target: str = ""
    branch: str = ""
    head: str = ""
    first: str = ""
    decided: str = ""  # the first decision that was not pending
    admitted: str = ""
    merged: str = ""
    withdrawn: str = ""
    used: frozenset[str] = frozenset()  # waivers that a decision to admit has ever counted
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def state(self) -> str:
        return "merged" if self.merged else "withdrawn" if self.withdrawn else self.verdict.outcome or "proposed"


class Asking(NamedTuple):
    """One escalation over time."""

    change: str
    opened: str
    asked: frozenset[str] = frozenset()
    pages: int = 1
    acknowledged: str = ""  # the first time
    by: str = ""
    resolved: str = ""
    how: str = ""


class Values(NamedTuple):
    """The numbers at one instant; times in seconds."""

    changes: Mapping[str, int]  # by state: admitted, blocked, escalated, pending, merged, withdrawn
    decisions: Mapping[str, int]  # all that were ever made, by outcome
    to_decision: tuple[int, ...]
    to_approval: tuple[int, ...]
    to_merge: tuple[int, ...]
    to_acknowledge: tuple[int, ...]
    recusals: Mapping[str, int]  # by axis
    waivers: Mapping[str, int]  # in force, by kind
    oldest_waiver: int
    hasty: int
    provenance: tuple[int, int]  # changes that say who made them, of all that were decided
    unread: int  # let in without an independent approval
    escalations: Mapping[str, int]  # not resolved, by state
    oldest_escalation: int


class Meter:
    """Folds events in the order of the record."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.stories: dict[str, Story] = {}
        self.waivers: dict[str, Waiver] = {}
        self.askings: dict[str, Asking] = {}
        self.decisions: Counter[str] = Counter()

    def take(self, event: e.Event) -> None:
        """One more event; what says nothing about these numbers changes nothing."""
        if isinstance(event, e.EscalationOpened | e.EscalationAcknowledged | e.EscalationResolved):
            self._asked(event)
        elif isinstance(event, e.WaiverGranted):
            if (waiver := waiver_of(event)) is not None:
                self.waivers.setdefault(waiver.id, waiver)
        else:
            self._told(event)

    def _told(self, event: e.Event) -> None:
        one = self.stories.get(event.change, Story(event.change))
        if isinstance(event, e.ChangeProposed):
            self.stories[event.change] = replace(
                one, target=event.target, branch=event.branch, head=event.head, first=one.first or event.at
            )
        elif isinstance(event, e.DecisionMade):
            self.decisions[event.outcome] += 1
            self.stories[event.change] = _decided(one, event)
        elif isinstance(event, e.ChangeMerged):
            self.stories[event.change] = replace(one, merged=one.merged or event.at)
        elif isinstance(event, e.ChangeWithdrawn):
            self.stories[event.change] = replace(one, withdrawn=event.at)

    def _asked(self, event: e.EscalationOpened | e.EscalationAcknowledged | e.EscalationResolved) -> None:
        one = self.askings.get(event.escalation)
        if isinstance(event, e.EscalationOpened):
            first = Asking(event.change, event.at, frozenset(event.asked))
            again = one and one._replace(asked=one.asked | set(event.asked), pages=one.pages + 1)
            self.askings[event.escalation] = again or first
        elif one and isinstance(event, e.EscalationAcknowledged):
            self.askings[event.escalation] = one._replace(acknowledged=one.acknowledged or event.at, by=event.by)
        elif one and isinstance(event, e.EscalationResolved):
            self.askings[event.escalation] = one._replace(resolved=event.at, how=event.how)

    def in_force(self, at: str) -> list[Waiver]:
        """The debt, oldest first: waivers that the newest decision counts and that have not expired.

        A break-glass that let its change in is debt until somebody independent looked, however long that takes (law 35).
        """
        reviewed = {one.change for one in self.askings.values() if one.how == "reviewed"}
        found = (waiver for waiver in self.waivers.values() if self._is_debt(waiver, at, reviewed))
        return sorted(found, key=lambda waiver: waiver.at)

    def _is_debt(self, waiver: Waiver, at: str, reviewed: Collection[str]) -> bool:
        one = self.stories.get(waiver.change, Story(waiver.change))
        if waiver.kind == GLASS:
            return waiver.id in one.used and not one.verdict.read and waiver.change not in reviewed
        return waiver.expires > at and waiver.id in one.verdict.waivers

    def values(self, at: str) -> Values:
        """The numbers at an instant."""
        stories = list(self.stories.values())
        verdicts = [one.verdict for one in stories if one.verdict.outcome]
        waivers = self.in_force(at)
        open_ = [one for one in self.askings.values() if not one.resolved]
        return Values(
            changes=Counter(one.state for one in stories),
            decisions=self.decisions,
            to_decision=_spans((one.first, one.decided) for one in stories),
            to_approval=_spans((one.first, one.admitted) for one in stories),
            to_merge=_spans((one.first, one.merged) for one in stories),
            to_acknowledge=_spans((one.opened, one.acknowledged) for one in self.askings.values()),
            recusals=Counter(axis for verdict in verdicts for _, axis in verdict.recusals),
            waivers=Counter(waiver.kind for waiver in waivers),
            oldest_waiver=age(waivers[0].at, at) if waivers else 0,
            hasty=sum(len(verdict.hasty) for verdict in verdicts),
            provenance=(sum(map(_says_who, verdicts)), len(verdicts)),
            unread=sum(is_unread(one) for one in stories),
            escalations=Counter("acknowledged" if one.acknowledged else "open" for one in open_),
            oldest_escalation=max((age(one.opened, at) for one in open_), default=0),
        )


def measured(events: Iterable[e.Event], at: str) -> Values:
    """The numbers of these events at an instant."""
    meter = Meter()
    for event in events:
        meter.take(event)
    return meter.values(at)


def is_unread(one: Story) -> bool:
    """Let in, or landed, without an independent hand that approved it."""
    return bool(one.merged or one.verdict.outcome == ADMITTED) and not one.verdict.read


def waiver_of(event: e.WaiverGranted) -> Waiver | None:
    """The override; None where the text is no statement."""
    signed = event.statement.encode("utf-8", "surrogatepass")
    try:
        said = parse(signed)
    except StatementInvalid:
        return None
    kind = GLASS if said.break_glass else "objection" if said.objection_of else "finding"
    what = said.finding or said.objection_of or "missing approvals"
    return Waiver(statement_id(signed), event.change, said.by, kind, what, said.reason, event.at, said.expires)


def _decided(one: Story, event: e.DecisionMade) -> Story:
    pending, verdict = event.outcome == "pending", _verdict(event)
    return replace(
        one,
        decided=one.decided or ("" if pending else event.at),
        admitted=one.admitted or (event.at if event.outcome == ADMITTED else ""),
        used=one.used | verdict.waivers if event.outcome == ADMITTED else one.used,
        verdict=verdict,
    )


def _verdict(event: e.DecisionMade) -> Verdict:
    """What its record says; of one that is not readable, the outcome alone."""
    try:
        return _read(json.loads(event.decision), event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Verdict(event.outcome, event.at)


def _read(decision: Mapping[str, Any], event: e.DecisionMade) -> Verdict:
    reviews, reasons = decision.get("reviews", ()), decision.get("reasons", ())
    counting = [row for row in reviews if row["counts"]]
    change = decision.get("change", {})
    paths = [row["path"] for row in (*decision.get("owners", ()), *decision.get("findings", ())) if row["path"]]
    return Verdict(
        outcome=event.outcome,
        at=event.at,
        codes=tuple(sorted({row["code"] for row in reasons})),
        stamps=tuple(decision.get("stamps", ())),
        authors=tuple(row["name"] for row in decision.get("authors", ())),
        approvals=tuple(sorted({row["reviewer"] for row in counting if row["verdict"] == "approve"})),
        recusals=tuple(sorted({pair for row in reviews for pair in _same(row)})),
        hasty=tuple(sorted({row["subject"] for row in reasons if row["code"] == HASTY})),
        waivers=frozenset(row["statement"] for row in counting if row["verdict"] == "waive"),
        asks=tuple((decision.get("escalation") or {}).get("asks", ())),
        paths=tuple(dict.fromkeys(paths))[:3],
        lines=change.get("added", 0) + change.get("removed", 0),
    )


def _same(review: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return ((review["reviewer"], row["axis"]) for row in review["recusals"] if row["result"] == "same")


def _says_who(verdict: Verdict) -> bool:
    return MISSING not in verdict.codes and UNDECLARED not in verdict.stamps


def _spans(pairs: Iterable[tuple[str, str]]) -> tuple[int, ...]:
    """Seconds of each pair whose instants both are known; a clock that went back counts as none."""
    return tuple(age(start, end) for start, end in pairs if start and end)


def age(since: str, at: str) -> int:
    """Seconds since an instant; 0 where it is none or lies ahead."""
    try:
        return max(0, int((datetime.fromisoformat(at) - datetime.fromisoformat(since)).total_seconds()))
    except (ValueError, TypeError):
        return 0

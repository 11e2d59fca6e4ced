"""The state of one change, folded from events: `evolve(case, event) -> case` (law 38).

Time passes only through events. Repeats change nothing, and reviews may come in any order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from rules import events as e
from rules.canonical import digest
from rules.claims import Claim
from rules.findings import Finding, Uncovered
from rules.sshsig import NAMESPACE, Signer
from rules.sshsig import parse as parse_signature
from rules.statement import Statement, StatementInvalid, parse, statement_id

COMPLETED = "completed"  # the one status of a review that can speak for what it did not find


class Heard(NamedTuple):
    """A statement as it arrived. `signer` is what the decider's own verification found; None where it found nothing good."""

    id: str
    statement: Statement | None  # None: these bytes are no statement
    signer: Signer | None
    received: str
    by: str  # who is said to have made it, for telling about it
    account: str = ""  # whose review a forge reports, unsigned (law 21)


class Scan(NamedTuple):
    """What the rules, another scanner or a model saw in exactly this content. Only a model's has `judged`."""

    findings: tuple[Finding, ...]
    uncovered: tuple[Uncovered, ...]
    status: str
    why: str = ""
    judged: e.Judged | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One change. Dicts are never written after they were made."""

    change: str = ""
    proposed: e.ChangeProposed | None = None
    content_keys: frozenset[str] = frozenset()
    first_seen: dict[str, str] = field(default_factory=dict)  # content key -> when it was first proposed
    earlier: frozenset[tuple[str, tuple[Claim, ...]]] = frozenset()  # content keys and claims of earlier proposals
    scans: dict[tuple[str, str], Scan] = field(default_factory=dict)  # (content key, reviewer)
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)  # by statement id and key
    upheld: frozenset[str] = frozenset()  # objections that a decision found in force
    overdue: frozenset[str] = frozenset()  # content keys whose deadline passed
    asked: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()
    landed: str = ""  # the content key that landed
    withdrawn: bool = False


def evolve(case: Case, event: e.Event) -> Case:
    """Fold one event. Total: an event that says nothing new returns an equal case."""
    return FOLDS[type(event)](case, event)


def _unmoved(case: Case, _: e.Event) -> Case:
    return case


def _proposed(case: Case, event: e.ChangeProposed) -> Case:
    earlier = case.earlier
    if case.proposed and case.proposed.claims != event.claims:
        before = (case.proposed.content_key, case.proposed.claims)
        earlier = (earlier | {before}) - {(event.content_key, event.claims)}
    first_seen = case.first_seen
    if event.content_key not in first_seen:
        first_seen = {**first_seen, event.content_key: event.at}
    return replace(
        case,
        change=event.change,
        proposed=event,
        content_keys=case.content_keys | {event.content_key, *event.continues},
        first_seen=first_seen,
        earlier=earlier,
        upheld=case.upheld | set(event.upheld),
        withdrawn=False,
    )


def _reviewed(case: Case, event: e.ReviewGiven) -> Case:
    """What was seen in a content is replaced by the same reviewer's later completed look; one that failed takes nothing back."""
    if event.statement:
        return _heard(case, event.statement, event)
    if event.account:
        return _reported(case, event)
    key = (event.content_key, event.reviewer)
    scan = Scan(event.findings, event.uncovered, event.status, event.why, event.judged)
    if scan.status != COMPLETED and (before := case.scans.get(key)):
        scan = scan._replace(findings=tuple(dict.fromkeys((*before.findings, *scan.findings))))
    return replace(case, scans={**case.scans, key: scan})


def _reported(case: Case, event: e.ReviewGiven) -> Case:
    """A forge's word about a review, as what the account said."""
    when = event.time or event.at
    name = digest([event.account, event.verdict, event.head, event.content_key, when])
    if (name, event.account) in case.heard:
        return case
    statement = Statement(event.verdict, event.account, "", "", "", event.head, event.content_key, time=when)
    reported = Heard(name, statement, None, event.at, event.account, event.account)
    return replace(case, heard={**case.heard, (name, event.account): reported})


def _heard(case: Case, text: str, event: e.ReviewGiven | e.WaiverGranted) -> Case:
    """One statement under one key. What was not verified gives way to what was; another key's signature takes nobody's place."""
    signed = text.encode("utf-8", "surrogatepass")
    name = statement_id(signed)
    signer = event.signer if _consistent(event.signature, event.signer) else None
    place = (name, signer.key if signer else "")
    if place in case.heard or (not signer and any(other == name for other, _ in case.heard)):
        return case
    try:
        statement = parse(signed)
    except StatementInvalid:
        statement = None
    by = statement.by if statement else getattr(event, "reviewer", "")
    kept = {where: heard for where, heard in case.heard.items() if where != (name, "")}
    return replace(case, heard={**kept, place: Heard(name, statement, signer, event.at, by)})


def _consistent(armor: str, signer: Signer | None) -> bool:
    """Whether the verified key is the one that the signature names; verification and record may not drift apart."""
    if not signer or not armor:
        return False
    signature = parse_signature(armor.encode())
    return signature is not None and signature.key == signer.key and signature.namespace == NAMESPACE


FOLDS: dict[type[e.Event], Callable[[Case, Any], Case]] = {
    e.ChangeProposed: _proposed,
    e.ReviewGiven: _reviewed,
    e.WaiverGranted: lambda case, event: _heard(case, event.statement, event),
    e.DecisionMade: lambda case, event: replace(case, upheld=case.upheld | set(event.objections)),
    e.EscalationOpened: lambda case, event: replace(case, asked=case.asked | set(event.asked)),
    e.EscalationAcknowledged: _unmoved,
    e.EscalationResolved: _unmoved,
    e.DeadlinePassed: lambda case, event: replace(case, overdue=case.overdue | {event.content_key}),
    e.ChangeMerged: lambda case, event: replace(case, landed=event.content_key),
    e.ChangeWithdrawn: lambda case, _: replace(case, withdrawn=True),
    e.CanaryPlanted: _unmoved,
    e.ReviewerSuspended: lambda case, event: replace(case, suspended=case.suspended | {event.reviewer}),
    e.ReviewerRestored: lambda case, event: replace(case, suspended=case.suspended - {event.reviewer}),
}


def fold(events: Iterable[e.Event], case: Case | None = None) -> Case:
    """All of them, one after the other."""
    state = case or Case()
    for event in events:
        state = evolve(state, event)
    return state

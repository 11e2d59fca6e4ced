"""Facts, in the past tense: what sources, reviewers, the decider and the escalator tell each other (DESIGN 4).

Frozen standard-library dataclasses; pydantic wraps the same classes at the edge (streams.engines.codec).
`at` and `signer` travel beside the body: the first is the envelope's time, the second what the reader's own verification
found (law 19). Neither is part of an event's id (law 42).
"""

import re
from dataclasses import dataclass, fields
from typing import NamedTuple

from rules.canonical import digest
from rules.change import FileChange
from rules.claims import Claim
from rules.findings import Finding, Uncovered
from rules.sshsig import Signer

BESIDE_THE_BODY = frozenset({"at", "signer"})
ADDED = frozenset(
    {"continues", "why", "judged", "busy", "content", "round", "lapse", "since", "through", "signed", "armor"}
)  # fields that came after the first version: without a value they are no part of a body


class CommitFact(NamedTuple):
    """One commit of the change. `own_edits` is False for a merge whose result is git's own auto-merge (law 5)."""

    id: str
    own_edits: bool = True
    patch_id: str = ""  # verbatim
    signed_by: str = ""  # `type base64` of the key whose signature over this commit was verified


class Touched(NamedTuple):
    """What commits on the target touched between an earlier base and this one; None where it cannot be told (law 33)."""

    since: str
    paths: tuple[str, ...] | None


class Recorded(NamedTuple):
    """The claims of an earlier recorded change with this content or one of its patches (law 12).

    `shows`: it is the same content, or both are the same single commit, and so tells who made it (law 13).
    """

    claims: tuple[Claim, ...]
    shows: bool


class Busy(NamedTuple):
    """Until when the signer of an approval (its statement id) was approving something else (law 28)."""

    statement: str
    until: str


class LawText(NamedTuple):
    """A policy as it was read. `role` is floor, default (or guessed), target or built-in; `form` is twohand.toml or pyproject.toml."""

    role: str
    source: str
    text: str
    form: str = "twohand.toml"
    problem: str = ""  # why it is no policy, where the reader already knows


class Judged(NamedTuple):
    """How a model came to its review: what was asked for, and what answered as which model (law 22)."""

    asked: str
    reported: str = ""
    version: str = ""  # sha256 over model, prompts and limits: with another it is another reviewer
    session: str = ""
    answers: tuple[str, ...] = ()  # sha256 of each answer as it came over the wire
    tokens_in: int = 0
    tokens_out: int = 0
    redactions: int = 0  # secrets that were taken out of the diff before it left
    dropped: int = 0  # findings that quoted no line of the change


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProposed:
    """A change as its source read it (law 1-8). `commits` run over all parents, newest first."""

    change: str
    repository: str
    target: str
    base: str
    head: str
    content_key: str
    number: str = ""
    branch: str = ""
    files: tuple[FileChange, ...] = ()
    commits: tuple[CommitFact, ...] = ()
    claims: tuple[Claim, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    touched: tuple[Touched, ...] = ()
    incomplete: tuple[str, ...] = ()  # why evidence is missing
    dropped: tuple[str, ...] = ()  # commits that a rewind drops
    rewritten: bool = False
    too_large: str = ""
    self_edits: tuple[str, ...] = ()  # paths of the gate itself (law 29)
    owners_file: str = ""  # name of the owners file of the base tree; its text follows
    owners_text: str = ""
    laws: tuple[LawText, ...] = ()  # the policies to decide under, highest first (law 36)
    forges: tuple[str, ...] = ()  # hosts whose credential the settings configure (law 21)
    awaited: tuple[str, ...] = ()  # reviewers that the settings configure (law 39)
    read_from: tuple[str, ...] = ()  # the listings of statements that were read (law 40)
    upheld: tuple[str, ...] = ()  # objections that a recorded decision, of whatever change, found in force (law 18)
    continues: tuple[
        str, ...
    ] = ()  # contents of earlier pushes that did not land and that this one takes up (law 12, 34)
    busy: tuple[Busy, ...] = ()
    break_glass_open_since: str = ""  # oldest break-glass that nobody reviewed afterwards (law 35)
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGiven:
    """One review: of rules (findings), a signed statement to propose, approve, object or withdraw, or a forge's word.

    What a model saw comes unsigned, with `judged`: it may add findings. Its vote is a signed statement beside it.

    A forge says what an account did to exactly one head (law 21): `account`, `verdict`, `head` and `time` are set then.
    """

    change: str
    content_key: str
    reviewer: str
    status: str = (
        "completed"  # refused, truncated, invalid, timeout, unreachable, over-budget, recused, identity-mismatch
    )
    findings: tuple[Finding, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()
    statement: str = ""  # the signed bytes
    signature: str = ""  # armored
    account: str = ""  # host:login
    verdict: str = ""  # approve, object or withdraw
    head: str = ""
    time: str = ""  # when the forge says that it was given: the same word given again is another
    why: str = ""  # in words, where a model's review was not completed
    judged: Judged | None = None
    signer: Signer | None = None
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverGranted:
    """A signed statement to waive."""

    change: str
    content_key: str
    statement: str
    signature: str
    signer: Signer | None = None
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """A decision, whole, as canonical JSON; `objections` are the ids of those it found in force (law 34)."""

    change: str
    content_key: str
    outcome: str
    decision: str
    objections: tuple[str, ...] = ()
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationOpened:
    """People were asked. `level` counts the steps from 0, `round` their rounds, `lapse` acknowledgements that ended.

    `since` is the instant that the steps of this lapse count from, `content` the content key that is asked about.
    """

    change: str
    escalation: str
    level: int
    asked: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    content: str = ""
    round: int = 0
    lapse: int = 0
    since: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationAcknowledged:
    """Somebody has heard it, in this lapse: paging stops until the acknowledgement ends. It approves nothing.

    `through` is key, link, or the route that brought the answer; `signed` and `armor` are what a key signed.
    """

    change: str
    escalation: str
    by: str
    lapse: int = 0
    through: str = ""
    signed: str = ""
    armor: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationResolved:
    """`how` is approved, waived, reworked, withdrawn, landed, refused, answered, or reviewed (after break-glass)."""

    change: str
    escalation: str
    how: str
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed:
    """Nobody who was awaited answered in time."""

    change: str
    content_key: str
    due: str
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMerged:
    change: str
    content_key: str
    commit: str
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWithdrawn:
    change: str
    by: str
    reason: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPlanted:
    """A change with a planted defect, or its clean twin, entered the stream."""

    change: str
    canary: str
    clean: bool
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerSuspended:
    change: str
    reviewer: str
    version: str = ""
    reason: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerRestored:
    change: str
    reviewer: str
    version: str = ""
    at: str = ""


Event = (
    ChangeProposed
    | ReviewGiven
    | WaiverGranted
    | DecisionMade
    | EscalationOpened
    | EscalationAcknowledged
    | EscalationResolved
    | DeadlinePassed
    | ChangeMerged
    | ChangeWithdrawn
    | CanaryPlanted
    | ReviewerSuspended
    | ReviewerRestored
)
EVENTS: tuple[type[Event], ...] = Event.__args__


def _named(kind: type[Event]) -> str:
    return f"dev.twohand.{re.sub('(?<!^)(?=[A-Z])', '-', kind.__name__).lower()}.v1"


_NAMES = {kind: _named(kind) for kind in EVENTS}
_SAID = {kind: tuple(field.name for field in fields(kind) if field.name not in BESIDE_THE_BODY) for kind in EVENTS}


def type_name(kind: type[Event]) -> str:
    """The CloudEvents type: `dev.twohand.change-proposed.v1`."""
    return _NAMES[kind]


def body(event: Event) -> dict[str, object]:
    """What the event says, without what travels beside it."""
    said = ((name, getattr(event, name)) for name in _SAID[type(event)])
    return {name: value for name, value in said if value or name not in ADDED}


def event_id(event: Event) -> str:
    """Law 42: sha256 of type and canonical body, 64 hex digits."""
    return digest({"type": type_name(type(event)), "body": body(event)})

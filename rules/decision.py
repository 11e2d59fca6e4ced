"""The decision: pure, total, with its reasons as data (law 38-41)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from rules import independence, waivers
from rules.ballots import Ballot, Court, court
from rules.case import Case
from rules.events import ChangeProposed
from rules.findings import Finding, Tier, Uncovered
from rules.gate_paths import is_gate_path
from rules.independence import Hand
from rules.lineage import declared
from rules.owners import Owners
from rules.owners import parse as parse_owners
from rules.owning import Owning
from rules.paths import unquote
from rules.policy import Policy, Requirement
from rules.principals import Registry
from rules.provenance import Authorship, authorship
from rules.reasons import FINDING, Commands, Reason
from rules.requirements import NOT_APPLICABLE, Room, Ruling, ask_owners, covering, rule
from rules.votes import Standing, Voice, objections, said, voices, votes
from rules.when import Facts, language_of, matched

BLOCKED, ESCALATED, PENDING, ADMITTED = "blocked", "escalated", "pending", "admitted"
OUTCOMES = (BLOCKED, ESCALATED, PENDING, ADMITTED)  # worst first
RULES = "rules"  # the reviewer that runs the catalogue


@dataclass(frozen=True, slots=True)
class Decision:
    """What one policy makes of one case; streams.sinks.render.data writes it as `twohand.decision/v1`."""

    outcome: str
    reasons: tuple[Reason, ...]
    rulings: tuple[Ruling, ...]
    made: Authorship
    ballots: tuple[Ballot, ...]
    voices: tuple[Voice, ...]
    findings: tuple[Finding, ...]
    waived: tuple[str, ...]
    owned: tuple[tuple[str, tuple[str, ...], str], ...]  # path, people, state
    objections: tuple[str, ...]  # statement ids in force
    stamps: tuple[str, ...]


class Sitting(NamedTuple):
    """Everything worked out about one case under one policy, before the outcome."""

    case: Case
    proposed: ChangeProposed
    policy: Policy
    registry: Registry
    made: Authorship
    court: Court
    all_voices: tuple[Voice, ...]
    ballots: tuple[Ballot, ...]
    owning: Owning
    owners_file: Owners | None
    findings: tuple[Finding, ...]
    uncovered: tuple[Uncovered, ...]
    waived: waivers.Waived
    raw: tuple[bytes, ...]  # the paths
    commands: Commands
    at: str

    def people(self, at: int) -> frozenset[str]:
        return self.owning.of(self.raw[at]).people


class _ByMeaning:
    """A policy as the key of a cache: policies of one digest enrol the same hands."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return hash(self.policy.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByMeaning) and other.policy.digest == self.policy.digest


@lru_cache(maxsize=32)
def _registry(key: _ByMeaning) -> Registry:
    return Registry(key.policy)


@lru_cache(maxsize=32)
def owners_of(name: str, text: str) -> Owners | None:
    return parse_owners(text.encode("utf-8", "surrogateescape"), name) if name else None


def decide(case: Case, policy: Policy, at: str) -> Decision:
    """Decide under one policy. ValueError where no change was proposed yet: there is nothing to decide."""
    if case.proposed is None:
        raise ValueError("a case without a proposed change cannot be decided")
    sitting = _sit(case, case.proposed, policy, at)
    return _judge(sitting)


def _sit(case: Case, proposed: ChangeProposed, policy: Policy, at: str) -> Sitting:
    registry = _registry(_ByMeaning(policy))
    all_voices = voices(case, registry, at)
    made = authorship(proposed, said(all_voices, proposed), sorted(case.earlier), registry)
    bench = court(made, independence.ground(made, policy.independence), policy.independence)
    standing = Standing(proposed, policy.independence, case.first_seen.get(proposed.content_key, ""), at)
    ballots = tuple(bench.ballot(vote) for vote in votes(all_voices, registry, standing))
    owners_file = owners_of(proposed.owners_file, proposed.owners_text)
    owning = Owning(policy, registry, owners_file, _recusal(bench, ballots, registry))
    findings, uncovered = _scanned(case, proposed)
    commands = _commands(proposed, made, registry)
    measured = waivers.Bench(
        policy, registry, proposed, [hand for _, hand in bench.pairs], owning, findings, commands, at
    )
    return Sitting(
        case, proposed, policy, registry, made, bench, all_voices, ballots, owning, owners_file, findings, uncovered,
        waivers.waived(all_voices, measured), tuple(unquote(file.path) for file in proposed.files), commands, at,
    )  # fmt: skip


def _commands(proposed: ChangeProposed, made: Authorship, registry: Registry) -> Commands:
    tool = min((author.tool for author in made.authors if author.kind == "agent" and author.tool), default="")
    people = [a.principal for a in made.authors if a.kind == "human" and a.principal] or [
        a.operator for a in made.authors
    ]
    known = sorted(name for name in people if registry.named(name))
    return Commands(proposed.head, proposed.target, tool=tool, proposer=known[0] if known else "")


def _recusal(bench: Court, ballots: Iterable[Ballot], registry: Registry) -> Any:
    voted = {ballot.name: ballot.spoiled for ballot in ballots}
    known: dict[str, bool] = {}

    def recused(name: str) -> bool:
        """Whether this enrolled name would be recused as self-review, by its ballot where it gave one."""
        if name in voted:
            return voted[name]
        if name not in known:
            known[name] = _would_recuse(name, bench, registry)
        return known[name]

    return recused


def _would_recuse(name: str, bench: Court, registry: Registry) -> bool:
    principal = registry.named(name)
    if principal is None or principal.kind == "service":
        return True
    if principal.agent is None:
        return bench.recused(Hand("human", name, name, registry.operators(principal)))
    agent = principal.agent
    known = declared(agent.model, agent.maker, agent.family)
    return bench.recused(Hand("agent", name, name, registry.operators(principal), agent.tool, "", known))


def _scanned(case: Case, proposed: ChangeProposed) -> tuple[tuple[Finding, ...], tuple[Uncovered, ...]]:
    """What every reviewer saw in exactly this content, by union."""
    scans = [scan for (key, _), scan in sorted(case.scans.items()) if key == proposed.content_key]
    findings = tuple(dict.fromkeys(finding for scan in scans for finding in scan.findings))
    return findings, tuple(dict.fromkeys(one for scan in scans for one in scan.uncovered))


def _judge(s: Sitting) -> Decision:
    in_force = [v for v in objections(s.all_voices, s.case, s.proposed) if _who(v) not in s.waived.objections]
    room, rulings = _rulings(s)
    blocked = [*_vetoes(in_force, s), *_blocking_findings(s), *(r for one in rulings for r in one.blocked)]
    asked = [reason for one in rulings for reason in one.escalated]
    escalated = [*_holds(s, room, asked), *_evidence(s), *asked]
    pending = [reason for one in rulings for reason in one.pending]
    if s.proposed.files and all(one.state == NOT_APPLICABLE for one in rulings):
        escalated.append(Reason("policy.no-requirement", s.policy.source, remedy="twohand policy show"))
    if pending and s.proposed.content_key in s.case.overdue:
        escalated.extend(pending)
        pending = []
    outcome = next(
        (name for name, found in zip(OUTCOMES, (blocked, escalated, pending), strict=False) if found), ADMITTED
    )
    told = [] if outcome == ADMITTED else [*blocked, *escalated, *pending, *_background(s, rulings)]
    return Decision(
        outcome, tuple(_unique(told)), rulings, s.made, s.ballots, s.all_voices, s.findings,
        tuple(sorted(s.waived.findings)), tuple(_owned(s, room)), tuple(v.heard.id for v in in_force),
        tuple(_stamps(s, rulings)),
    )  # fmt: skip


def _unique(reasons: Iterable[Reason]) -> Iterator[Reason]:
    seen = set()
    for reason in reasons:
        key = (reason.code, reason.subject, reason.requirement, str(reason.values))
        if key not in seen:
            seen.add(key)
            yield reason


def _who(voice: Voice) -> str:
    return voice.principal.name if voice.principal else voice.heard.by


def _rulings(s: Sitting) -> tuple[Room, tuple[Ruling, ...]]:
    facts = _facts(s)
    areas = [(requirement, matched(requirement.when, facts)) for requirement in s.policy.requirements]
    room = _room(s, _guarded(s, areas))
    return room, tuple(rule(requirement, files, room) for requirement, files in areas)


def _facts(s: Sitting) -> Facts:
    index = {file.path: at for at, file in enumerate(s.proposed.files)}
    live = [f for f in s.findings if f.rule not in s.waived.findings]
    everywhere = range(len(s.raw))
    rows = [(at, f.rule, f.tier) for f in live for at in ([index[f.path]] if f.path in index else everywhere)]
    lines = sum(file.added + file.removed for file in s.proposed.files)
    languages = tuple(language_of(path) for path in s.raw)
    return Facts(s.raw, languages, tuple(rows), lines, s.proposed.target, s.made.kinds)


def _guarded(s: Sitting, areas: Iterable[tuple[Requirement, frozenset[int]]]) -> frozenset[int]:
    """Law 29: what a requirement with `owner` matched, and the paths of the gate itself."""
    owned = frozenset(at for requirement, files in areas if "owner" in requirement.from_ for at in files)
    return owned | _self_edits(s)


def _self_edits(s: Sitting) -> frozenset[int]:
    told = set(s.proposed.self_edits)
    return frozenset(at for at, raw in enumerate(s.raw) if is_gate_path(raw) or s.proposed.files[at].path in told)


def _room(s: Sitting, guarded: frozenset[int]) -> Room:
    recused = _recusal(s.court, s.ballots, s.registry)
    overdue = s.proposed.content_key in s.case.overdue
    return Room(
        s.policy, s.registry, s.ballots, guarded, s.people, lambda at: s.owning.of(s.raw[at]).would,
        lambda at: s.proposed.files[at].path,
        frozenset() if overdue else frozenset(s.proposed.awaited) | s.case.asked,
        s.case.suspended, s.waived.glass, lambda name: not recused(name), s.commands,
    )  # fmt: skip


def _vetoes(in_force: Sequence[Voice], s: Sitting) -> Iterator[Reason]:
    for voice in in_force:
        why = voice.statement.reason if voice.statement else ""
        yield Reason("veto", _who(voice), values={"reason": why}, remedy=s.commands.withdraw(_who(voice)))


def _blocking_findings(s: Sitting) -> Iterator[Reason]:
    for finding in s.findings:
        if finding.tier is Tier.BLOCK and finding.rule not in s.waived.findings:
            yield _found(finding, s)


def _found(finding: Finding, s: Sitting) -> Reason:
    values = {"tier": finding.tier.value, "line": finding.line, "side": finding.side, "message": finding.message}
    remedy = s.commands.waive(finding.rule)
    if finding.tier is Tier.HOLD:
        index = {file.path: at for at, file in enumerate(s.proposed.files)}
        people = s.people(index[finding.path]) if finding.path in index else s.owning.fallback
        remedy = s.commands.approve(min(people, default=""))
    return Reason(FINDING + finding.rule, finding.path, values=values, remedy=remedy)


def _holds(s: Sitting, room: Room, already: Sequence[Reason]) -> list[Reason]:
    """What only an owner of the path releases: findings of tier hold, self-edits, what nobody could read (law 31, 32)."""
    index = {file.path: at for at, file in enumerate(s.proposed.files)}
    held: list[tuple[Reason, int | None]] = []
    for finding in s.findings:
        if finding.tier is Tier.HOLD and finding.rule not in s.waived.findings:
            held.append((_found(finding, s), index.get(finding.path)))
    for at in sorted(_self_edits(s)):
        held.append((Reason("policy.self-edit", s.proposed.files[at].path), at))
    for one in s.uncovered:
        held.append((Reason("coverage.partial", one.path, values={"why": one.why}), index.get(one.path)))
    held.extend((reason, None) for reason in _whole_change(s))
    open_holds = [(reason, at) for reason, at in held if not _released(at, s, room)]
    files = {at for _, at in open_holds if at is not None}
    wide = range(len(s.raw)) if any(at is None for _, at in open_holds) and not files else ()
    asked = list(ask_owners(files or wide, room))
    known = {path for reason in already if reason.code.startswith("owner.") for path in reason.values["paths"]}
    new = [reason for reason in asked if not known.issuperset(reason.values["paths"])]
    return [_with_remedy(reason, asked) for reason, _ in open_holds] + new


def _with_remedy(reason: Reason, asked: Sequence[Reason]) -> Reason:
    return reason if reason.remedy or not asked else reason._replace(remedy=asked[0].remedy)


def _whole_change(s: Sitting) -> Iterator[Reason]:
    if s.proposed.rewritten:
        yield Reason("ref.rewritten", s.proposed.target, values={"dropped": list(s.proposed.dropped)})
    if s.proposed.too_large:
        yield Reason("change.too-large", s.proposed.target, values={"why": s.proposed.too_large})


def _released(at: int | None, s: Sitting, room: Room) -> bool:
    if s.waived.glass:
        return True
    if at is not None:
        return covering(at, room) > 0
    return any(
        b.human and b.vote.whole and not b.spoiled and not b.unresolved
        for b in s.ballots
        if b.name in s.owning.fallback or any(b.name in s.people(i) for i in range(len(s.raw)))
    )


def _evidence(s: Sitting) -> Iterator[Reason]:
    """Law 40: what was not read is its own reason."""
    again = "twohand review"
    for why in s.proposed.incomplete:
        yield Reason("evidence.incomplete", why, remedy=again)
    if not s.proposed.read_from:
        yield Reason("evidence.incomplete", "no listing of statements was read", remedy=again)
    scan = s.case.scans.get((s.proposed.content_key, RULES))
    if scan is None or scan.status != "completed":
        yield Reason("evidence.incomplete", "the rules did not run over this content", remedy=again)
    if s.owners_file and s.owners_file.too_large:
        yield Reason(
            "evidence.incomplete", f"{s.proposed.owners_file} is too large to be read", remedy="twohand owners"
        )
    for conflict in s.made.conflicts:
        values = {"claims": list(conflict.claims)}
        yield Reason("provenance.conflict", conflict.fact, values=values, remedy=s.commands.propose())


def _background(s: Sitting, rulings: Sequence[Ruling]) -> Iterator[Reason]:
    """What explains an unmet requirement without deciding it: approvals that are nothing, and who answers for the change."""
    if s.made.unanswered and any(one.state == "unmet" for one in rulings):
        commits = [commit for commit in s.made.unanswered if commit != "*"]
        yield Reason(
            "provenance.missing", s.proposed.head, values={"commits": commits[:20]}, remedy=s.commands.propose()
        )
    for voice in s.all_voices:
        if voice.fault and voice.statement and voice.statement.verb in ("approve", "waive"):
            who = voice.principal.name if voice.principal else ""
            values = {"why": voice.fault, "verb": voice.statement.verb}
            yield Reason("approval.unsigned", voice.heard.by, values=values, remedy=s.commands.approve(who))
    for ballot in s.ballots:
        if ballot.vote.fault in ("stale", "hasty"):
            again = "" if ballot.spoiled else ballot.name
            yield Reason(f"approval.{ballot.vote.fault}", ballot.name, remedy=s.commands.approve(again))
    for name in sorted({ballot.name for ballot in s.ballots} & s.case.suspended):
        yield Reason("reviewer.suspended", name)
    yield from s.waived.faults
    yield from _inactive(s)


def _inactive(s: Sitting) -> Iterator[Reason]:
    for named, path in {
        s.owning.of(raw).named: file.path for raw, file in zip(s.raw, s.proposed.files, strict=True)
    }.items():
        if named and s.owning.of(unquote(path)).why.startswith("no named owner"):
            yield Reason("owner.inactive", path, values={"owners": list(named)}, remedy="twohand owners")


def _owned(s: Sitting, room: Room) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Owners of the guarded paths and of those that something holds."""
    held = {f.path for f in s.findings if f.tier is not Tier.NOTE} | {one.path for one in s.uncovered}
    for at, file in enumerate(s.proposed.files):
        if at in room.guarded or file.path in held:
            people = tuple(sorted(s.people(at)))
            state = "approved" if covering(at, room) else "awaited" if people else "unresolved"
            yield file.path, people, state


def _stamps(s: Sitting, rulings: Sequence[Ruling]) -> Iterator[str]:
    if not s.made.declared and not _denied(s):
        yield "undeclared"
    used = [b for b in s.ballots if not b.spoiled and b.vote.fault == ""]
    if any(b.human and not b.vote.voice.presence for b in used):
        yield "presence: unproven"
    if any(b.advised for b in used):
        yield "not independent"
    if s.waived.findings or s.waived.objections or s.waived.glass:
        yield "waived"


def _denied(s: Sitting) -> bool:
    return any(v.statement and v.statement.verb == "propose" and v.statement.tool and not v.fault for v in s.all_voices)

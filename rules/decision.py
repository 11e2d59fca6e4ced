"""The decision: pure, total, with its reasons as data (law 38-41)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from shlex import quote
from typing import Any, NamedTuple

from rules import instants, waivers
from rules.ballots import Ballot
from rules.case import COMPLETED, Case
from rules.docket import PROPOSED_BY, Docket, docket, registry_of
from rules.events import ChangeProposed
from rules.findings import Finding, Tier, Uncovered
from rules.media import kind_of
from rules.owning import Owning
from rules.policy import Policy
from rules.provenance import Authorship
from rules.reasons import AGAIN, FINDING, Reason
from rules.requirements import NOT_APPLICABLE, Room, Ruling, ask_owners, covering, owner_like, rule
from rules.votes import Standing, Voice, objections, said, speaker, voices, votes

BLOCKED, ESCALATED, PENDING, ADMITTED = "blocked", "escalated", "pending", "admitted"
OUTCOMES = (BLOCKED, ESCALATED, PENDING, ADMITTED)  # worst first
RULES = "rules"  # the reviewer that runs the catalogue
_WEIGHT = {tier: weight for weight, tier in enumerate((Tier.NOTE, Tier.HOLD, Tier.BLOCK))}
MISMATCH = "identity-mismatch"  # the status of a review by another model than the one that was declared (law 22)


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
    void: dict[str, str]  # ids of waivers that are nothing -> why
    stamps: tuple[str, ...]


class Sitting(NamedTuple):
    """Everything worked out about one case under one policy, before the outcome."""

    case: Case
    docket: Docket
    all_voices: tuple[Voice, ...]
    ballots: tuple[Ballot, ...]
    owning: Owning
    findings: tuple[Finding, ...]
    uncovered: tuple[Uncovered, ...]
    objections: tuple[Voice, ...]
    waived: waivers.Waived

    @property
    def proposed(self) -> ChangeProposed:
        return self.docket.proposed

    def people(self, at: int) -> frozenset[str]:
        return self.owning.of(self.docket.raw[at]).people

    def recused(self, name: str) -> bool:
        """Whether an enrolled name is recused as self-review: by its ballot where it gave one."""
        return next((ballot.spoiled for ballot in self.ballots if ballot.name == name), self.docket.recused(name))

    def stands(self, finding: Finding) -> bool:
        return finding.rule not in self.waived.findings


def decide(case: Case, policy: Policy, at: str) -> Decision:
    """Decide under one policy. ValueError where no change was proposed yet: there is nothing to decide."""
    return _judge(sit(case, policy, at))


def sit(case: Case, policy: Policy, at: str) -> Sitting:
    """What a decision rests on, for whoever asks before there is one. ValueError as for `decide`."""
    if case.proposed is None:
        raise ValueError("a case without a proposed change cannot be decided")
    return _sit(case, case.proposed, policy, at)


def _sit(case: Case, proposed: ChangeProposed, policy: Policy, at: str) -> Sitting:
    registry = registry_of(policy)
    all_voices = voices(case, registry, at)
    earlier = tuple((*claims, *said(all_voices, key)) for key, claims in sorted(case.earlier))
    signed = {claim.account for row in proposed.recorded for claim in row.claims if claim.channel == "proposal"}
    void = registry.void({commit.signed_by for commit in proposed.commits}, at) | {
        PROPOSED_BY + line for line in registry.lapsed(signed, at)
    }
    held = docket(proposed, policy, (said(all_voices, proposed.content_key), earlier, void))
    oldest = instants.later(at, -policy.independence.max_age)
    standing = Standing(proposed, policy.independence, case.first_seen.get(proposed.content_key, ""), oldest)
    ballots = tuple(map(held.ballot, votes(all_voices, registry, standing)))
    owning = Owning(policy, registry, held.owners_file, partial(held.recused, firmly=True))
    findings, unread = scanned(case, proposed)
    uncovered = (*unread, *_unlisted_media(findings, policy))
    against = objections(all_voices, case, proposed)
    waived = waivers.waived(all_voices, waivers.Bench(held, owning, findings, against, at))
    return Sitting(case, held, all_voices, ballots, owning, findings, uncovered, against, waived)


def _unlisted_media(findings: Iterable[Finding], policy: Policy) -> Iterator[Uncovered]:
    """Law 3: media of a kind that the policy does not list are not covered."""
    for finding in findings:
        if (kind := kind_of(finding)) and kind not in policy.media:
            yield Uncovered(finding.path, f"policy does not list media of kind {kind}")


def scanned(case: Case, proposed: ChangeProposed) -> tuple[tuple[Finding, ...], tuple[Uncovered, ...]]:
    """What every reviewer saw in exactly this content, by union. What a model could not read costs its vote alone."""
    scans = [scan for (key, _), scan in sorted(case.scans.items()) if key == proposed.content_key]
    sure = dict.fromkeys(finding for scan in scans if not scan.judged for finding in scan.findings)
    seen = _one_of_each(finding for scan in scans if scan.judged for finding in scan.findings)
    findings = tuple(dict.fromkeys((*sure, *seen)))
    return findings, tuple(dict.fromkeys(one for scan in scans if not scan.judged for one in scan.uncovered))


def _one_of_each(findings: Iterable[Finding]) -> Iterable[Finding]:
    """What several models saw at one place, once, in the words of the first that gives it the most weight."""
    found: dict[tuple[str, str, str, int], Finding] = {}
    for finding in findings:
        place = (finding.rule, finding.path, finding.side, finding.line)
        if place not in found or _WEIGHT[found[place].tier] < _WEIGHT[finding.tier]:
            found[place] = finding
    return found.values()


def _judge(s: Sitting) -> Decision:
    in_force = [voice for voice in s.objections if not s.waived.covers(voice)]
    room, rulings = _rulings(s)
    blocked = [*_vetoes(in_force, s), *_blocking_findings(s), *(r for one in rulings for r in one.blocked)]
    asked = [reason for one in rulings for reason in one.escalated]
    escalated = [*_holds(s, room, asked), *_evidence(s), *asked]
    pending = [reason for one in rulings for reason in one.pending]
    if s.proposed.files and all(one.state == NOT_APPLICABLE for one in rulings):
        escalated.append(Reason("policy.no-requirement", s.docket.policy.source, remedy="twohand policy show"))
    if pending and _overdue(s):
        escalated.extend(pending)
        pending = []
    outcome = next(
        (name for name, found in zip(OUTCOMES, (blocked, escalated, pending), strict=False) if found), ADMITTED
    )
    told = [] if outcome == ADMITTED else [*blocked, *escalated, *pending, *_background(s, room, rulings)]
    return Decision(
        outcome, tuple(_unique(told)), rulings, s.docket.made, s.ballots, s.all_voices, s.findings,
        tuple(sorted(s.waived.findings)), tuple(_owned(s, room)), tuple(v.heard.id for v in in_force), s.waived.void,
        tuple(_stamps(s)),
    )  # fmt: skip


def _unique(reasons: Iterable[Reason]) -> Iterator[Reason]:
    seen = set()
    for reason in reasons:
        key = (reason.code, reason.subject, reason.requirement, str(reason.values))
        if key not in seen:
            seen.add(key)
            yield reason


def _rulings(s: Sitting) -> tuple[Room, tuple[Ruling, ...]]:
    live = tuple(filter(s.stands, s.findings))
    room = _room(s, s.docket.guarded(live))
    areas = zip(s.docket.policy.requirements, s.docket.areas(live), s.docket.unconditional, strict=True)
    return room, tuple(rule(requirement, files, room, empty=empty) for requirement, files, empty in areas)


def _room(s: Sitting, guarded: frozenset[int]) -> Room:
    return Room(
        s.docket.policy, s.docket.registry, s.ballots, guarded, s.people,
        lambda at: s.owning.of(s.docket.raw[at]).would, lambda at: s.proposed.files[at].path,
        frozenset() if _overdue(s) else (frozenset(s.proposed.awaited) | s.case.asked) - _answered(s),
        s.case.suspended, frozenset(speaker(voice) for voice in s.objections if not s.waived.covers(voice)),
        s.waived.glass, lambda name: not s.recused(name), s.docket.commands,
    )  # fmt: skip


def _overdue(s: Sitting) -> bool:
    return s.proposed.content_key in s.case.overdue


def _answered(s: Sitting) -> frozenset[str]:
    """Models whose review of this content is complete: whatever they said, nothing more is awaited of them."""
    key = s.proposed.content_key
    return frozenset(
        n for (at, n), scan in s.case.scans.items() if at == key and scan.judged and scan.status == COMPLETED
    )


def _vetoes(in_force: Sequence[Voice], s: Sitting) -> Iterator[Reason]:
    for voice in in_force:
        why = voice.statement.reason if voice.statement else ""
        yield Reason("veto", speaker(voice), values={"reason": why}, remedy=s.docket.commands.withdraw(speaker(voice)))


def _blocking_findings(s: Sitting) -> Iterator[Reason]:
    for finding in s.findings:
        if finding.tier is Tier.BLOCK and s.stands(finding):
            yield _found(finding, s)


def _found(finding: Finding, s: Sitting) -> Reason:
    values: dict[str, Any] = {
        "tier": finding.tier.value,
        "line": finding.line,
        "side": finding.side,
        "message": finding.message,
    }
    remedy = s.docket.commands.waive(finding.rule)
    if finding.tier is Tier.HOLD:
        at = s.docket.index.get(finding.path)
        people = s.owning.fallback if at is None else s.people(at)
        values["owners"] = sorted(people)
        remedy = s.docket.commands.approve(min(people)) if people else s.docket.commands.owners()
    return Reason(FINDING + finding.rule, finding.path, values=values, remedy=remedy)


def _holds(s: Sitting, room: Room, already: Sequence[Reason]) -> list[Reason]:
    """What only an owner of the path releases: findings of tier hold, self-edits, what nobody could read (law 31, 32)."""
    index = s.docket.index
    standing = [finding for finding in s.findings if finding.tier is Tier.HOLD and s.stands(finding)]
    held: list[tuple[Reason, int | None]] = [(_found(finding, s), index.get(finding.path)) for finding in standing]
    held += [(Reason("policy.self-edit", s.proposed.files[at].path), at) for at in sorted(s.docket.self_edits)]
    held += [
        (Reason("coverage.partial", one.path, values={"why": one.why}), index.get(one.path)) for one in s.uncovered
    ]
    held += [(reason, None) for reason in _whole_change(s)]
    open_holds = [(reason, at) for reason, at in held if not _released(at, s, room)]
    files = {at for _, at in open_holds if at is not None}
    wide = range(len(s.docket.raw)) if any(at is None for _, at in open_holds) and not files else ()
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
    if s.proposed.files and all(covering(every, room) for every in range(len(s.docket.raw))):
        return True
    whole = (
        b for b in s.ballots if owner_like(b, s.docket.policy) and b.vote.whole and not b.spoiled and not b.unresolved
    )
    return any(ballot.name in s.owning.fallback for ballot in whole)


def _evidence(s: Sitting) -> Iterator[Reason]:
    """Law 40: what was not read is its own reason."""
    for why in s.proposed.incomplete:
        yield Reason("evidence.incomplete", why, remedy="git fetch --unshallow" if "shallow" in why else AGAIN)
    if not s.proposed.read_from:
        yield Reason("evidence.incomplete", "no listing of statements was read", remedy=AGAIN)
    scan = s.case.scans.get((s.proposed.content_key, RULES))
    if scan is None or scan.status != COMPLETED:
        yield Reason("evidence.incomplete", "the rules did not run over this content", remedy=AGAIN)
    if s.docket.owners_file and s.docket.owners_file.too_large:
        yield Reason(
            "evidence.incomplete", f"{s.proposed.owners_file} is too large to be read", remedy="twohand owners"
        )
    for conflict in s.docket.made.conflicts:
        values = {"claims": list(conflict.claims)}
        yield Reason("provenance.conflict", conflict.fact, values=values, remedy=s.docket.commands.propose())


def _background(s: Sitting, room: Room, rulings: Sequence[Ruling]) -> Iterator[Reason]:
    """What explains an unmet requirement without deciding it: approvals that are nothing, and who answers for the change."""
    if s.docket.made.unanswered and any(one.state == "unmet" for one in rulings):
        commits = [commit for commit in s.docket.made.unanswered if commit != "*"]
        yield Reason(
            "provenance.missing", s.proposed.head, values={"commits": commits[:20]}, remedy=s.docket.commands.propose()
        )
    for voice in s.all_voices:
        if voice.fault and voice.statement and voice.statement.verb in ("approve", "waive"):
            who = voice.principal.name if voice.principal else ""
            values = {"why": voice.fault, "verb": voice.statement.verb}
            yield Reason("approval.unsigned", voice.heard.by, values=values, remedy=s.docket.commands.approve(who))
    for ballot in s.ballots:
        if ballot.vote.fault in ("stale", "hasty"):
            again = s.docket.commands.approve("" if ballot.spoiled else ballot.name) if ballot.human else AGAIN
            yield Reason(f"approval.{ballot.vote.fault}", ballot.name, remedy=again)
    for name in sorted({ballot.name for ballot in s.ballots} & s.case.suspended):
        yield Reason("reviewer.suspended", name)
    if any(one.state == "unmet" for one in rulings):
        yield from _judges(s)
    yield from s.waived.faults
    yield from _inactive(s, room)


def _judges(s: Sitting) -> Iterator[Reason]:
    """Model reviewers that gave no vote, and why not: it failed, it is not who it should be, or it said nothing in time."""
    voted = {ballot.name for ballot in s.ballots if ballot.vote.whole} | {speaker(voice) for voice in s.objections}
    for name in sorted(set(s.proposed.awaited) - voted):
        scan = s.case.scans.get((s.proposed.content_key, name))
        if scan and scan.status == MISMATCH:
            yield Reason(
                "reviewer.identity-mismatch",
                name,
                values={"why": scan.why},
                remedy=f"twohand reviewers probe {quote(name)}",
            )
        elif scan and scan.status != COMPLETED:
            yield Reason("reviewer.failed", name, values={"status": scan.status, "why": scan.why}, remedy=AGAIN)
        elif not scan and _overdue(s) and s.docket.registry.named(name):
            yield Reason("reviewer.silent", name, remedy=f"twohand reviewers probe {quote(name)}")


def _inactive(s: Sitting, room: Room) -> Iterator[Reason]:
    """Named owners who cannot be reached, once for each line of the owners file that a guarded path falls under."""
    lines = {s.owning.of(s.docket.raw[at]).named: at for at in sorted(room.guarded, reverse=True)}
    for named, at in lines.items():
        if named and s.owning.of(s.docket.raw[at]).why.startswith("no named owner"):
            path = s.proposed.files[at].path
            yield Reason("owner.inactive", path, values={"owners": list(named)}, remedy="twohand owners")


def _owned(s: Sitting, room: Room) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Owners of the guarded paths and of those that something holds."""
    held = {f.path for f in s.findings if f.tier is not Tier.NOTE} | {one.path for one in s.uncovered}
    for at, file in enumerate(s.proposed.files):
        if at in room.guarded or file.path in held:
            people = tuple(sorted(s.people(at)))
            state = "approved" if covering(at, room) else "awaited" if people else "unresolved"
            yield file.path, people, state


def _stamps(s: Sitting) -> Iterator[str]:
    if not s.docket.made.declared and not _denied(s):
        yield "undeclared"
    used = [b for b in s.ballots if not b.spoiled and b.vote.fault == ""]
    if any(b.human and not b.vote.voice.presence for b in used):
        yield "presence: unproven"
    if any(b.advised for b in used):
        yield "not independent"
    if any(b.vote.whole and not b.human for b in used) and any(v.principal and v.principal.agent for v in s.objections):
        yield "reviewers disagree"
    if any(scan.status == MISMATCH for (key, _), scan in s.case.scans.items() if key == s.proposed.content_key):
        yield "identity mismatch"
    if s.waived.findings or s.waived.objections or s.waived.glass:
        yield "waived"


def _denied(s: Sitting) -> bool:
    return any(v.statement and v.statement.verb == "propose" and v.statement.tool and not v.fault for v in s.all_voices)

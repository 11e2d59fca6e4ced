"""A human's override: signed, with a reason, on exact content, expiring, by somebody uninvolved (law 35)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules import instants
from rules.docket import Docket
from rules.findings import Finding, Tier
from rules.owning import Owning
from rules.paths import unquote
from rules.policy import Policy
from rules.reasons import Reason
from rules.statement import Statement
from rules.votes import Voice, carried, speaker, touched_since

DEFAULT_EXPIRY = 7 * instants.DAY
GLASS_GRACE = instants.DAY


class Waived(NamedTuple):
    """What stands waived, by whom, and which waivers are nothing."""

    findings: dict[str, str]  # rule -> by
    objections: dict[str, str]  # whose -> until when they were made
    glass: str  # whose break-glass stands in for missing approvals; empty: nobody's
    faults: tuple[Reason, ...]
    void: dict[str, str]  # statement ids that are nothing -> why

    def covers(self, objection: Voice) -> bool:
        """A waiver covers what was objected before it was given, nothing that comes after."""
        said = objection.statement.time if objection.statement else ""
        return said <= self.objections.get(speaker(objection), "")


class Bench(NamedTuple):
    """What waivers are measured against."""

    docket: Docket
    owning: Owning
    findings: Sequence[Finding]
    objections: Sequence[Voice]
    at: str

    @property
    def policy(self) -> Policy:
        return self.docket.policy


def waived(voices: Iterable[Voice], bench: Bench) -> Waived:
    """Every valid waiver of this content, and a reason for each one that is not."""
    findings: dict[str, str] = {}
    objections: dict[str, str] = {}
    glass = ""
    faults: list[Reason] = []
    void: dict[str, str] = {}
    for voice in voices:
        statement, principal = voice.statement, voice.principal
        if voice.fault or not statement or not principal or statement.verb != "waive":
            continue
        if fault := _fault(statement, voice, bench):
            faults.append(_told(fault, statement, principal.name, bench))
            void[voice.heard.id] = fault
        elif statement.break_glass:
            glass = principal.name
        elif statement.finding:
            findings[statement.finding] = principal.name
        else:
            whose = _whose(statement, bench)
            objections[whose] = max(objections.get(whose, ""), statement.time)
    return Waived(findings, objections, glass, tuple(faults), void)


def _whose(statement: Statement, bench: Bench) -> str:
    named = bench.docket.registry.named(statement.objection_of)
    return named.name if named else statement.objection_of


def _told(fault: str, statement: Statement, by: str, bench: Bench) -> Reason:
    code = "waiver.expired" if fault.startswith("expired") else "waiver.invalid"
    subject = statement.finding or statement.objection_of or "break-glass"
    return Reason(
        code,
        subject,
        values={"by": by, "why": fault},
        remedy=bench.docket.commands.waive(statement.finding or "RULE", by),
    )


def _fault(statement: Statement, voice: Voice, bench: Bench) -> str:
    expires = statement.expires or instants.later(statement.time, DEFAULT_EXPIRY)
    if not statement.reason.strip():
        return "it gives no reason"
    if instants.between(statement.time, expires) > bench.policy.waivers.max:
        return f"it runs longer than the policy's maximum of {bench.policy.waivers.max // instants.DAY} days"
    if bench.at >= expires:
        return f"expired at {expires}"
    if sum(map(bool, (statement.finding, statement.objection_of, statement.break_glass))) != 1:
        return "it names neither one finding nor one objection nor break-glass"
    return _content_fault(statement, bench) or _person_fault(statement, voice, bench)


def _content_fault(statement: Statement, bench: Bench) -> str:
    moved = touched_since(statement.base, bench.docket.proposed)
    held = carried(statement, bench.docket.proposed, moved)
    if statement.content_key != bench.docket.proposed.content_key or len(held) != len(bench.docket.proposed.files):
        return "it was made for other content"
    known = {f.rule for f in bench.findings if f.tier is not Tier.NOTE}
    if statement.finding and statement.finding not in known:
        return f"no finding {statement.finding} of tier hold or block is there to waive"
    there = {speaker(v) for v in bench.objections if v.statement and v.statement.time <= statement.time}
    if statement.objection_of and _whose(statement, bench) not in there:
        return f"no objection of {statement.objection_of} is there to waive"
    return ""


def _person_fault(statement: Statement, voice: Voice, bench: Bench) -> str:
    principal = voice.principal
    if not principal or principal.kind != "person":
        return "only a person waives"
    for _, author in bench.docket.court.pairs:
        if author.principal == principal.name or principal.name in (author.people or ()):
            return f"{principal.name} is behind the change ({author.name})"
    if statement.break_glass:
        return _glass_fault(principal.name, bench)
    allowed = bench.docket.registry.people(bench.policy.waivers.by)
    if bench.policy.waivers.by:
        return "" if principal.name in allowed else f"policy lets {', '.join(sorted(allowed)) or 'nobody'} waive"
    if all(principal.name in bench.owning.of(path).people for path in _concerned(statement, bench)):
        return ""
    return f"{principal.name} does not own the paths concerned"


def _concerned(statement: Statement, bench: Bench) -> list[bytes]:
    found = [f.path for f in bench.findings if f.rule == statement.finding and f.path]
    return [unquote(path) for path in found] or [unquote(file.path) for file in bench.docket.proposed.files]


def _glass_fault(name: str, bench: Bench) -> str:
    if name not in bench.docket.registry.people(bench.policy.waivers.break_glass):
        return f"policy does not let {name} break glass"
    since = bench.docket.proposed.break_glass_open_since
    if since and instants.between(since, bench.at) > GLASS_GRACE:
        return f"the break-glass of {since} was not reviewed yet"
    return ""

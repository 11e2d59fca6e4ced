"""Whether each requirement of the policy is met, and by whom it could be (law 30, 31, 39)."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rules.ballots import Ballot, hands
from rules.policy import Policy, Requirement
from rules.principals import Registry
from rules.reasons import AGAIN, SELF_REVIEW, Commands, Reason

MET, UNMET, NOT_APPLICABLE = "met", "unmet", "not-applicable"
SHOWN_PATHS = 20


class Room(NamedTuple):
    """What requirements are judged in. Files are meant by their index in the change."""

    policy: Policy
    registry: Registry
    ballots: tuple[Ballot, ...]
    guarded: frozenset[int]
    owners: Callable[[int], frozenset[str]]  # who may answer for a file
    would_own: Callable[[int], frozenset[str]]  # these, and owners whom their authorship recuses
    path: Callable[[int], str]
    awaited: frozenset[str]  # names of reviewers and people still awaited
    suspended: frozenset[str]
    opposed: frozenset[str]  # whose objection is in force
    glass: str  # whose break-glass stands in for missing approvals
    able: Callable[[str], bool]  # whether an enrolled name could approve without being recused
    commands: Commands


class Ruling(NamedTuple):
    """The state of one requirement, with reasons by the outcome that they lead to."""

    name: str
    state: str
    needed: int = 0
    counted: int = 0
    waiting_for: tuple[str, ...] = ()
    blocked: tuple[Reason, ...] = ()
    escalated: tuple[Reason, ...] = ()
    pending: tuple[Reason, ...] = ()
    uses: tuple[str, ...] = ()  # whose approvals it counts


def rule(requirement: Requirement, files: frozenset[int], room: Room, *, empty: bool = False) -> Ruling:
    """Judge one requirement on the files that its `when` matched; none: it does not apply.

    `empty`: the change brings commits that change no file in the end, and the requirement asks for no paths (law 4, 30).
    """
    if not files and not empty:
        return Ruling(requirement.name, NOT_APPLICABLE)
    if requirement.from_ == ("owner",):
        return _owned(requirement, files, room)
    return _approved(requirement, files, room)


def _approved(requirement: Requirement, files: frozenset[int], room: Room) -> Ruling:
    eligible = [b for b in room.ballots if _eligible(b, requirement, files, room)]
    guarded = bool(files & room.guarded)
    valid = [b for b in eligible if not b.spoiled and not (guarded and b.unresolved)]
    needed, counted = _count(valid, requirement.approvals, room)
    if counted >= needed or (room.glass and not any(b.same for b in eligible)):
        return Ruling(requirement.name, MET, needed, counted, uses=tuple(b.name for b in valid))
    ruling = Ruling(requirement.name, UNMET, needed, counted, _waiting(requirement, files, room))
    return _unmet(ruling, eligible, (requirement, files), room)


def _count(valid: list[Ballot], approvals: int, room: Room) -> tuple[int, int]:
    """Approvals needed and counted. One with a reservation asks for one more (law 24)."""
    modes = room.policy.independence
    full = [b for b in valid if not b.extra and not b.unresolved]
    if hands(full, modes) >= approvals:
        return approvals, hands(full, modes)
    unreserved = [b for b in valid if not b.extra]
    reserved = len(full) < len(valid)
    return approvals + reserved, hands(valid, modes) if unreserved or not valid else 0


def _eligible(ballot: Ballot, requirement: Requirement, files: frozenset[int], room: Room) -> bool:
    if not ballot.vote.whole or ballot.name in room.suspended:
        return False
    if requirement.presence == "required" and ballot.human and not ballot.vote.voice.presence:
        return False
    return any(_meets(ballot, source, files, room) for source in requirement.from_)


def _meets(ballot: Ballot, source: str, files: frozenset[int], room: Room) -> bool:
    if source == "owner":
        return owner_like(ballot, room.policy) and all(ballot.name in room.owners(at) for at in files)
    return _named(ballot.name, source, human=ballot.human, room=room)


def _named(name: str, source: str, *, human: bool, room: Room) -> bool:
    kind, _, wanted = source.partition(":")
    if kind == "team":
        return human and name in room.registry.people(room.policy.teams.get(wanted, ()))
    if kind == "human":
        return human
    principal = room.registry.named(wanted) if wanted else None
    return not human and (not wanted or (principal is not None and principal.name == name))


def _unmet(ruling: Ruling, eligible: list[Ballot], asked: tuple[Requirement, frozenset[int]], room: Room) -> Ruling:
    requirement, files = asked
    recused = [b for b in eligible if b.same]
    uncertain = [b for b in eligible if not b.same and (b.unresolved or b.conflict)]
    if recused and not _awaited(requirement, files, room):
        return ruling._replace(blocked=tuple(_self_reviews(recused, requirement, room)))
    missing = _missing(ruling, requirement, files, room)
    if uncertain:
        return ruling._replace(escalated=(*_unresolved(uncertain, requirement, room), missing))
    if "owner" in requirement.from_:
        return ruling._replace(escalated=(missing,))
    return ruling._replace(pending=(*_self_reviews(recused, requirement, room), missing))


def _awaited(requirement: Requirement, files: frozenset[int], room: Room) -> bool:
    """Whether somebody who could still meet it was configured or asked, and has not answered."""
    voted = {ballot.name for ballot in room.ballots}
    return any(
        name not in voted and room.able(name) for name in _suppliers(requirement, files, room) if name in room.awaited
    )


def _suppliers(requirement: Requirement, files: frozenset[int], room: Room) -> Iterator[str]:
    """Enrolled names that the requirement's sources admit."""
    names = {p.name: p for n in (*room.policy.people, *room.policy.agents) if (p := room.registry.named(n))}
    for name, principal in sorted(names.items()):
        human = principal.kind == "person"
        owns = "owner" in requirement.from_ and human and all(name in room.owners(at) for at in files)
        if principal.active and (
            owns or any(_named(name, s, human=human, room=room) for s in requirement.from_ if s != "owner")
        ):
            yield name


def _waiting(requirement: Requirement, files: frozenset[int], room: Room) -> tuple[str, ...]:
    """Who could still supply what is missing; the sources themselves where nobody enrolled can."""
    voted = {b.name for b in room.ballots if b.vote.whole}
    names = [n for n in _suppliers(requirement, files, room) if n not in voted and room.able(n)]
    return tuple(names) or requirement.from_


def _missing(ruling: Ruling, requirement: Requirement, files: frozenset[int], room: Room) -> Reason:
    silent = room.suspended | room.opposed
    who = [name for name in ruling.waiting_for if name not in requirement.from_ and name not in silent]
    models = [name for name in who if (one := room.registry.named(name)) and one.kind != "person"]
    people = [name for name in who if name not in models]
    values = {
        "needed": ruling.needed, "counted": ruling.counted, "from": list(requirement.from_), "who": who,
        "presence": requirement.presence, "paths": _paths(files, room), **({"models": models} if models else {}),
    }  # fmt: skip
    asked = AGAIN if models and not people else room.commands.approve(people[0] if people else "")
    return Reason("approval.missing", requirement.name, requirement.name, values, asked)


def _self_reviews(ballots: Iterable[Ballot], requirement: Requirement, room: Room) -> Iterator[Reason]:
    for ballot in ballots:
        who = next((n for n in room.policy.people if room.able(n)), "")
        for answer in ballot.answers:
            if answer.axis in ballot.same:
                values = {"with": answer.with_, "evidence": answer.evidence}
                code = SELF_REVIEW + answer.axis
                yield Reason(code, ballot.name, requirement.name, values, room.commands.approve(who))


def _unresolved(ballots: Iterable[Ballot], requirement: Requirement, room: Room) -> Iterator[Reason]:
    for ballot in ballots:
        if ballot.conflict:
            values = {"claims": ballot.conflict}
            yield Reason("provenance.conflict", ballot.name, requirement.name, values, room.commands.approve())
        for answer in ballot.answers:
            if answer.axis in ballot.unresolved:
                values = {"axis": answer.axis, "with": answer.with_, "evidence": answer.evidence}
                remedy = room.commands.propose()
                yield Reason("independence.unresolved", ballot.name, requirement.name, values, remedy)


def _paths(files: Iterable[int], room: Room) -> list[str]:
    return [room.path(at) for at in sorted(files)[:SHOWN_PATHS]]


def _owned(requirement: Requirement, files: frozenset[int], room: Room) -> Ruling:
    """Each file needs so many of its own owners (law 31)."""
    open_files = frozenset(at for at in files if covering(at, room, requirement) < requirement.approvals)
    if not open_files or room.glass:
        return Ruling(requirement.name, MET, requirement.approvals, requirement.approvals)
    counted = min(covering(at, room, requirement) for at in files)
    waiting = sorted({name for at in open_files for name in room.owners(at)})
    ruling = Ruling(requirement.name, UNMET, requirement.approvals, counted, tuple(waiting))
    tried = [b for b in room.ballots if b.vote.paths & open_files and b.human and b.vote.fault in ("", "stale")]
    tried = [b for b in tried if any(b.name in room.would_own(at) for at in open_files)]
    recused = [b for b in tried if b.same]
    if recused and not set(waiting) & room.awaited:
        ruling = ruling._replace(blocked=tuple(_self_reviews(recused, requirement, room)))
    uncertain = [b for b in tried if not b.same and b.unresolved]
    reasons = (*_unresolved(uncertain, requirement, room), *ask_owners(open_files, room, requirement.name))
    return ruling._replace(escalated=reasons)


def owner_like(ballot: Ballot, policy: Policy) -> bool:
    """Whether an approval may be an owner's: a person's, signed, or reported where policy takes a forge's word (law 21)."""
    return ballot.human and (policy.owners.forge or not ballot.reported)


def covering(at: int, room: Room, requirement: Requirement | None = None) -> int:
    """How many of a file's owners approved it: independent, and shown to be so (the file is guarded)."""
    touch = requirement is not None and requirement.presence == "required"
    return sum(
        1
        for b in room.ballots
        if owner_like(b, room.policy)
        and not b.spoiled
        and not b.unresolved
        and at in b.vote.paths
        and b.vote.fault in ("", "stale")
        if b.name in room.owners(at) and (b.vote.voice.presence or not touch)
    )


def ask_owners(files: Iterable[int], room: Room, requirement: str = "") -> Iterator[Reason]:
    """One reason for each group of people who own the same open files."""
    groups: dict[frozenset[str], list[int]] = {}
    for at in sorted(files):
        groups.setdefault(room.owners(at), []).append(at)
    for people, group in groups.items():
        names = sorted(people)
        values = {"paths": _paths(group, room), "count": len(group), "owners": names}
        if names:
            yield Reason("owner.required", room.path(group[0]), requirement, values, room.commands.approve(names[0]))
        else:
            yield Reason("owner.unresolved", room.path(group[0]), requirement, values, room.commands.owners())

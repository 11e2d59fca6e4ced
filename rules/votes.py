"""Which statements count, for which paths, and why the others do not (law 17-28, 33-35)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rules import instants
from rules.case import Case, Heard
from rules.claims import NO_TOOL, Claim
from rules.events import ChangeProposed
from rules.independence import Hand
from rules.lineage import declared, model, same_model
from rules.policy import Independence, Key
from rules.principals import Principal, Registry
from rules.statement import Content, Seen, Statement

CLOCK_SKEW = 300  # seconds that a signer's clock may run ahead
NOBODY = "no good signature by an enrolled key"


class Voice(NamedTuple):
    """A statement whose signature, key and name were checked. `fault` says why it is nothing; empty: it is something."""

    heard: Heard
    principal: Principal | None
    presence: bool
    fault: str
    heir: bool = False  # valid once, its author has left since (law 18)
    removed: bool = False  # all that is wrong is that nobody is enrolled with its key

    @property
    def statement(self) -> Statement | None:
        return self.heard.statement


class Vote(NamedTuple):
    """An approval by somebody enrolled. `whole`: it holds for the change as it is; `paths`: file indexes it holds for."""

    voice: Voice
    hand: Hand
    whole: bool
    paths: frozenset[int]
    fault: str  # "", stale, hasty, superseded

    @property
    def name(self) -> str:
        return self.hand.principal


def voices(case: Case, registry: Registry, at: str) -> tuple[Voice, ...]:
    """Every statement of the case, judged, in a stable order."""
    latest = instants.later(at, CLOCK_SKEW)
    return tuple(_voice(case.heard[name], case, registry, (at, latest)) for name in sorted(case.heard))


def _voice(heard: Heard, case: Case, registry: Registry, now: tuple[str, str]) -> Voice:
    at, latest = now
    if heard.account:
        return _reported(heard, case, registry)
    enrolled = registry.by_key(heard.signer.key) if heard.signer else None
    principal = enrolled[0] if enrolled else None
    presence = bool(heard.signer and heard.signer.presence)
    fault = _fault(heard, case, principal, latest)
    if not fault and enrolled:
        fault = _key_fault(enrolled[1], (at, heard.received))
    gone = bool(principal and not principal.active)
    removed = bool(heard.signer and not principal and not _misplaced(heard.statement, case, latest))
    return Voice(
        heard, principal, presence, fault or ("its author has left" if gone else ""), gone and not fault, removed
    )


def _reported(heard: Heard, case: Case, registry: Registry) -> Voice:
    """Law 21: a forge's word counts for enrolled people, where the settings hold the forge's credential."""
    principal = registry.by_account(heard.account)
    host = heard.account.partition(":")[0]
    faults = (
        (not case.proposed or host not in case.proposed.forges, f"no credential of {host} is configured"),
        (not principal or principal.kind != "person", "no enrolled person has this account"),
        (principal and not principal.active, "its author has left"),
    )
    return Voice(heard, principal, presence=False, fault=next((text for wrong, text in faults if wrong), ""))


def _fault(heard: Heard, case: Case, principal: Principal | None, latest: str) -> str:
    """Why a statement is nothing, the first reason; empty where it is something."""
    statement = heard.statement
    if statement is None:
        return "these bytes are no statement"
    if principal is None:
        return NOBODY
    if statement.by not in principal.names:
        return f"signed with the key of {principal.name}"
    return _misplaced(statement, case, latest)


def _misplaced(statement: Statement | None, case: Case, latest: str) -> str:
    """Why what it says does not belong here or now, "" where it does."""
    if statement and case.proposed and _elsewhere(statement, case.proposed):
        return f"made for {statement.repository} {statement.target}"
    return "dated in the future" if statement and statement.time > latest and statement.verb != "object" else ""


def _elsewhere(statement: Statement, proposed: ChangeProposed) -> bool:
    """Law 17, 34: what is said binds to repository and target; an objection follows its content to every target.

    A withdrawal is read everywhere, and lifts objections of its own target, or of this one (`_withdrawn`).
    """
    if statement.repository != proposed.repository:
        return True
    return statement.target != proposed.target and statement.verb not in ("object", "withdraw")


def _key_fault(key: Key, moments: Iterable[str]) -> str:
    """Law 18: valid at the decision, and at receipt where somebody recorded it."""
    for moment in filter(None, moments):
        if not key.valid_at(moment):
            return f"its key is valid from {key.valid_after or 'ever'} until {key.valid_before or 'ever'}"
    return ""


def said(all_voices: Iterable[Voice], content_key: str) -> tuple[Claim, ...]:
    """Law 12: what verified proposals and approvals of this content say about who made it."""
    return tuple(
        claim
        for voice in all_voices
        if not voice.fault and voice.principal and voice.statement and voice.statement.content_key == content_key
        for claim in claims_of(voice.statement, voice.principal.name)
    )


def claims_of(statement: Statement, principal: str, key: str = "") -> Iterator[Claim]:
    """The claims in a verified statement of an enrolled name, or of whoever has this key."""
    if statement.verb == "propose":
        yield from _proposal(statement, principal, key)
    if statement.verb == "approve":
        yield from (_seen(seen, statement.by) for seen in statement.authors)


def _proposal(statement: Statement, principal: str, key: str) -> Iterator[Claim]:
    used = {"": "", NO_TOOL: " without any tool"}.get(statement.tool, f" with {statement.tool}")
    text = f"{statement.by} proposed it{used}"
    base = Claim("proposal", "A", name=statement.by if key else "", principal=principal, account=key, text=text)
    yield base._replace(tool=NO_TOOL if statement.tool == NO_TOOL else "")
    if statement.tool in ("", NO_TOOL) and not statement.model:
        return
    known = model(statement.model)
    yield base._replace(
        kind="agent", principal="", account="", name=statement.tool, tool=statement.tool, model=statement.model,
        maker=known.maker, family=known.family, session=statement.session, operator=principal,
    )  # fmt: skip


def _seen(seen: Seen, by: str) -> Claim:
    kind = "person" if seen.kind == "human" else seen.kind
    known = model(seen.model)
    return Claim(
        "seen", "D", kind=kind, name=seen.name, principal=seen.name, tool=seen.tool, model=seen.model, maker=known.maker,
        family=known.family, session=seen.session, operator=seen.operator,
        text=f"{by} saw {seen.name or seen.tool} as author",
    )  # fmt: skip


def hand_of(voice: Voice, registry: Registry, awaited: Sequence[str]) -> Hand:
    """The reviewer as one side of a comparison. A reviewer that the gate itself runs has nobody behind it."""
    principal, statement = voice.principal, voice.statement
    assert principal
    assert statement
    people: frozenset[str] | None = registry.operators(principal)
    agent = principal.agent
    if not agent:
        return Hand("human", principal.name, principal.name, people, grade="B" if voice.heard.account else "A")
    if not people and not principal.names & set(awaited):
        people = None
    known = declared(agent.model, agent.maker, agent.family)
    return Hand("agent", principal.name, principal.name, people, agent.tool, statement.session, known)


def model_conflict(voice: Voice) -> str:
    """Law 22: an agent that signs another model than its registration's."""
    agent, statement = (voice.principal.agent if voice.principal else None), voice.statement
    if not agent or not statement or not statement.model or not agent.model:
        return ""
    if same_model(statement.model, agent.model):
        return ""
    return f"registered with {agent.model}, signed as {statement.model}"


class Standing(NamedTuple):
    """What approvals are measured against: the change as it is now."""

    proposed: ChangeProposed
    rules: Independence
    first_seen: str
    oldest: str  # approvals from before have lapsed


def votes(all_voices: Sequence[Voice], registry: Registry, now: Standing) -> tuple[Vote, ...]:
    """The newest approval of each principal, with what it still holds for."""
    newest: dict[str, Vote] = {}
    for voice in sorted(all_voices, key=_said_at):
        if voice.fault or not voice.principal or not voice.statement or voice.principal.kind == "service":
            continue
        name = voice.principal.name
        if voice.statement.verb == "approve":
            vote = _vote(voice, hand_of(voice, registry, now.proposed.awaited), now)
            if name not in newest or not vote.fault or newest[name].fault:
                newest[name] = vote
        elif name in newest and _ends(voice, newest[name].voice):
            newest[name] = newest[name]._replace(fault="superseded", whole=False, paths=frozenset())
    return tuple(vote for _, vote in sorted(newest.items()))


def _ends(voice: Voice, approval: Voice) -> bool:
    """Whether this takes an approval back. A forge's withdrawal ends what the forge reported, nothing that was signed."""
    verb = voice.statement.verb if voice.statement else ""
    return verb == "object" or (verb == "withdraw" and _reaches(voice, approval))


def _reaches(withdrawal: Voice, other: Voice) -> bool:
    return not withdrawal.heard.account or bool(other.heard.account)


def _said_at(voice: Voice) -> tuple[str, str]:
    return (voice.statement.time if voice.statement else "", voice.heard.id)


def _vote(voice: Voice, hand: Hand, now: Standing) -> Vote:
    statement = voice.statement
    assert statement is not None
    if voice.heard.account:
        return _exactly(voice, hand, now)
    if statement.time < now.oldest or statement.target != now.proposed.target:
        return Vote(voice, hand, False, frozenset(), "stale")
    moved = touched_since(statement.base, now.proposed)
    held = carried(statement, now.proposed, moved)
    whole = (
        statement.content_key == now.proposed.content_key and moved is not None and len(held) == len(now.proposed.files)
    )
    if whole and _hasty(voice, now):
        return Vote(voice, hand, False, frozenset(), "hasty")
    return Vote(voice, hand, whole, held, "" if whole else "stale")


def _exactly(voice: Voice, hand: Hand, now: Standing) -> Vote:
    """Law 21: a forge's approval holds for the head that it was given to, and carries over to no other."""
    statement, proposed = voice.statement, now.proposed
    assert statement is not None
    same = (statement.head, statement.content_key) == (proposed.head, proposed.content_key)
    whole = same and statement.time >= now.oldest
    return Vote(voice, hand, whole, _all(len(proposed.files)) if whole else frozenset(), "" if whole else "stale")


def touched_since(base: str, proposed: ChangeProposed) -> frozenset[str] | None:
    """Paths that commits on the target touched since a statement's base; None where nobody can tell (law 33)."""
    if base == proposed.base:
        return frozenset()
    for row in proposed.touched:
        if row.since == base:
            return None if row.paths is None else frozenset(row.paths)
    return None


def carried(statement: Statement, proposed: ChangeProposed, moved: frozenset[str] | None) -> frozenset[int]:
    """The files whose (old, new) pair the statement saw and which nobody touched below it since."""
    if moved is None:
        return frozenset()
    if not moved and statement.content_key == proposed.content_key:
        return _all(len(proposed.files))
    seen = set(statement.paths)
    files = proposed.files
    return frozenset(at for at, file in enumerate(files) if file.path not in moved and Content.of(file) in seen)


@lru_cache(maxsize=8)
def _all(count: int) -> frozenset[int]:
    return frozenset(range(count))


def _hasty(voice: Voice, now: Standing) -> bool:
    """Law 28: more changed lines a minute than policy believes a person reads.

    Reading begins when the content was first seen and the approval before this one was given, and ends at receipt at the latest.
    """
    statement = voice.statement
    if not now.rules.hasty or not statement or not now.first_seen or (voice.principal and voice.principal.agent):
        return False
    began = max(now.first_seen, *(row.until for row in now.proposed.busy if row.statement == voice.heard.id), "")
    ended = min(statement.time, voice.heard.received or statement.time)
    minutes = max(instants.between(began, ended), 0) / 60
    lines = sum(file.added + file.removed for file in now.proposed.files)
    return lines > now.rules.hasty * minutes


def objections(all_voices: Sequence[Voice], case: Case, proposed: ChangeProposed) -> tuple[Voice, ...]:
    """Law 34: the objections in force, each author's newest."""
    withdrawn = _withdrawn(all_voices, case, proposed)
    found: dict[str, Voice] = {}
    for voice in sorted(all_voices, key=_said_at):
        statement = voice.statement
        if not statement or statement.verb != "object" or not _was_valid(voice, case):
            continue
        lifted = max(_lifted(withdrawn, voice, target) for target in (statement.target, proposed.target))
        if not _applies(statement, case, proposed) or statement.time < lifted:
            continue
        found[speaker(voice)] = voice
    return tuple(voice for _, voice in sorted(found.items()))


def _lifted(withdrawn: dict[tuple[str, str, bool], str], voice: Voice, target: str) -> str:
    """When somebody last took back what this voice said; a forge's word takes nothing back that was signed."""
    ways = (False, True) if voice.heard.account else (False,)
    hands = (speaker(voice), _key(voice))
    return max(withdrawn.get((hand, target, by_forge), "") for hand in hands for by_forge in ways)


def _key(voice: Voice) -> str:
    """The key that signed it, whoever holds it now."""
    return voice.heard.signer.key if voice.heard.signer else ""


def speaker(voice: Voice) -> str:
    """Who speaks: the enrolled hand, else the name that the statement gives."""
    return voice.principal.name if voice.principal else voice.heard.by


def _was_valid(voice: Voice, case: Case) -> bool:
    return not voice.fault or voice.heir or voice.heard.id in case.upheld


def _withdrawn(all_voices: Iterable[Voice], case: Case, proposed: ChangeProposed) -> dict[tuple[str, str, bool], str]:
    """When each principal last took objections back, by target and whether a forge said so; an agent's later completed
    review supersedes its own. Who left or was removed had taken back what they said: that stands."""
    latest: dict[tuple[str, str, bool], str] = {}
    for voice in all_voices:
        statement = voice.statement
        if not statement or not _applies(statement, case, proposed):
            continue
        if (hand := _taking_back(voice, statement)) or _reviews(voice, statement, proposed):
            place = (hand or speaker(voice), statement.target, bool(voice.heard.account))
            latest[place] = max(latest.get(place, ""), statement.time)
    return latest


def _taking_back(voice: Voice, statement: Statement) -> str:
    """Who withdraws: an enrolled name, or a key that was one's; "" where nobody does."""
    if statement.verb != "withdraw":
        return ""
    if voice.principal and (not voice.fault or voice.heir):
        return voice.principal.name
    return _key(voice) if voice.removed else ""


def _reviews(voice: Voice, statement: Statement, proposed: ChangeProposed) -> bool:
    """Whether this is a completed review by a model of exactly this content; a conflict counts for nobody (law 14)."""
    if voice.fault:
        return False
    agent = voice.principal.agent if voice.principal else None
    same = statement.verb == "approve" and statement.content_key == proposed.content_key
    return same and agent is not None and not model_conflict(voice)


def _applies(statement: Statement, case: Case, proposed: ChangeProposed) -> bool:
    if case.landed and statement.content_key == case.landed and case.landed != proposed.content_key:
        return False
    if statement.content_key in case.content_keys or statement.content_key == proposed.content_key:
        return True
    if statement.change and statement.change == proposed.number:
        return True
    if statement.head in {commit.id for commit in proposed.commits}:
        return True
    seen = {(row.path, row.new_blob) for row in statement.paths}
    return any((file.path, file.new_blob) in seen for file in proposed.files)

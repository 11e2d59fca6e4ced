"""Whom a policy leaves able to answer: requirements that nobody can meet, and what one person alone cannot pass."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rules.owners import Owners
from rules.policy import Policy, Requirement
from rules.principals import Principal, Registry

MOST_NAMED = 6
ALONE = ("identity", "operator")  # the axes on which a person who is alone is never distinct


class Able(NamedTuple):
    """An enrolled hand that has a key. `people` stand behind it."""

    principal: Principal
    people: frozenset[str]


def doubts(policy: Policy, file: Owners | None = None) -> Iterator[str]:
    """What a valid policy may not be meant to say. `file` is the owners file, where one is known."""
    registry = Registry(policy)
    able = _able(policy, registry)
    if not policy.requirements:
        yield "no requirement: every change is escalated as policy.no-requirement"
    if not able:
        enrolled = "no enrolled person has a key" if policy.people else "nobody is enrolled"
        yield f"{enrolled}: nothing that anybody signs counts, and no change of this policy can be approved"
        return
    yield from _keyless(policy)
    yield from _fallback(policy, registry)
    for one in policy.requirements:
        yield from _met(one, policy, able, _sources(one, able, policy, registry, file))
    yield from _loose(policy, able)


def _keyless(policy: Policy) -> Iterator[str]:
    keyless = [one.name for one in policy.people.values() if one.active and not one.keys]
    keyed = [one.name for one in policy.people.values() if one.active and one.keys]
    if keyless:
        yield f"without a key, and so unable to approve: {named(keyless)}; with one: {named(keyed) or 'nobody'}"


def named(names: Sequence[str]) -> str:
    """The first few names and the count of the others."""
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def _fallback(policy: Policy, registry: Registry) -> Iterator[str]:
    people = registry.people(policy.owners.fallback)
    able = [name for name in people if _has_key(policy, registry.named(name))]
    mute = sorted(people - set(able))
    owned = any("owner" in one.from_ for one in policy.requirements)
    if not able and (owned or people):
        yield "nobody in [owners] fallback is active and has a key, so no change of this policy can be approved"
    elif mute:
        yield f"in [owners] fallback without a key, and so unable to answer: {named(mute)}"


def _has_key(policy: Policy, principal: Principal | None) -> bool:
    names = principal.names if principal else ()
    return any(policy.people[name].keys for name in names if name in policy.people)


def _able(policy: Policy, registry: Registry) -> list[Able]:
    """People and agents who can sign, one entry a hand."""
    found: dict[str, Able] = {}
    keys = {name: one.keys for name, one in policy.people.items()}
    for name, has in (*keys.items(), *((name, one.keys) for name, one in policy.agents.items())):
        principal = registry.named(name)
        if has and principal and principal.active and principal.kind != "service":
            found.setdefault(principal.name, Able(principal, registry.operators(principal)))
    return list(found.values())


def _sources(
    one: Requirement, able: Iterable[Able], policy: Policy, registry: Registry, file: Owners | None
) -> list[Able]:
    """Those among the able whose approval a requirement takes."""
    people: frozenset[str] = frozenset()
    for source in one.from_:
        if source == "owner":
            people |= registry.people(policy.owners.fallback) | _owners(registry, file)
        elif source.startswith("team:"):
            people |= registry.people((source.removeprefix("team:"),))
    models = any(source.partition(":")[0] == "model" for source in one.from_)
    return [
        hand
        for hand in able
        if (hand.principal.kind == "agent" and models)
        or (hand.principal.kind == "person" and ("human" in one.from_ or hand.principal.name in people))
    ]


def _owners(registry: Registry, file: Owners | None) -> frozenset[str]:
    lines = {owner for rule in file.rules for owner in rule.owners} if file else set()
    return frozenset().union(*(registry.owner(owner) for owner in lines))


def _met(one: Requirement, policy: Policy, able: Iterable[Able], takes: Sequence[Able]) -> Iterator[str]:
    wanted = f"{one.name!r} asks for {one.approvals} of {', '.join(one.from_)}"
    if len(takes) < one.approvals:
        who = f"only {named([hand.principal.name for hand in takes])}" if takes else "nobody of them"
        yield f"{wanted}: {who} has a key, so it can never be met"
        return
    authors = sorted(hand.principal.name for hand in able if hand.principal.kind == "person")
    stuck = [name for name in authors if len(_others(name, takes, policy)) < one.approvals]
    if stuck:
        yield f"{wanted}: too few others have a key when the change is made by {named(stuck)}"


def _others(author: str, hands: Iterable[Able], policy: Policy) -> list[Able]:
    """Who may approve a person's change: identity and operator count where policy does not merely advise (law 24)."""
    modes = policy.independence
    return [
        hand
        for hand in hands
        if (modes.identity == "advise" or hand.principal.name != author)
        and (modes.operator == "advise" or author not in hand.people)
    ]


def _loose(policy: Policy, able: Iterable[Able]) -> Iterator[str]:
    """Two people are there, and the rule for one still stands."""
    people = [hand for hand in able if hand.principal.kind == "person"]
    axes = [axis for axis in ALONE if getattr(policy.independence, axis) == "advise"]
    if len(people) > 1 and "identity" in axes:
        yield (
            f"{len(people)} people have keys, and [independence] only advises on {' and '.join(axes)}: "
            "take these lines out, so that nobody approves their own change"
        )

"""Whom a step of an escalation asks: the words of `notify` as people, and who answers where nobody can be reached (law 31)."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from rules.policy import Policy
from rules.rotations import on_call
from rules.zones import UTC, Zones

OWNERS: Final = "owners"
TEAM: Final = "team:"
ROUTE, FALLBACK, NOBODY = "route", "fallback", "nobody"


class Call(NamedTuple):
    """`target` is the word of the step, `people` whom it means now; a route alone means nobody by name.

    `why` is owners, team, rotation, person, route; fallback where those could not be reached; nobody where none is left.
    """

    target: str
    people: tuple[str, ...]
    why: str


class Roster(NamedTuple):
    """Who is who at an instant. `owners` are the people whom the decision asks."""

    policy: Policy
    owners: Collection[str]
    at: int  # seconds
    zones: Zones

    @property
    def fallback(self) -> frozenset[str]:
        return self.policy.active(self.policy.owners.fallback)


def calls(notify: Iterable[str], roster: Roster) -> tuple[Call, ...]:
    """Whom a step asks. Nobody is asked twice by one step, and no step asks nobody: then the fallback, then the last step."""
    found: list[Call] = []
    asked: set[str] = set()
    for word in notify:
        call = _reached(word, roster)
        people = tuple(name for name in call.people if name not in asked)
        if people or not call.people:
            found.append(call._replace(people=people))
            asked.update(people)
    return tuple(found)


def _reached(word: str, roster: Roster) -> Call:
    why, people = meant(word, roster)
    if people or why == ROUTE:
        return Call(word, tuple(sorted(people)), why)
    last = (meant(name, roster)[1] for name in roster.policy.escalation.steps[-1].notify)
    others = roster.fallback or next(filter(None, last), frozenset())
    return Call(word, tuple(sorted(others)), FALLBACK if others else NOBODY)


def meant(word: str, roster: Roster) -> tuple[str, frozenset[str]]:
    """What sort of name this is, and the active people that it means; a name that the policy does not know is a route."""
    policy = roster.policy
    team = word.removeprefix(TEAM)
    if word == OWNERS:
        return OWNERS, policy.active(roster.owners)
    if word in policy.rotations:
        rotation = policy.rotations[word]
        active = policy.active(policy.people)
        person = on_call(rotation, roster.zones.get(rotation.zone, UTC), roster.at, active).person
        return "rotation", frozenset({person} if person else ())
    if team in policy.teams:
        return "team", policy.active((team,))
    if word in policy.people:
        return "person", policy.active((word,))
    return ROUTE, frozenset()

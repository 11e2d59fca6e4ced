"""What is wrong with a policy as a whole although each of its values is right."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import rota_checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rules.policy import Policy, Requirement
    from rules.report import Path, Report

ENROLLED: Final = ("people", "agents", "services", "teams")
Clash = tuple[tuple[str, str], str]  # (table, name), sentence


class Names(NamedTuple):
    """Who is enrolled, here and in the policies above."""

    people: frozenset[str]
    agents: frozenset[str]
    services: frozenset[str]
    teams: frozenset[str]


def check(policy: Policy, above: Policy | None, report: Report) -> None:
    """Add to the report: names that mean two things or nobody, operators in a circle, steps out of order."""
    names = Names(*(_names(table, policy, above) for table in ENROLLED))
    for path, message in _ambiguous(policy):
        report.add(path, None, ("one meaning for each name",), message)
    for path, message in clashes(above, policy) if above else ():
        report.add(path, None, (), message)
    _check_operators(policy, above, names, report)
    _check_teams(policy, names, report)
    _check_answerable(policy, names, report)
    _check_requirements(policy, names, report)
    _check_steps(policy, report)
    rota_checks.check(policy, above, names, report)


def clashes(higher: Policy, lower: Policy) -> list[Clash]:
    """Whom the lower policy enrols otherwise than the higher (law 36). The order of lists does not matter."""
    found: list[Clash] = []
    kinds = {name: table for table in ENROLLED for name in getattr(higher, table)}
    for table in ENROLLED:
        for name, value in getattr(lower, table).items():
            if name not in kinds:
                continue
            if kinds[name] != table:
                message = f"{name} is among the {table} of {lower.source} but the {kinds[name]} of {higher.source}"
                found.append(((table, name), message))
            elif not _same(getattr(higher, table)[name], value):
                message = f"{name} is enrolled otherwise in {higher.source} than in {lower.source}: make them equal or leave it out of the lower"
                found.append(((table, name), message))
    return found


def _same(one: Any, other: Any) -> bool:
    fields = zip(one, other, strict=False)
    return len(one) == len(other) and (
        set(one) == set(other)
        if not hasattr(one, "_fields")
        else all(set(a) == set(b) if isinstance(a, tuple) else a == b for a, b in fields)
    )


def _names(table: str, policy: Policy, above: Policy | None) -> frozenset[str]:
    return frozenset(getattr(policy, table)) | frozenset(getattr(above, table) if above else ())


def _ambiguous(policy: Policy) -> Iterator[Clash]:
    first: dict[str, str] = {}
    for table in ENROLLED:
        for name in getattr(policy, table):
            if name in first:
                yield (table, name), f"{name} is already among the {first[name]}"
            first.setdefault(name, table)


def _check_operators(policy: Policy, above: Policy | None, names: Names, report: Report) -> None:
    operators = {name: agent.operator for name, agent in (above.agents if above else {}).items()}
    operators |= {name: agent.operator for name, agent in policy.agents.items()}
    known = names.people | names.agents
    for name, agent in policy.agents.items():
        path = ("agents", name, "operator")
        if agent.operator in names.services:
            report.add(path, agent.operator, ("a person or an agent",), "is a service: a service operates nobody")
        elif agent.operator and agent.operator not in known:
            _nobody(path, agent.operator, (known,), report)
    for name in _circular(operators) & policy.agents.keys():
        report.add(
            ("agents", name, "operator"),
            operators[name],
            ("a person at the end of every chain of operators",),
            "makes a circle of operators",
        )


def _circular(operators: Mapping[str, str]) -> frozenset[str]:
    """The agents that are their own operators, directly or through others. Linear."""
    done: set[str] = set()
    circular: set[str] = set()
    for start in operators:
        chain: dict[str, None] = {}
        name = start
        while name in operators and name not in done and name not in chain:
            chain[name] = None
            name = operators[name]
        if name in chain:
            walk = list(chain)
            circular.update(walk[walk.index(name) :])
        done.update(chain)
    return frozenset(circular)


def _check_teams(policy: Policy, names: Names, report: Report) -> None:
    for team, members in policy.teams.items():
        for index, member in enumerate(members):
            _check_person(("teams", team, index), member, names, report, teams=False)


def _check_answerable(policy: Policy, names: Names, report: Report) -> None:
    lists: tuple[tuple[Path, tuple[str, ...]], ...] = (
        (("owners", "fallback"), policy.owners.fallback),
        (("waivers", "by"), policy.waivers.by),
        (("waivers", "break_glass"), policy.waivers.break_glass),
    )
    for path, answerable in lists:
        for index, name in enumerate(answerable):
            _check_person((*path, index), name, names, report, teams=True)


def _check_person(path: Path, name: str, names: Names, report: Report, *, teams: bool) -> None:
    """`name` must be a person, or with `teams` a team; "" has been reported already."""
    kinds = "people and teams" if teams else "people"
    if not name or name in names.people or (teams and name in names.teams):
        return
    others = (("an agent", names.agents), ("a service", names.services), ("a team", names.teams))
    kind = next((kind for kind, known in others if name in known), "")
    if kind:
        report.add(path, name, (kinds,), f"is {kind}: only {kinds} can stand here")
    else:
        _nobody(path, name, (names.people, names.teams if teams else frozenset()), report)


def _nobody(path: Path, name: str, known: tuple[frozenset[str], ...], report: Report) -> None:
    if report.full:
        report.add(path, name, (), "")
        return
    words = tuple(sorted(frozenset().union(*known)))
    allowed = words[:20] or ("nobody is enrolled yet",)
    report.add(path, name, allowed, "is nobody that this policy knows" + report.hint(name, words))


def _check_requirements(policy: Policy, names: Names, report: Report) -> None:
    seen: set[str] = set()
    for index, requirement in enumerate(policy.requirements):
        path = ("requirement", index)
        if requirement.name and requirement.name in seen:
            report.add((*path, "name"), requirement.name, ("each name once",), "is the name of an earlier requirement")
        seen.add(requirement.name)
        _check_sources((*path, "from"), requirement, names, report)


def _check_sources(path: Path, requirement: Requirement, names: Names, report: Report) -> None:
    for index, source in enumerate(requirement.from_):
        team = source.removeprefix("team:")
        if team != source and team not in names.teams:
            known = tuple(sorted(names.teams))
            report.add(
                (*path, index),
                source,
                tuple(f"team:{name}" for name in known[:20]),
                "names no team" + report.hint(team, known),
            )
    models = [source for source in requirement.from_ if source.partition(":")[0] == "model"]
    if requirement.presence == "required" and models and len(models) == len(requirement.from_):
        report.add(
            (*path[:-1], "presence"), "required", ("preferred",), "can never be met: models cannot touch a security key"
        )


def _check_steps(policy: Policy, report: Report) -> None:
    steps = policy.escalation.steps
    for index, (earlier, later) in enumerate(pairwise(steps), start=1):
        if later.after <= earlier.after:
            path = ("escalation", "steps", index, "after")
            report.add(path, None, ("later than the step before",), "is not later than the step before it")

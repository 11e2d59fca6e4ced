"""What is wrong with rotations and steps as a whole: names of nobody, weeks of the wrong length, a last step without anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rules.rotations import WEEKDAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rules.policy import Person, Policy
    from rules.policy_checks import Names
    from rules.report import Path, Report
    from rules.rotations import Rotation

OWNERS: Final = "owners"
TEAM: Final = "team:"


def check(policy: Policy, above: Policy | None, names: Names, report: Report) -> None:
    """Add to the report what rotations and the steps that name them get wrong."""
    for name, rotation in policy.rotations.items():
        _check_name(name, names, report)
        _check_people(name, rotation, names, report)
        _check_overrides(name, rotation, report)
    _check_targets(policy, names, report)
    _check_last(policy, above, report)
    hours = policy.escalation.hours
    if hours and hours.start >= hours.end:
        report.add(("escalation", "hours", "until"), None, ("later than `from`",), "is not later than `from`")


def _check_name(name: str, names: Names, report: Report) -> None:
    kinds = zip(("people", "agents", "services", "teams"), names, strict=True)
    taken = next((kind for kind, known in kinds if name in known), "")
    if taken or name == OWNERS:
        why = f"is already among the {taken}" if taken else "means the owners concerned in every step"
        report.add(("rotations", name), name, ("a name of its own",), why)


def _check_people(name: str, rotation: Rotation, names: Names, report: Report) -> None:
    path: Path = ("rotations", name)
    rows = [((*path, "people", index), person) for index, person in enumerate(rotation.people)]
    rows += [((*path, "override", index, "person"), row.person) for index, row in enumerate(rotation.overrides)]
    for where, person in rows:
        if person and person not in names.people:
            known = tuple(sorted(names.people))
            allowed = known[:20] or ("nobody is enrolled yet",)
            report.add(where, person, allowed, "is no person of this policy" + report.hint(person, known))
    if rotation.turn == WEEKDAY and len(rotation.people) != 7:
        many = f"{len(rotation.people)} names"
        report.add((*path, "people"), many, ("seven names, from Monday on",), "does not name a person for each weekday")


def _check_overrides(name: str, rotation: Rotation, report: Report) -> None:
    for index, row in enumerate(rotation.overrides):
        if row.start >= row.end:
            path = ("rotations", name, "override", index, "until")
            report.add(path, None, ("later than `from`",), "is not later than `from`")


def _check_targets(policy: Policy, names: Names, report: Report) -> None:
    for index, step in enumerate(policy.escalation.steps):
        for place, word in enumerate(step.notify):
            if word in names.agents or word in names.services:
                path = ("escalation", "steps", index, "notify", place)
                kind = "an agent" if word in names.agents else "a service"
                report.add(
                    path, word, ("owners, team:NAME, people, rotations, routes",), f"is {kind}: only people are asked"
                )
            team = word.removeprefix(TEAM)
            if team != word and team not in names.teams:
                known = tuple(f"{TEAM}{name}" for name in sorted(names.teams))
                path = ("escalation", "steps", index, "notify", place)
                report.add(path, word, known[:20], "names no team" + report.hint(word, known))


def _check_last(policy: Policy, above: Policy | None, report: Report) -> None:
    """The last step may not be empty: whoever it names must be there to be told."""
    people = {**(above.people if above else {}), **policy.people}
    teams = {**(above.teams if above else {}), **policy.teams}
    words = policy.escalation.steps[-1].notify if policy.escalation.steps else ()
    named = [_named(word, policy, teams, people) for word in words]
    if named and not any(_is_somebody(row, people) for row in named):
        path = ("escalation", "steps", len(policy.escalation.steps) - 1, "notify")
        report.add(
            path, ", ".join(words), ("somebody who is active",), "is the last step and reaches nobody: all have left"
        )


def _named(
    word: str, policy: Policy, teams: Mapping[str, tuple[str, ...]], people: Mapping[str, Person]
) -> tuple[str, ...] | None:
    """Whom a word names; None where that is not known here: owners and routes."""
    if word in policy.rotations:
        return policy.rotations[word].people
    if word == OWNERS:
        return None
    return teams.get(word.removeprefix(TEAM), (word,) if word in people else None)


def _is_somebody(named: Iterable[str] | None, people: Mapping[str, Person]) -> bool:
    return named is None or any(people[name].active for name in named if name in people)

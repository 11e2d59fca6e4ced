"""The policy: who is who, and what a change must meet (law 18, 22, 24, 28, 30-37; DESIGN 5.2)."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import policy_checks, policy_shape, toml_lines
from rules.report import Invalid, Problem, Report
from rules.rota_shape import hours_data, hours_of, rotation_data, rotation_of
from rules.shape import duration_text
from rules.sshkeys import Key, key_text
from rules.when import When, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rules.report import Path
    from rules.rotations import Rotation
    from rules.zones import Hours

__all__ = [
    "Agent",
    "Escalation",
    "Independence",
    "Key",
    "OwnersPolicy",
    "Person",
    "Policy",
    "PolicyInvalid",
    "Problem",
    "Requirement",
    "RulesPolicy",
    "Service",
    "Step",
    "Waivers",
    "default",
    "default_text",
    "dump",
    "parse",
    "parse_pyproject",
]

LARGEST: Final = 1 << 20  # characters of a policy
BUILT_IN: Final = "built-in default policy"


class PolicyInvalid(Invalid):
    """A policy that cannot be used (`policy.invalid`), with every mistake in it."""


class Independence(NamedTuple):
    """Each axis is "block", "extra" or "advise" (law 24)."""

    identity: str = "block"
    operator: str = "block"
    session: str = "block"
    model: str = "block"
    family: str = "block"
    undeclared: str = "human"  # or "unresolved" (law 11)
    grade: str = "D"  # the weakest that a `distinct` may rest on (law 10)
    max_age: int = 30 * 86400  # seconds that an approval holds (law 33)
    hasty: int = 0  # changed lines a minute; 0 is off (law 28)


class Requirement(NamedTuple):
    """`from_` holds model, model:NAME, human, team:NAME, owner; one of them suffices (law 30)."""

    name: str
    when: When
    approvals: int
    from_: tuple[str, ...]
    presence: str  # "required" or "preferred" (law 20)


class OwnersPolicy(NamedTuple):
    fallback: tuple[str, ...] = ()  # people and teams
    forge: bool = False


class Waivers(NamedTuple):
    by: tuple[str, ...] = ()  # people and teams; empty: the owners of the paths
    max: int = 14 * 86400  # seconds
    break_glass: tuple[str, ...] = ()  # people and teams; empty: off


class RulesPolicy(NamedTuple):
    directory: str = ""  # of own rules, without a slash at its end; "": none
    sarif: str = "hold"  # the tier of another scanner's `error`


class Step(NamedTuple):
    after: int  # seconds since the opening
    notify: tuple[str, ...]  # owners, team:NAME, people, rotations, routes of the settings


class Escalation(NamedTuple):
    deadline: int = 120  # seconds
    steps: tuple[Step, ...] = (Step(0, ("owners",)),)
    repeat: int = 3
    acknowledged_for: int = 1800  # seconds
    hours: Hours | None = None  # when pages of low severity go out; None: always


class Person(NamedTuple):
    name: str
    emails: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()  # host:login
    keys: tuple[Key, ...] = ()
    active: bool = True


class Agent(NamedTuple):
    """Empty text is what nobody declared."""

    name: str
    keys: tuple[Key, ...] = ()
    accounts: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    operator: str = ""  # a person or another agent
    tool: str = ""
    model: str = ""
    maker: str = ""
    family: str = ""


class Service(NamedTuple):
    name: str
    accounts: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()


class Policy(NamedTuple):
    """`digest` is the sha256 of the meaning: how the file is laid out does not change it."""

    version: int
    repository: str
    protect: tuple[str, ...]  # ref globs beside the default branch
    independence: Independence
    requirements: tuple[Requirement, ...]
    owners: OwnersPolicy
    waivers: Waivers
    escalation: Escalation
    people: Mapping[str, Person]
    agents: Mapping[str, Agent]
    services: Mapping[str, Service]
    teams: Mapping[str, tuple[str, ...]]
    digest: str
    source: str
    media: tuple[str, ...] = ("image", "font")  # kinds of rules.media whose content nobody has to read (law 3)
    rules: RulesPolicy = RulesPolicy()
    rotations: Mapping[str, Rotation] = {}

    def active(self, names: Iterable[str]) -> frozenset[str]:
        """The people behind names of people and teams who have not left."""
        people = {person for name in names for person in self.teams.get(name, (name,))}
        return frozenset(name for name in people if name in self.people and self.people[name].active)


def parse(text: str | bytes, source: str, *, above: Policy | None = None) -> Policy:
    """The policy of a `twohand.toml`; PolicyInvalid with every mistake.

    `above` is a policy whose people, agents, services and teams are known here too (law 36).
    """
    data, report = _loaded(text, source, ())
    return _policy(data, report, source, above)


def parse_pyproject(text: str | bytes, source: str, *, above: Policy | None = None) -> Policy | None:
    """The policy under [tool.twohand], None where there is no such table; PolicyInvalid with every mistake."""
    data, report = _loaded(text, source, ("tool", "twohand"))
    tool = data.get("tool", {})
    if not isinstance(tool, dict) or "twohand" not in tool:
        return None
    return _policy(tool["twohand"], report, source, above)


@cache
def default() -> Policy:
    """The policy where no branch has one (law 36)."""
    return parse(default_text(), BUILT_IN)


def default_text() -> str:
    from importlib.resources import files  # noqa: PLC0415  (slow to import, and rarely needed)

    return files("rules").joinpath("data/default-policy.toml").read_text("utf-8")


def dump(policy: Policy) -> dict[str, Any]:
    """Plain data with the keys and values that a file would have, every default written out; no digest, no source."""
    return {
        "version": policy.version,
        "repository": policy.repository,
        "protect": list(policy.protect),
        "media": list(policy.media),
        "independence": policy.independence._asdict() | {"max_age": duration_text(policy.independence.max_age)},
        "requirement": [_requirement_data(requirement) for requirement in policy.requirements],
        "owners": _lists(policy.owners._asdict()),
        "rules": policy.rules._asdict(),
        "waivers": _lists(policy.waivers._asdict()) | {"max": duration_text(policy.waivers.max)},
        "escalation": _escalation_data(policy.escalation),
        "rotations": {name: rotation_data(rotation) for name, rotation in policy.rotations.items()},
        "people": {name: _enrolled_data(person._asdict()) for name, person in policy.people.items()},
        "agents": {name: _enrolled_data(agent._asdict()) for name, agent in policy.agents.items()},
        "services": {name: _enrolled_data(service._asdict()) for name, service in policy.services.items()},
        "teams": _lists(policy.teams),
    }


def _loaded(text: str | bytes, source: str, prefix: Path) -> tuple[dict[str, Any], Report]:
    """What tomllib reads, and an empty report; PolicyInvalid where it cannot."""
    read = decoded(text, source, PolicyInvalid)
    if toml_lines.is_bomb(read.encode("utf-8", "surrogateescape")):
        raise PolicyInvalid((Problem(source, 0, "", "", (), f"a line has more than {toml_lines.MOST_DOTS} dots"),))
    try:
        return tomllib.loads(read), Report(source, read, prefix)
    except (ValueError, RecursionError) as error:
        raise PolicyInvalid((syntax_problem(read, source, error),)) from None


def decoded(text: str | bytes, source: str, error: type[Invalid]) -> str:
    """The text of a TOML file that is safe to give to tomllib; `error` where it is not."""
    if len(text) > LARGEST:
        raise error((Problem(source, 0, "", "", (f"at most {LARGEST} characters",), "is too large"),))
    try:
        read = text.decode("utf-8") if isinstance(text, bytes) else text.encode("utf-8").decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError) as wrong:
        at = wrong.start
        line = (text.count("\n", 0, at) if isinstance(text, str) else text.count(b"\n", 0, at)) + 1
        raise error((Problem(source, line, "", "", ("UTF-8",), "is no UTF-8 text"),)) from None
    read = read.removeprefix("\ufeff")
    if deep := toml_lines.too_deep(read):
        raise error((Problem(source, deep, "", "", (), "has a key of too many parts"),))
    return read


def syntax_problem(text: str, source: str, error: Exception) -> Problem:
    """A mistake in the TOML itself. tomllib says `... (at line 2, column 6)` or `... (at end of document)`."""
    if isinstance(error, RecursionError):
        return Problem(source, 0, "", "", (), "is nested too deeply")
    if not isinstance(error, tomllib.TOMLDecodeError):
        return Problem(source, 0, "", "", (), "is no TOML: it holds a number that is too long")
    message, _, place = str(error).rpartition(" (at ")
    line = place.removeprefix("line ").partition(",")[0]
    if place.startswith("line ") and line.isdigit():
        return Problem(source, int(line), "", "", (), f"is no TOML: {message}")
    return Problem(source, text.count("\n") + 1, "", "", (), f"is no TOML: {message}")


def _policy(data: Any, report: Report, source: str, above: Policy | None) -> Policy:
    read = policy_shape.POLICY.read(data, (), report)
    policy = _built(read if isinstance(read, dict) else policy_shape.POLICY.empty, source)
    policy_checks.check(policy, above, report)
    if report:
        raise PolicyInvalid(report.problems())
    return _digested(_joined(above, policy) if above else policy)


def _built(read: dict[str, Any], source: str) -> Policy:
    return Policy(
        version=read["version"],
        repository=read["repository"],
        protect=read["protect"],
        media=read["media"],
        independence=Independence(**read["independence"]),
        requirements=tuple(map(_requirement, read["requirement"])),
        owners=OwnersPolicy(**read["owners"]),
        waivers=Waivers(**read["waivers"]),
        rules=RulesPolicy(**read["rules"]),
        escalation=_escalation(read["escalation"]),
        people={name: Person(name, **fields) for name, fields in read["people"].items()},
        agents={name: Agent(name, **fields) for name, fields in read["agents"].items()},
        services={name: Service(name, **fields) for name, fields in read["services"].items()},
        teams=read["teams"],
        rotations={name: rotation_of(fields) for name, fields in read["rotations"].items()},
        digest="",
        source=source,
    )


def _escalation(fields: dict[str, Any]) -> Escalation:
    steps = tuple(Step(**step) for step in fields["steps"])
    return Escalation(**fields | {"steps": steps, "hours": hours_of(fields["hours"])})


def _requirement(fields: dict[str, Any]) -> Requirement:
    return Requirement(
        name=fields["name"],
        when=fields["when"],
        approvals=fields["approvals"],
        from_=fields["from"],
        presence=fields["presence"],
    )


def _joined(higher: Policy, lower: Policy) -> Policy:
    return lower._replace(
        people={**higher.people, **lower.people},
        agents={**higher.agents, **lower.agents},
        services={**higher.services, **lower.services},
        teams={**higher.teams, **lower.teams},
    )


def _digested(policy: Policy) -> Policy:
    canonical = json.dumps(dump(policy), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return policy._replace(digest=sha256(canonical.encode("ascii")).hexdigest())


def _requirement_data(requirement: Requirement) -> dict[str, Any]:
    return {
        "name": requirement.name,
        "when": plain(requirement.when),
        "approvals": requirement.approvals,
        "from": list(requirement.from_),
        "presence": requirement.presence,
    }


def _escalation_data(escalation: Escalation) -> dict[str, Any]:
    steps = [{"after": duration_text(step.after), "notify": list(step.notify)} for step in escalation.steps]
    times = {name: duration_text(getattr(escalation, name)) for name in ("deadline", "acknowledged_for")}
    return {**times, "steps": steps, "repeat": escalation.repeat, "hours": hours_data(escalation.hours)}


def _enrolled_data(fields: dict[str, Any]) -> dict[str, Any]:
    keys = [key_text(key) for key in fields["keys"]]
    return {name: value for name, value in _lists(fields).items() if name != "name"} | {"keys": keys}


def _lists(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

"""What a path's earlier names mean: code that was moved to a harmless path is judged as where it came from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rules import globs, paths
from rules.catalog.security_path import SecurityPath, is_security_path
from rules.change import FileChange
from rules.findings import Finding, Tier
from rules.kinds import Kind, classify
from rules.policy import Policy, Requirement
from rules.when import When

RULE = SecurityPath.slug


class Origin(NamedTuple):
    """An earlier name of a path, and the commit in which its content came from there.

    Without a commit: a path that a disk which ignores case takes for the same.
    """

    path: bytes
    commit: str


def inherited(
    files: Iterable[FileChange], origins: Mapping[bytes, tuple[Origin, ...]], policies: Iterable[Policy]
) -> Iterator[Finding]:
    """At most one finding a file: held where a requirement names an earlier path of it but not this one, else noted
    where an earlier path is a security path and this one is not.
    """
    wanted = [requirement for policy in policies for requirement in policy.requirements]
    for file in files:
        path = paths.unquote(file.path)
        earlier = origins.get(path, ())
        if earlier:
            yield from _first(file, path, earlier, wanted)


def _first(
    file: FileChange, path: bytes, earlier: Iterable[Origin], wanted: Iterable[Requirement]
) -> Iterator[Finding]:
    side = "new" if file.exists_after else "old"
    for requirement in wanted:
        named = _paths(requirement.when)
        if not named or globs.compiled(named).match(path):
            continue
        for origin in earlier:
            if globs.compiled(named).match(origin.path):
                yield Finding(RULE, Tier.HOLD, file.path, side, 0, _held(origin, requirement), "")
                return
    if classify(path) is Kind.PRODUCTION and not is_security_path(path):
        for origin in earlier:
            if is_security_path(origin.path):
                said = f"{_shown(origin)}, which decides who is let in"
                yield Finding(RULE, Tier.NOTE, file.path, side, 0, said, "")
                return


def _held(origin: Origin, requirement: Requirement) -> str:
    return f'{_shown(origin)}, for which the policy asks "{requirement.name}"'


def _shown(origin: Origin) -> str:
    if not origin.commit:
        return f"where case is ignored, this file stands in the place of {paths.quote(origin.path)}"
    return f"this file came from {paths.quote(origin.path)} (in {origin.commit[:12]})"


def _paths(when: When) -> tuple[str, ...]:
    """The globs that a condition asks for; what stands under `not` asks for none."""
    if when.key == "paths":
        return when.values
    return tuple(glob for part in when.parts if when.key != "not" for glob in _paths(part))

"""The condition of a requirement: which files of a change it is about (law 29, 30, 39)."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules import globs
from rules.findings import Tier
from rules.languages import LANGUAGES, language_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["AUTHORS", "EVERYTHING", "LANGUAGES", "Facts", "When", "language_of", "matched", "plain"]

AUTHORS: Final = ("agent", "mixed", "human", "service", "unknown", "any")
_ORDER: Final = {Tier.NOTE: 0, Tier.HOLD: 1, Tier.BLOCK: 2}


class When(NamedTuple):
    """One node of the condition, in canonical form: a table of several keys is `all` of its keys.

    key     author, paths, languages, rule, tier, target (with `values`), lines (with `least`),
            all, any, not (with `parts`); `all` of nothing holds for every file
    """

    key: str
    values: tuple[str, ...] = ()
    parts: tuple[When, ...] = ()
    least: int = 0


EVERYTHING: Final = When("all")


class Facts(NamedTuple):
    """What conditions ask about a change. The index of a file is its place in `paths`."""

    paths: tuple[bytes, ...]
    languages: tuple[str, ...]  # of each path, "" where unknown
    findings: tuple[tuple[int, str, Tier], ...]  # file index (negative: the whole change), rule, tier
    lines: int  # added and removed
    target: str  # full ref or short branch name
    authors: frozenset[str]  # which of AUTHORS hold, see law 39


def matched(when: When, facts: Facts) -> frozenset[int]:
    """The indexes of the files for which the condition holds; the requirement applies when there are any.

    Conditions on paths, languages, rules and tiers select files. Those on the change (author, lines, target) select
    all files or none. `all` intersects, `any` unites, `not` takes the other files.
    """
    return _SELECT[when.key](when, facts)


def plain(when: When) -> dict[str, Any]:
    """The condition as the table that a policy would have; read again it is the same condition."""
    if when.key == "lines":
        return {"lines": when.least}
    if when.key == "tier":
        return {"tier": when.values[0]}
    if when.key == "not":
        return {"not": plain(when.parts[0])}
    if when.key in {"all", "any"}:
        return {when.key: [plain(part) for part in when.parts]} if when.parts else {}
    return {when.key: list(when.values)}


def _every(facts: Facts) -> frozenset[int]:
    return frozenset(range(len(facts.paths)))


def _all(when: When, facts: Facts) -> frozenset[int]:
    return reduce(frozenset.intersection, (matched(part, facts) for part in when.parts), _every(facts))


def _any(when: When, facts: Facts) -> frozenset[int]:
    return frozenset().union(*(matched(part, facts) for part in when.parts))


def _not(when: When, facts: Facts) -> frozenset[int]:
    return _every(facts) - matched(when.parts[0], facts)


def _author(when: When, facts: Facts) -> frozenset[int]:
    return _every(facts) if "any" in when.values or not facts.authors.isdisjoint(when.values) else frozenset()


def _lines(when: When, facts: Facts) -> frozenset[int]:
    return _every(facts) if facts.lines >= when.least else frozenset()


def _target(when: When, facts: Facts) -> frozenset[int]:
    return _every(facts) if globs.ref_match(when.values, facts.target) else frozenset()


def _paths(when: When, facts: Facts) -> frozenset[int]:
    return globs.compiled(when.values).matching(facts.paths)


def _languages(when: When, facts: Facts) -> frozenset[int]:
    return frozenset(index for index, language in enumerate(facts.languages) if language in when.values)


def _rule(when: When, facts: Facts) -> frozenset[int]:
    return _files(facts, (index for index, rule, _ in facts.findings if rule in when.values))


def _tier(when: When, facts: Facts) -> frozenset[int]:
    least = _ORDER[Tier(when.values[0])]
    return _files(facts, (index for index, _, tier in facts.findings if _ORDER[tier] >= least))


def _files(facts: Facts, indexes: Iterable[int]) -> frozenset[int]:
    """The files themselves; a finding on the whole change (negative) is one on every file."""
    files = frozenset(indexes)
    return files if min(files, default=0) >= 0 else _every(facts)


_SELECT: Final[dict[str, Callable[[When, Facts], frozenset[int]]]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "author": _author,
    "lines": _lines,
    "target": _target,
    "paths": _paths,
    "languages": _languages,
    "rule": _rule,
    "tier": _tier,
}

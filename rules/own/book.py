"""Own rules read from their files: TOML in, rules out, every mistake with its file, line, key, value and what is allowed."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from rules import catalogue, toml_lines
from rules.own import code, keys, text
from rules.own.base import ID, Own, page_of
from rules.own.keys import FROM_FUNCTION, PARSED, REMOVED, Spec
from rules.policy import decoded, syntax_problem
from rules.report import Invalid, Problem, Report
from rules.rule import Diff

MOST_TOGETHER = 1_000  # rules of one directory
SINCE = "own"


class RulesInvalid(Invalid):
    """Files of own rules that cannot be used, with every mistake in them."""


class RuleFile(NamedTuple):
    """A file of own rules. `name` is how people would find it: `main:.twohand/rules/tenants.toml`."""

    name: str
    data: bytes


@lru_cache(maxsize=16)
def rules_of(files: tuple[RuleFile, ...]) -> tuple[Own, ...]:
    """The rules of all files of a directory, in their order. Errors: RulesInvalid."""
    found: list[Own] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found += _read(file)
        except RulesInvalid as invalid:
            problems += invalid.problems
    problems += _repeated(found)
    if len(found) > MOST_TOGETHER:
        problems.append(Problem(found[0].spec.source, 0, "", "", (f"at most {MOST_TOGETHER} rules",), "too many rules"))
    if problems:
        raise RulesInvalid(tuple(problems))
    return tuple(found)


def digest(files: Iterable[RuleFile]) -> str:
    """12 hex digits that change when any byte of the files does."""
    whole = sha256()
    for file in files:
        whole.update(sha256(file.data).digest())
    return whole.hexdigest()[:12]


def _read(file: RuleFile) -> Iterator[Own]:
    read = decoded(file.data, file.name, RulesInvalid)
    if toml_lines.is_bomb(file.data):
        raise RulesInvalid((Problem(file.name, 0, "", "", (), f"a line has more than {toml_lines.MOST_DOTS} dots"),))
    try:
        data = tomllib.loads(read)
    except (ValueError, RecursionError) as error:
        raise RulesInvalid((syntax_problem(read, file.name, error),)) from None
    report = Report(file.name, read)
    rows = keys.FILE.read(data, (), report)["rule"]
    specs = [keys.spec_of(row, file.name) for row in rows]
    made = [_made(spec, index, report) for index, spec in enumerate(specs) if not report]
    if report:
        raise RulesInvalid(report.problems())
    return (rule for rule in made if rule is not None)


def _made(spec: Spec, index: int, report: Report) -> Own | None:
    """The rule; None where the report says why it is none."""
    at = ("rule", index)
    if spec.slug in _catalogued():
        report.add((*at, "slug"), spec.slug, (), "is the name of a rule of the catalogue: choose another one")
    for number, sample in enumerate((*spec.holds, *spec.passes)):
        if not sample.old and not sample.new:
            part, place = ("holds", number) if number < len(spec.holds) else ("passes", number - len(spec.holds))
            report.add((*at, part, place), None, ("old, new or both",), "shows no file")
    try:
        return _of_kind(spec)
    except ValueError as error:
        key = "languages" if spec.kind == FROM_FUNCTION and not _is_parsed(spec) else "pattern"
        value: Any = list(spec.languages) if key == "languages" else spec.pattern
        report.add((*at, key), value, PARSED if key == "languages" else (), str(error))
        return None


def _of_kind(spec: Spec) -> Own:
    if spec.kind == FROM_FUNCTION:
        if not _is_parsed(spec):
            raise ValueError(f"must name languages whose functions can be told apart for kind {FROM_FUNCTION}")
        for language in spec.languages:
            code.checked(spec.pattern, language)
        return _instance(spec, code.LostFromFunction, None)
    return _instance(spec, text.Lost if spec.kind == REMOVED else text.Won, text.compiled(spec.pattern))


def _is_parsed(spec: Spec) -> bool:
    return bool(spec.languages) and set(spec.languages) <= set(PARSED)


def _instance(spec: Spec, kind: type[Own], matcher: Any) -> Own:
    """A class of its own for each rule, as in the catalogue, so that all that reads rules reads these."""
    told = {
        "__doc__": page_of(spec), "id": ID, "slug": spec.slug, "tier": spec.tier, "since": SINCE,
        "languages": spec.languages, "spec": spec, "matcher": matcher,
        "HOLDS": tuple(map(_diff, spec.holds)), "PASSES": tuple(map(_diff, spec.passes)),
    }  # fmt: skip
    made: type[Own] = type("OwnRule", (kind,), told)
    return made()


def _diff(sample: keys.Sample) -> Diff:
    return Diff(sample.path, sample.old or None, sample.new or None)


@lru_cache(maxsize=1)
def _catalogued() -> frozenset[str]:
    return frozenset(rule.slug for rule in catalogue.all_rules())


def _repeated(rules: Iterable[Own]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for rule in rules:
        source = rule.spec.source
        if rule.slug in first:
            yield Problem(
                source, 0, "slug", f'"{rule.slug}"', (), f"is already the name of a rule in {first[rule.slug]}"
            )
        first.setdefault(rule.slug, source)

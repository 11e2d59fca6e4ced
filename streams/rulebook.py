"""Every rule that looks at changes of a repository, with where it comes from."""

import os
from pathlib import Path
from typing import NamedTuple

from rules.catalogue import all_rules
from rules.own.base import Own
from rules.own.book import RuleFile, rules_of
from rules.policy import parse, parse_pyproject
from rules.rule import Rule
from streams import settings
from streams.laws import FILE, LIMIT, PYPROJECT, governing
from streams.own_rules import MOST_FILES
from streams.sources.errors import NotARepository, SourceError
from streams.sources.git import Repository

CATALOGUE = "catalogue"
DEFAULT_DIRECTORY = ".twohand/rules"


class Entry(NamedTuple):
    """A rule; `source` is "catalogue", a package, or the file of an own rule with its branch."""

    rule: Rule
    source: str


class Rulebook(NamedTuple):
    """All rules, those of the catalogue first; `problems` say why some of a repository cannot be used."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()


class NoRules(SourceError):
    """There is no directory or file of own rules to look at."""


def rulebook(where: Path, explicit: Path | None) -> Rulebook:
    """What would look at a change that lands on the default branch; outside a repository, the catalogue alone."""
    known = [Entry(rule, CATALOGUE) for rule in all_rules()]
    try:
        repo = Repository.open(where)
    except NotARepository:
        return Rulebook(tuple(known))
    found = settings.load(explicit, repo.common_dir, os.environ)
    if found.packages:
        from streams.rule_packages import brought_by  # noqa: PLC0415 - importlib.metadata, only where one is named

        known += [Entry(rule, f"package {package}") for package, rule in brought_by(found.packages)]
    branch = repo.default_branch()
    if not branch or not repo.exists(branch):
        return Rulebook(tuple(known))
    law = governing(repo, found, default=branch, target=branch, target_tip=repo.resolve(branch))
    own = [Entry(rule, rule.spec.source) for rule in law.rules if isinstance(rule, Own)]
    return Rulebook((*known, *own), tuple(text.problem for text in law.texts if text.problem))


def files_of(place: Path) -> tuple[RuleFile, ...]:
    """The rule files at a path of the file system: a directory with TOML files, or one of them. Errors: NoRules."""
    try:
        found = sorted(place.rglob("*.toml")) if place.is_dir() else [place]
        files = tuple(RuleFile(str(path), path.read_bytes()) for path in found[: MOST_FILES + 1])
    except OSError as error:
        raise NoRules(f"{place} cannot be read: {error.strerror}.", remedy=_NEW) from None
    if not files or len(files) > MOST_FILES:
        said = f"holds more than {MOST_FILES} files" if files else "holds no .toml file"
        raise NoRules(f"{place} {said}.", remedy=_NEW)
    return files


def tried(place: Path) -> tuple[Own, ...]:
    """The own rules at a path of the file system. Errors: NoRules, RulesInvalid."""
    return rules_of(files_of(place))


def directory_of(where: Path) -> Path | None:
    """The directory that the policy of the working tree names; None where it names none. Errors: NoRules."""
    root = _root(where)
    policies = (_policy(root / name.decode()) for name in (FILE, PYPROJECT))
    named = next((policy for policy in policies if policy), "")
    return root / named if named else None


def _root(where: Path) -> Path:
    repo = Repository.open(where)
    if repo.work_tree is None:
        raise NoRules("A bare repository has no files to look at.", remedy="Name a directory.")
    return repo.work_tree


def _policy(path: Path) -> str:
    """The directory that a policy file names, "" where there is no such file or it names none."""
    if not path.is_file() or path.stat().st_size > LIMIT:
        return ""
    read = parse_pyproject if path.name == PYPROJECT.decode() else parse
    policy = read(path.read_bytes(), str(path))
    return policy.rules.directory if policy else ""


_NEW = "`twohand rules new SLUG` writes a first rule."

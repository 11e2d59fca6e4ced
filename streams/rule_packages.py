"""Rules of installed packages: those of the entry point group `twohand.rules` that the settings name, and no others.

They are the operator's choice and run with the operator's rights. What is absent, does not load or crashes is an error:
the gate stays closed.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from typing import Any

from rules.catalogue import all_rules
from rules.findings import Finding, Tier
from rules.patterns import found, pattern
from rules.rule import Edit, Rule
from streams.sources.errors import SourceError

GROUP = "twohand.rules"
_REMEDY = "Install or repair it beside twohand, or take it out of [rules] packages in the settings."


class RulePackageBroken(SourceError):
    """A package of rules that the settings name is absent, does not load, or crashed."""


def package_rules(packages: Iterable[str]) -> tuple[Rule, ...]:
    """Every rule that these packages bring, in the order of the settings. Errors: RulePackageBroken."""
    return tuple(rule for _, rule in brought_by(packages))


def brought_by(packages: Iterable[str]) -> list[tuple[str, Rule]]:
    """Each of these rules with its package. Errors: RulePackageBroken."""
    found: dict[str, Rule] = {rule.slug: rule for rule in all_rules()}
    brought: list[tuple[str, Rule]] = []
    for package in packages:
        for point in _points(package):
            made: Any = _loaded(point, package)
            rule = _guarded(made, package)
            if rule.slug in found:
                raise _broken(package, f"brings the rule {rule.slug}, and there is one of that name already")
            found[rule.slug] = rule
            brought.append((package, rule))
    return brought


def _points(package: str) -> list[metadata.EntryPoint]:
    try:
        points = metadata.distribution(package).entry_points.select(group=GROUP)
    except metadata.PackageNotFoundError:
        raise _broken(package, "is not installed where twohand is") from None
    if not points:
        raise _broken(package, f"has no entry point in the group {GROUP}")
    return sorted(points, key=lambda point: point.name)


def _loaded(point: metadata.EntryPoint, package: str) -> type[Rule]:
    """The class that an entry point names. Even an exit while it is imported is an error."""
    try:
        return _checked(point.load())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a SystemExit would end us with the code of an admission
        raise _broken(package, f"does not load ({point.value}): {_words(error)}") from error


def _checked(made: Any) -> type[Rule]:
    """The class itself, where it is a rule; TypeError or ValueError where it is none."""
    if not (isinstance(made, type) and issubclass(made, Rule)):
        raise TypeError("it is no class derived from rules.rule.Rule")
    for name in ("id", "slug", "since"):
        if not isinstance(getattr(made, name, None), str):
            raise TypeError(f"{made.__name__}.{name} is no text")
    Tier(made.tier)
    for trigger in made.triggers:
        pattern(trigger)
    return made


def _broken(package: str, why: str) -> RulePackageBroken:
    return RulePackageBroken(f"The package of rules {package} {why}.", remedy=_REMEDY)


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


class Guarded(Rule):
    """A rule of a package: its triggers are asked apart from the catalogue's, and its crash is an error with its name."""

    def __init__(self, rule: Rule, package: str) -> None:
        self._rule = rule
        self._package = package

    def check(self, edit: Edit) -> Iterator[Finding]:
        try:
            if self._rule.triggers and not self._is_triggered(edit):
                return
            for each in self._rule.check(edit):
                yield Finding(self.slug, Tier(each.tier), each.path, each.side, each.line, each.message, each.quote)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            why = f"crashed in its rule {self.slug} on {edit.file.path}: {_words(error)}"
            raise _broken(self._package, why) from error

    def _is_triggered(self, edit: Edit) -> bool:
        return any(found(trigger, edit.changed.joined()) for trigger in self._rule.triggers)


@lru_cache(maxsize=256)
def _guarded(made: Any, package: str) -> Guarded:
    """The rule of a class, the same one for the same class."""
    try:
        rule = made()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _broken(package, f"does not make its rule {made.slug}: {_words(error)}") from error
    told = {
        "__doc__": made.__doc__, "id": made.id, "slug": made.slug, "tier": Tier(made.tier), "since": made.since,
        "languages": tuple(made.languages), "HOLDS": made.HOLDS, "PASSES": made.PASSES,
    }  # fmt: skip
    named: type[Guarded] = type("PackageRule", (Guarded,), told)
    return named(rule, package)

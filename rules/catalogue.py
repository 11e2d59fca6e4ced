"""The table of rules: every module of rules.catalog holds one class that says what it is."""

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from rules import catalog
from rules.rule import Rule


@lru_cache(maxsize=1)
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by slug."""
    names = sorted(module.name for module in iter_modules(catalog.__path__))
    return tuple(sorted((_rule(name) for name in names), key=lambda rule: rule.slug))


def _rule(name: str) -> Rule:
    module = import_module(f"{catalog.__name__}.{name}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value is not Rule
    )
    return found()

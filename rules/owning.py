"""Who has to be asked for a path, and who can answer (law 29, 31)."""

from collections.abc import Callable
from typing import NamedTuple

from rules.owners import Owners
from rules.policy import Policy
from rules.principals import Registry


class Owned(NamedTuple):
    """`people` may answer for the path; `why` tells why the fallback does, or why nobody can."""

    named: tuple[str, ...]
    people: frozenset[str]
    would: frozenset[str]  # these and those whom their authorship recuses
    why: str  # "", nobody owns it, no named owner can be reached, every owner is an author, nobody is left


class Owning:
    """Owners of paths for one change: active, human, and not recused by its authors."""

    def __init__(self, policy: Policy, registry: Registry, file: Owners | None, recused: Callable[[str], bool]) -> None:
        self._registry = registry
        self._file = file
        self._recused = recused
        self._all_fallback = registry.people(policy.owners.fallback)
        self.fallback = frozenset(person for person in self._all_fallback if not recused(person))
        self._known: dict[tuple[str, ...], Owned] = {}

    def of(self, path: bytes) -> Owned:
        match = self._file.match(path) if self._file else None
        named = match.rule.owners if match and match.rule else ()
        if named not in self._known:
            self._known[named] = self._resolve(named)
        return self._known[named]

    def _resolve(self, named: tuple[str, ...]) -> Owned:
        people = frozenset(person for owner in named for person in self._registry.owner(owner))
        able = frozenset(person for person in people if not self._recused(person))
        if able:
            return Owned(named, able, people, "")
        why = "nobody owns it"
        if named:
            why = "every owner is an author" if people else "no named owner can be reached"
        would = people | self._all_fallback
        return Owned(named, self.fallback, would, why if self.fallback else f"{why}, nobody is left")

"""Who answers for which path, as the owners file and the policy of one commit say; and what a departure would change."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.gate_paths import is_gate_path
from rules.languages import language_of
from rules.owners import LIMIT, LOCATIONS, Owners, Rule, parse
from rules.owning import Owned, Owning
from rules.policy import Policy
from rules.principals import Registry
from rules.when import AUTHORS, Facts, matched
from streams.sources.git import Repository

OWNED, FALLBACK, NOBODY = "owned", "fallback", "nobody"


class Answer(NamedTuple):
    """One path. `line` is the owners file's, 0 where none matched; `people` can answer; `why` tells why the fallback does."""

    path: bytes
    line: int
    pattern: str
    named: tuple[str, ...]
    people: tuple[str, ...]
    state: str
    why: str
    guarded: bool


class Ownership:
    """The owners file and the policy of one commit."""

    def __init__(self, policy: Policy, file: Owners | None, target: str) -> None:
        self.policy, self.file, self.target = policy, file, target
        self.registry = Registry(policy)
        self._owning = Owning(policy, self.registry, file, lambda _: False)

    def without(self, names: Iterable[str]) -> "Ownership":
        """The same after these people have left."""
        left = {person for name in names if (found := self.registry.named(name)) for person in found.names}
        people = {
            name: person._replace(active=person.active and name not in left)
            for name, person in self.policy.people.items()
        }
        return Ownership(self.policy._replace(people=people), self.file, self.target)

    def answers(self, paths: Sequence[bytes]) -> list[Answer]:
        guarded = self._guarded(paths)
        return [self._answer(path, guarded=at in guarded) for at, path in enumerate(paths)]

    def _answer(self, path: bytes, *, guarded: bool) -> Answer:
        owned = self._owning.of(path)
        match = self.file.match(path) if self.file else None
        rule = match.rule if match else None
        people = tuple(sorted(owned.people))
        line, pattern = (rule.line, rule.pattern) if rule else (0, "")
        return Answer(path, line, pattern, owned.named, people, _state(owned), owned.why, guarded)

    def _guarded(self, paths: Sequence[bytes]) -> frozenset[int]:
        """Law 29, as far as paths alone tell: what a requirement with `owner` matches, and the gate's own files."""
        languages = tuple(language_of(path) for path in paths)
        facts = Facts(tuple(paths), languages, (), 0, self.target, frozenset(AUTHORS))
        asked = [one.when for one in self.policy.requirements if "owner" in one.from_]
        by_policy = frozenset[int]().union(*(matched(when, facts) for when in asked))
        return by_policy | frozenset(at for at, path in enumerate(paths) if is_gate_path(path))

    def unreachable(self) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
        """Owners that resolve to nobody who is enrolled and active, with their lines."""
        lines: dict[str, list[Rule]] = {}
        for rule in self.file.rules if self.file else ():
            for owner in rule.owners:
                lines.setdefault(owner, []).append(rule)
        return tuple((owner, tuple(rules)) for owner, rules in lines.items() if not self.registry.owner(owner))

    def keyless(self) -> tuple[str, ...]:
        """Active people without a key: they can be asked, and cannot answer."""
        return tuple(one.name for one in self.policy.people.values() if one.active and not one.keys)


def _state(owned: Owned) -> str:
    if not owned.people:
        return NOBODY
    return FALLBACK if owned.why else OWNED


def read_file(repo: Repository, commit: str) -> Owners | None:
    """The owners file of a commit, the first of GitHub's places. Errors: SourceError."""
    found = repo.tree_blobs(commit, [name.encode() for name in LOCATIONS], limit=LIMIT + 1)
    return next((parse(data, name.decode()) for name, data in found.items() if data is not None), None)


def tree(repo: Repository, commit: str, *, most: int) -> list[bytes]:
    """The paths of a commit's files, at most so many."""
    return repo.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).out.split(b"\0")[:-1][:most]

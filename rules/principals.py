"""Who is who: the enrolled people, agents and services, and which of their names are one hand (law 15, 16)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rules.policy import Agent, Key, Person, Policy, Service

GIT = "git"  # the namespace of commit signatures
NOREPLY = "@users.noreply.github.com"


class Principal(NamedTuple):
    """One hand. Names that share a key, an account or an address are one; the strictest kind and state among them stand."""

    name: str
    kind: str  # person, agent, service
    names: frozenset[str]
    active: bool
    agent: Agent | None = None


class Registry:
    """The enrolled, indexed. Lookups answer None for strangers."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._keys: dict[str, tuple[str, Key]] = {}
        self._marks: dict[str, str] = {}
        self._root = {name: name for name in _names(policy)}
        for name, marks, keys in _enrolled(policy):
            for mark in marks:
                self._tie(name, mark)
            for key in keys:
                self._tie(name, key.line)
                self._keys.setdefault(key.line, (name, key))
        self._principals = {root: self._principal(root) for root in set(map(self._find, self._root))}

    @property
    def is_empty(self) -> bool:
        """Whether nobody is enrolled."""
        return not self._root

    def _find(self, name: str) -> str:
        while self._root[name] != name:
            name = self._root[name]
        return name

    def _tie(self, name: str, mark: str) -> None:
        roots = sorted({self._find(name), self._find(self._marks.setdefault(mark, name))})
        self._root[roots[-1]] = roots[0]

    def _principal(self, root: str) -> Principal:
        names = frozenset(name for name in self._root if self._find(name) == root)
        agents = [self._policy.agents[name] for name in sorted(names) if name in self._policy.agents]
        services = any(name in self._policy.services for name in names)
        active = all(self._policy.people[name].active for name in names if name in self._policy.people)
        kind = "service" if services else "agent" if agents else "person"
        return Principal(root, kind, names, active, agents[0] if agents else None)

    def named(self, name: str) -> Principal | None:
        return self._principals[self._find(name)] if name in self._root else None

    def by_mark(self, mark: str) -> Principal | None:
        return self.named(self._marks[mark]) if mark in self._marks else None

    def by_email(self, email: str) -> Principal | None:
        """By address; GitHub's noreply addresses name an account."""
        address = email.casefold()
        if found := self.by_mark(f"mailto:{address}"):
            return found
        if address.endswith(NOREPLY):
            return self.by_account("github:" + address.removesuffix(NOREPLY).rpartition("+")[2])
        return None

    def by_account(self, account: str) -> Principal | None:
        return self.by_mark(account.casefold())

    def by_door(self, account: str) -> Principal | None:
        """As a door names somebody: `host:login`, an address, a login that is one hand's alone, or a name without accounts."""
        if ":" in account:
            return self.by_account(account)
        if "@" in account:
            return self.by_email(account)
        login = f":{account.casefold()}"
        found = {name for mark, name in self._marks.items() if mark.endswith(login) and not mark.startswith("mailto:")}
        hands = {principal.name: principal for name in found if (principal := self.named(name))}
        if hands:
            return next(iter(hands.values())) if len(hands) == 1 else None
        groups = (self._policy.people, self._policy.agents, self._policy.services)
        entry = next((group[account] for group in groups if account in group), None)
        return self.named(account) if entry and not entry.accounts else None

    def by_key(self, line: str) -> tuple[Principal, Key] | None:
        if line not in self._keys:
            return None
        name, key = self._keys[line]
        principal = self.named(name)
        return (principal, key) if principal else None

    def lapsed(self, lines: Iterable[str], at: str) -> frozenset[str]:
        """Enrolled keys among these that are outside their window."""
        known = ((line, self._keys[line][1]) for line in lines if line in self._keys)
        return frozenset(line for line, key in known if not key.valid_at(at))

    def void(self, lines: Iterable[str], at: str) -> frozenset[str]:
        """Enrolled keys among these that sign no commits now: outside their window, or enrolled for something else."""
        known = ((line, self._keys[line][1]) for line in lines if line in self._keys)
        return frozenset(
            line for line, key in known if not key.valid_at(at) or (key.namespaces and GIT not in key.namespaces)
        )

    def by_any(self, text: str) -> Principal | None:
        """By enrolled name, account or address: for operators as tools record them."""
        return self.named(text) or self.by_account(text) or self.by_email(text)

    def operators(self, principal: Principal) -> frozenset[str]:
        """The people behind a hand, transitively: a person stands behind themself, a service has nobody."""
        if principal.kind == "person":
            return frozenset({principal.name})
        people: set[str] = set()
        seen: set[str] = set()
        queue = [name for name in principal.names if name in self._policy.agents]
        while queue:
            agent = self._policy.agents[queue.pop()]
            if agent.name in seen:
                continue
            seen.add(agent.name)
            operator = self.named(agent.operator)
            if operator and operator.kind == "person":
                people.add(operator.name)
            elif operator:
                queue.extend(name for name in operator.names if name in self._policy.agents)
        return frozenset(people)

    def people(self, names: Iterable[str]) -> frozenset[str]:
        """The active people among names of people and teams."""
        return frozenset(person.name for name in names for person in self._members(name) if person.active)

    def _members(self, name: str) -> Iterator[Principal]:
        for member in self._policy.teams.get(name, (name,)):
            found = self.named(member)
            if found and found.kind == "person":
                yield found

    def owner(self, text: str) -> frozenset[str]:
        """The active people that an owners line names: `@login`, `@org/team`, or an address."""
        if not text.startswith("@"):
            found = self.by_email(text)
            return self.people([found.name]) if found else frozenset()
        login = text[1:]
        if "/" in login:
            team = login if login in self._policy.teams else login.rpartition("/")[2]
            return self.people(self._policy.teams.get(team, ()))
        return frozenset(name for name in self._logins(login) if self._principals[name].active)

    def _logins(self, login: str) -> Iterator[str]:
        for person in self._policy.people.values():
            logins = {account.rpartition(":")[2].casefold() for account in person.accounts}
            if login.casefold() in logins or (not logins and login == person.name):
                found = self.named(person.name)
                if found and found.kind == "person":
                    yield found.name


def _names(policy: Policy) -> list[str]:
    return [*policy.people, *policy.agents, *policy.services]


def _enrolled(policy: Policy) -> Iterator[tuple[str, list[str], tuple[Key, ...]]]:
    groups: tuple[Iterable[Person | Agent | Service], ...] = (
        policy.people.values(),
        policy.agents.values(),
        policy.services.values(),
    )
    for group in groups:
        for one in group:
            marks = [f"mailto:{email.casefold()}" for email in one.emails]
            yield one.name, marks + [account.casefold() for account in one.accounts], one.keys

"""What one change is under one policy, worked out once: hands, paths, owners and conditions (DESIGN 14).

A decision after every further review asks the same questions of the same change; only votes are new. A docket is kept as
long as the proposal it belongs to is the one that is asked about.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache

from rules import independence
from rules.ballots import Ballot, Court, court
from rules.claims import Claim
from rules.events import ChangeProposed
from rules.findings import Finding, Tier
from rules.gate_paths import is_gate_path, is_own_rule
from rules.independence import Hand
from rules.lineage import declared
from rules.owners import Owners
from rules.owners import parse as parse_owners
from rules.paths import unquote
from rules.policy import Policy
from rules.principals import Registry
from rules.provenance import Authorship, authorship
from rules.reasons import Commands
from rules.votes import Vote
from rules.when import Facts, language_of, matched

Claims = tuple[Claim, ...]
Beside = tuple[Claims, tuple[Claims, ...], frozenset[str]]
"""What statements say about authors, what earlier proposals did, and keys whose commit signatures are nothing now."""
PROPOSED_BY = "proposed by "  # before a key: what it proposed is void, not what commits it signed
NOWHERE = b"\0"  # a path that no tree has
Area = tuple[frozenset[int], ...]  # the files of each requirement, by index


class Docket:
    """One change under one policy, with what was said beside it."""

    def __init__(self, proposed: ChangeProposed, policy: Policy, beside: Beside) -> None:
        self.proposed = proposed
        self.policy = policy
        self.registry = registry_of(policy)
        said, earlier, void = beside
        sound = _without(proposed, void) if void else proposed
        self.made: Authorship = authorship(sound, said, earlier, self.registry)
        on = independence.ground(self.made, policy.independence)
        self.court: Court = court(self.made, on, policy.independence)
        self._ballots: dict[Vote, Ballot] = {}
        self._areas: dict[tuple[Finding, ...], Area] = {}
        self._recused: dict[tuple[str, bool], bool] = {}

    @cached_property
    def raw(self) -> tuple[bytes, ...]:
        return tuple(unquote(file.path) for file in self.proposed.files)

    @cached_property
    def index(self) -> dict[str, int]:
        return {file.path: at for at, file in enumerate(self.proposed.files)}

    @cached_property
    def owners_file(self) -> Owners | None:
        return _owners(self.proposed.owners_file, self.proposed.owners_text) if self.proposed.owners_file else None

    @cached_property
    def self_edits(self) -> frozenset[int]:
        """Law 29: paths of the gate itself; of pyproject.toml only where the table changed."""
        told = {self.index[path] for path in self.proposed.self_edits if path in self.index}
        own = self.policy.rules.directory
        return frozenset(at for at, raw in enumerate(self.raw) if is_gate_path(raw) or is_own_rule(raw, own)) | told

    @cached_property
    def commands(self) -> Commands:
        """The commands of remedies, with the tool that the change names and somebody who could answer for it."""
        authors = self.made.authors
        tool = min((author.tool for author in authors if author.kind == "agent" and author.tool), default="")
        people = [a.principal for a in authors if a.kind == "human" and a.principal] or [a.operator for a in authors]
        known = sorted(name for name in people if self.registry.named(name))
        enrolled = bool(self.policy.people or self.policy.agents)
        proposer = known[0] if known else ""
        rewrite = self.proposed.rewritten
        return Commands(
            self.proposed.head, self.proposed.target, tool=tool, proposer=proposer, enrolled=enrolled, rewrite=rewrite
        )

    @cached_property
    def _languages(self) -> tuple[str, ...]:
        return tuple(map(language_of, self.raw))

    def areas(self, findings: tuple[Finding, ...]) -> Area:
        """The files that each requirement is about, while these findings stand."""
        if findings not in self._areas:
            lines = sum(file.added + file.removed for file in self.proposed.files)
            rows = tuple(self._placed(findings))
            facts = Facts(self.raw, self._languages, rows, lines, self.proposed.target, self.made.kinds)
            self._areas[findings] = tuple(matched(requirement.when, facts) for requirement in self.policy.requirements)
        return self._areas[findings]

    @cached_property
    def unconditional(self) -> tuple[bool, ...]:
        """Which requirements speak about a change whose commits leave no file changed: those that ask for no path (law 4)."""
        if self.proposed.files or not any(commit.own_edits for commit in self.proposed.commits):
            return (False,) * len(self.policy.requirements)
        facts = Facts((NOWHERE,), ("",), (), 0, self.proposed.target, self.made.kinds)
        return tuple(
            bool(matched(requirement.when, facts)) and requirement.from_ != ("owner",)
            for requirement in self.policy.requirements
        )

    def _placed(self, findings: Iterable[Finding]) -> Iterable[tuple[int, str, Tier]]:
        """A finding that speaks of no file of the change speaks of all of it (index -1)."""
        return ((self.index.get(finding.path, -1), finding.rule, finding.tier) for finding in findings)

    def guarded(self, findings: tuple[Finding, ...]) -> frozenset[int]:
        """Law 29: what a requirement with `owner` matched, and the paths of the gate itself."""
        areas = zip(self.policy.requirements, self.areas(findings), strict=True)
        return (
            frozenset(at for requirement, files in areas if "owner" in requirement.from_ for at in files)
            | self.self_edits
        )

    def ballot(self, vote: Vote) -> Ballot:
        if vote not in self._ballots:
            self._ballots[vote] = self.court.ballot(vote)
        return self._ballots[vote]

    def recused(self, name: str, *, firmly: bool = False) -> bool:
        """Whether an enrolled name that said nothing yet would be recused as self-review.

        `firmly`: by authors of A or B evidence alone. Text that an author writes takes no owner out of reach (law 10, 31).
        """
        if (name, firmly) not in self._recused:
            self._recused[name, firmly] = self._would_recuse(name, self._firm if firmly else self.court)
        return self._recused[name, firmly]

    @cached_property
    def _firm(self) -> Court:
        pairs = (pair for pair in self.court.pairs if pair[0].accountable or pair[0].strongest in "AB")
        return self.court._replace(pairs=tuple(pairs))

    def _would_recuse(self, name: str, bench: Court) -> bool:
        principal = self.registry.named(name)
        if principal is None or principal.kind == "service":
            return True
        people = self.registry.operators(principal)
        agent = principal.agent
        if agent is None:
            return bench.recused(Hand("human", name, name, people))
        known = declared(agent.model, agent.maker, agent.family)
        return bench.recused(Hand("agent", name, name, people, agent.tool, "", known))


def _without(proposed: ChangeProposed, void: frozenset[str]) -> ChangeProposed:
    """The change without what keys signed that are nothing now."""
    commits = tuple(c._replace(signed_by="") if c.signed_by in void else c for c in proposed.commits)
    recorded = tuple(
        row._replace(claims=tuple(claim for claim in row.claims if PROPOSED_BY + claim.account not in void))
        for row in proposed.recorded
    )
    return replace(proposed, commits=commits, recorded=recorded)


class _ByMeaning:
    """A policy as the key of a cache: policies of one digest enrol the same hands."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return hash(self.policy.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByMeaning) and other.policy.digest == self.policy.digest


@lru_cache(maxsize=32)
def _registry(key: _ByMeaning) -> Registry:
    return Registry(key.policy)


@lru_cache(maxsize=8)
def _owners(name: str, text: str) -> Owners:
    return parse_owners(text.encode("utf-8", "surrogateescape"), name)


def registry_of(policy: Policy) -> Registry:
    """The enrolled of a policy, indexed once for each meaning."""
    return _registry(_ByMeaning(policy))


class _Question:
    """The key of a docket: this very proposal, a policy's meaning, and what was said beside the change."""

    def __init__(self, proposed: ChangeProposed, policy: Policy, beside: Beside) -> None:
        self.parts = (proposed, policy, beside)

    def __hash__(self) -> int:
        proposed, policy, (said, _, void) = self.parts
        return hash((proposed.content_key, policy.digest, said, void))

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, _Question)
        (mine, policy, beside), (theirs, its_policy, its_beside) = self.parts, other.parts
        same_law = (policy.digest, policy.source) == (its_policy.digest, its_policy.source)
        return mine is theirs and same_law and beside == its_beside


@lru_cache(maxsize=64)
def _kept(question: _Question) -> Docket:
    return Docket(*question.parts)


def docket(proposed: ChangeProposed, policy: Policy, beside: Beside) -> Docket:
    """The docket of this proposal, from the last time it was asked for or new."""
    return _kept(_Question(proposed, policy, beside))

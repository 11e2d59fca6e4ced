"""From what every channel says to the set of authors, and to who answers for the change (law 8-16)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rules.claims import NO_TOOL, Claim, completed
from rules.events import ChangeProposed, CommitFact
from rules.lineage import model
from rules.policy import Agent
from rules.principals import Principal, Registry

ASSERTED = frozenset({"opened-by", "pushed-by"})
WHOLE = ASSERTED | {"proposal"}
CARRYING = frozenset({"committer", "opened-by", "pushed-by"})
FORGE_COMMITTER = "noreply@github.com"


class Evidence(NamedTuple):
    channel: str
    grade: str
    claim: str


class Author(NamedTuple):
    """One hand in the change. `principal` is an enrolled name; a stranger has only `name`. Empty text is unknown."""

    kind: str  # human, agent, service
    name: str
    principal: str = ""
    accountable: bool = False
    operator: str = ""
    session: str = ""
    tool: str = ""
    model: str = ""
    maker: str = ""
    family: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def strongest(self) -> str:
        return min((item.grade for item in self.evidence), default="D")

    def as_row(self) -> dict[str, Any]:
        """The author as plain data, as decisions and audits write it; null is unknown."""
        row = {name: value or None for name, value in self._asdict().items() if name not in ("accountable", "evidence")}
        return {**row, "accountable": self.accountable, "evidence": [item._asdict() for item in self.evidence]}


class Conflict(NamedTuple):
    """Two claims that cannot both be true of one fact (law 14)."""

    fact: str
    claims: tuple[str, str]


class Authorship(NamedTuple):
    """Everything that the decision needs to know about hands.

    accountable: principals who answer for the whole change; unanswered: commits that nobody answers for (law 9)
    declared: whether anything was said about tools, by a mark or by a proposal (law 11)
    attested: whether that was said with grade A or B: weak evidence ends no silence that counts against a change (law 10)
    """

    authors: tuple[Author, ...]
    accountable: frozenset[str]
    unanswered: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    declared: bool
    attested: bool
    grade: str  # of what makes somebody accountable: A or B; "" where nobody is

    @property
    def kinds(self) -> frozenset[str]:
        """For `when.author` (law 39)."""
        kinds = {author.kind for author in self.authors}
        found = set()
        if "agent" in kinds:
            found.add("agent")
        if {"agent", "human"} <= kinds:
            found.add("mixed")
        for one in ("human", "service"):
            if kinds == {one}:
                found.add(one)
        if not self.authors or (self.unanswered and not any(author.principal for author in self.authors)):
            found.add("unknown")
        return frozenset(found)


def authorship(
    proposed: ChangeProposed, said: Sequence[Claim], earlier: Sequence[tuple[Claim, ...]], registry: Registry
) -> Authorship:
    """Join everything. `said` are the claims of verified statements on this content (proposals, authors seen);
    `earlier` the claims of earlier recorded changes with this change id, content or patch."""
    resolve = Resolver(registry)
    own = (*proposed.claims, *_signatures(proposed.commits), *said)
    before = (*(row.claims for row in proposed.recorded), *earlier)
    stuck = [claims for claims in before if resolve.accountable(claims)]
    answering = resolve.accountable(own) | resolve.service(proposed)
    signers = _signers(proposed.commits, registry)
    shown = [row.claims for row in proposed.recorded if row.shows]
    makers = resolve.makers(said, shown) | _self_signed(proposed, resolve)
    clean = frozenset(commit.id for commit in proposed.commits if not commit.own_edits)
    counted = [claim for claims in (own, *stuck) for claim in resolve.authors_of(claims, clean, makers)]
    authors = tuple(resolve.join(counted, answering, signers))
    return Authorship(
        authors,
        answering,
        () if answering else _unanswered(proposed.commits, signers),
        tuple(resolve.conflicts(own)),
        any(claim.tool or claim.kind == "agent" for claim in counted),
        any(claim.grade in "AB" for claim in counted if claim.tool or claim.kind == "agent"),
        _answering_grade(own, resolve, answering, signers),
    )


def _signatures(commits: Sequence[CommitFact]) -> Iterator[Claim]:
    for commit in commits:
        if commit.signed_by:
            text = f"commit {commit.id[:12]} is signed by {commit.signed_by[:40]}"
            yield Claim("signature", "A", commit=commit.id, account=commit.signed_by, text=text)


def _signers(commits: Sequence[CommitFact], registry: Registry) -> dict[str, str]:
    """Who answers for which commit by having signed it: a person, or the people behind an agent."""
    found = {}
    for commit in commits:
        enrolled = registry.by_key(commit.signed_by) if commit.signed_by else None
        people = sorted(registry.operators(enrolled[0])) if enrolled else []
        if people:
            found[commit.id] = people[0]
    return found


def _self_signed(proposed: ChangeProposed, resolve: "Resolver") -> frozenset[str]:
    """Law 13: the people who signed, as their authors, all that the change brings."""
    lines = {claim.commit: claim for claim in proposed.claims if claim.channel == "author"}
    makers: frozenset[str] = frozenset()
    for commit in proposed.commits:
        if not commit.own_edits:
            continue
        signer = resolve.people(Claim("signature", "A", account=commit.signed_by)) if commit.signed_by else frozenset()
        author = resolve.people(lines[commit.id]) if commit.id in lines else frozenset()
        if not signer & author:
            return frozenset()
        makers |= signer & author
    return makers


def _unanswered(commits: Sequence[CommitFact], signers: dict[str, str]) -> tuple[str, ...]:
    """Commits without somebody who answers for them; a clean merge says nothing of its own (law 5)."""
    return tuple(commit.id for commit in commits if commit.own_edits and commit.id not in signers) or (
        () if any(commit.id in signers for commit in commits) else ("*",)
    )


def _answering_grade(
    claims: Iterable[Claim], resolve: "Resolver", answering: frozenset[str], signers: dict[str, str]
) -> str:
    grades = [claim.grade for claim in claims if claim.channel in WHOLE and resolve.people(claim) & answering]
    if not grades and answering:
        return "B"
    return max(grades, default="A" if signers else "")


class Resolver:
    """Claims seen through the registry: who they mean, and as which authors they join."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._is_empty = registry.is_empty

    def principal(self, claim: Claim) -> Principal | None:
        if self._is_empty:
            return None
        registry = self._registry
        found = registry.named(claim.principal) if claim.principal else None
        if not found and claim.account:
            found = registry.by_door(claim.account) if claim.channel in ASSERTED else registry.by_mark(claim.account)
        if found and claim.channel == "proposal" and claim.name and claim.name not in found.names:
            return None  # signed by a key of somebody else than it names
        return found or (registry.by_email(claim.email) if claim.email else None)

    def people(self, claim: Claim) -> frozenset[str]:
        found = self.principal(claim)
        return self._registry.operators(found) if found else frozenset()

    def accountable(self, claims: Iterable[Claim]) -> frozenset[str]:
        """Law 9: people known by A or B evidence as opener, pusher or proposer of the whole change."""
        return frozenset(
            person
            for claim in claims
            if claim.channel in WHOLE and claim.grade in "AB" and not claim.commit
            for person in self.people(claim)
        )

    def service(self, proposed: ChangeProposed) -> frozenset[str]:
        """Law 9: a service answers for a change that it opened and pushed itself and whose every commit is its own."""
        doors = {claim.channel: self.principal(claim) for claim in proposed.claims if claim.channel in ASSERTED}
        opened, pushed = doors.get("opened-by"), doors.get("pushed-by")
        if not opened or opened != pushed or opened.kind != "service" or not proposed.commits:
            return frozenset()
        own = {c.commit for c in proposed.claims if c.channel == "author" and self.principal(c) == opened}
        others = [c for c in proposed.claims if c.kind == "agent" or (c.channel == "author" and c.commit not in own)]
        return frozenset({opened.name}) if own >= {c.id for c in proposed.commits} and not others else frozenset()

    def makers(self, said: Sequence[Claim], recorded: Iterable[tuple[Claim, ...]]) -> frozenset[str]:
        """Law 13: who is shown to have made this content, by a signed proposal or an earlier recorded change."""
        made = self.accountable(said)
        for claims in recorded:
            made |= self.accountable(claims)
        return made

    def authors_of(self, claims: Sequence[Claim], clean: frozenset[str], makers: frozenset[str]) -> Iterator[Claim]:
        """Claims that name an author, without carriers (law 13) and without merges that add nothing (law 5)."""
        lines = {claim.commit: claim for claim in claims if claim.channel == "author"}
        for claim in claims:
            if claim.commit in clean and claim.channel in {"author", "committer", "signature"}:
                continue
            if claim.channel == "signature" and not self.principal(claim):
                continue
            if not self._carries(claim, lines.get(claim.commit), makers):
                yield claim

    def _carries(self, claim: Claim, author_line: Claim | None, makers: frozenset[str]) -> bool:
        if claim.channel not in CARRYING:
            return False
        if claim.channel == "committer" and claim.kind == "service":
            return claim.email.casefold() == FORGE_COMMITTER or not self.principal(claim)
        if author_line and claim.channel == "committer" and self._same_line(claim, author_line):
            return False
        people = self.people(claim)
        return bool(makers) and not people & makers

    def _same_line(self, one: Claim, other: Claim) -> bool:
        mine, theirs = self.principal(one), self.principal(other)
        if mine and theirs:
            return mine.name == theirs.name
        return (one.name, one.email.casefold()) == (other.name, other.email.casefold())

    def join(self, claims: Iterable[Claim], answering: frozenset[str], signers: dict[str, str]) -> Iterator[Author]:
        """One author for each hand, with all its evidence, in a stable order."""
        hands: dict[tuple[str, str], list[_Seen]] = {}
        for claim in completed(claims):
            if claim.tool == NO_TOOL:
                claim = claim._replace(tool="")  # noqa: PLW2901 - it names the proposer and says that there is no tool
            author = self._author(claim, answering, signers)
            if author:
                hands.setdefault((author.kind, author.principal or author.name), []).append(_Seen(author, claim))
        for _, members in sorted(hands.items()):
            yield from map(_merged, _apart(members))

    def _author(self, claim: Claim, answering: frozenset[str], signers: dict[str, str]) -> Author | None:
        principal = self.principal(claim)
        if principal and principal.kind == "agent" and principal.agent:
            return self._enrolled_agent(claim, principal, principal.agent)
        if claim.kind == "agent" or (claim.tool and claim.channel != "proposal"):
            return self._strange_agent(claim, answering, signers)
        if principal:
            kind = "service" if principal.kind == "service" else "human"
            accountable = principal.name in answering or principal.name in signers.values()
            operator = principal.name if kind == "human" else ""
            return Author(kind, principal.name, principal.name, accountable, operator)
        name = _display(claim)
        return Author("service" if claim.kind == "service" else "human", name) if name else None

    def _enrolled_agent(self, claim: Claim, principal: Principal, agent: Agent) -> Author:
        operators = sorted(self._registry.operators(principal))
        known = (agent.tool or claim.tool, agent.model or claim.model)
        maker, family = agent.maker or claim.maker, agent.family or claim.family
        operator = operators[0] if operators else ""
        return Author("agent", principal.name, principal.name, False, operator, claim.session, *known, maker, family)

    def _strange_agent(self, claim: Claim, answering: frozenset[str], signers: dict[str, str]) -> Author:
        """An agent nobody enrolled acts for whom the tool recorded, else for who answers for its commit."""
        recorded = self._registry.by_any(claim.operator) if claim.operator else None
        behind = sorted(self._registry.operators(recorded)) if recorded else []
        answers = sorted(answering) or [signers[claim.commit]] if answering or claim.commit in signers else []
        operator = behind[0] if behind else claim.operator or (answers[0] if answers else "")
        name = claim.tool or claim.name or claim.email
        return Author(
            "agent", name, operator=operator, session=claim.session, tool=claim.tool, model=claim.model,
            maker=claim.maker, family=claim.family,
        )  # fmt: skip

    def conflicts(self, claims: Sequence[Claim]) -> Iterator[Conflict]:
        yield from self._signer_conflicts(claims)
        yield from _session_conflicts(claims)
        yield from self._model_conflicts(claims)

    def _signer_conflicts(self, claims: Sequence[Claim]) -> Iterator[Conflict]:
        """The signer as author: a signature by another enrolled hand than the committer's is no carry."""
        committers = {c.commit: c for c in claims if c.channel == "committer"}
        for claim in claims:
            if claim.channel != "signature" or claim.commit not in committers:
                continue
            line = committers[claim.commit]
            signer, committer = self.principal(claim), self.principal(line)
            if signer and committer and signer.name != committer.name:
                texts = (f"signed by {signer.name}", f"committed as {committer.name}")
                yield Conflict(f"the signer of commit {claim.commit[:12]}", texts)

    def _model_conflicts(self, claims: Sequence[Claim]) -> Iterator[Conflict]:
        """One agent's model: what an enrolled agent is registered with against what it says of itself (law 22)."""
        for claim in claims:
            principal = self.principal(claim)
            agent = principal.agent if principal else None
            if not agent or not claim.family or not agent.family:
                continue
            if (claim.maker, claim.family) != (agent.maker, agent.family) and claim.maker != agent.maker:
                texts = (f"registered as {agent.maker}/{agent.family}", f"{claim.channel} says {claim.model}")
                yield Conflict(f"the model of {agent.name}", texts)


def _session_conflicts(claims: Sequence[Claim]) -> Iterator[Conflict]:
    tools: dict[str, Claim] = {}
    for claim in claims:
        if not claim.session or not claim.tool:
            continue
        first = tools.setdefault(claim.session, claim)
        if first.tool != claim.tool:
            yield Conflict(f"session {claim.session}", (f"of {first.tool}", f"of {claim.tool}"))


class _Seen(NamedTuple):
    author: Author
    claim: Claim

    @property
    def told(self) -> tuple[str, str]:
        """What sets two appearances of one tool apart: session and weights."""
        return self.author.session, model(self.author.model).name if self.author.model else ""


def _apart(members: Sequence[_Seen]) -> Iterator[list[_Seen]]:
    """Appearances of one name, apart by session and model. What tells less joins the only one that it can mean."""
    if len(members) == 1:
        yield list(members)
        return
    groups: dict[tuple[str, str], list[_Seen]] = {}
    fitting: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for member in sorted(members, key=lambda seen: (-sum(map(bool, seen.told)), seen.told)):
        told = member.told
        means = fitting.get(told, [])
        place = means[0] if len(means) == 1 else told
        if place not in groups:
            for less in {(told[0], ""), ("", told[1]), ("", ""), told}:
                fitting.setdefault(less, []).append(place)
        groups.setdefault(place, []).append(member)
    for _, group in sorted(groups.items()):
        yield group


def _merged(members: Sequence[_Seen]) -> Author:
    """The best evidenced appearance, with the evidence of all."""
    if len(members) == 1:
        ((author, claim),) = members
        return author._replace(evidence=(Evidence(claim.channel, claim.grade, claim.text or _display(claim)),))
    best = min(members, key=lambda seen: (seen.claim.grade, -len(seen.author.model), seen.claim))
    evidence = {Evidence(claim.channel, claim.grade, claim.text or _display(claim)) for _, claim in members}
    said = {name: max(getattr(author, name) for author, _ in members) for name in ("operator", "tool", "session")}
    weights = (
        best.author if best.author.model else max((author for author, _ in members), key=lambda a: (a.model, a.maker))
    )
    return best.author._replace(
        accountable=any(author.accountable for author, _ in members),
        operator=best.author.operator or said["operator"],
        tool=best.author.tool or said["tool"],
        session=best.author.session or said["session"],
        model=weights.model,
        maker=weights.maker,
        family=weights.family,
        evidence=tuple(sorted(evidence, key=lambda item: (item.grade, item.channel, item.claim))),
    )


def _display(claim: Claim) -> str:
    if claim.name and claim.email:
        return f"{claim.name} <{claim.email}>"
    return claim.name or claim.email or claim.account or claim.principal

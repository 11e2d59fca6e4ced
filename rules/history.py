"""What a commit that is in history says about who made it: its authors, and one word for them (law 8-11)."""

import json
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from rules import lineage, messages, policy, signers, trailers
from rules.claims import Claim
from rules.commits import Commit
from rules.policy import Policy
from rules.principals import Registry
from rules.provenance import Author, Evidence, Resolver
from rules.trailers import Line

AGENT, HUMAN, MIXED, SERVICE, UNKNOWN = "agent", "human", "mixed", "service", "unknown"
SAID = frozenset(("author", "co-author", "mark"))  # what a reader of author line and message sees
_KEPT = 8192
_TEXTS = tuple(name for name in Author._fields if name not in ("accountable", "evidence"))
_json = json.JSONEncoder(separators=(",", ":")).encode


class Made(NamedTuple):
    """Who made a commit. `marks` are the channels in which an agent was seen."""

    kind: str  # agent, human, mixed, service, unknown
    authors: tuple[Author, ...]
    marks: tuple[str, ...]

    @property
    def unmarked(self) -> bool:
        """An agent was seen, and neither author line nor message say so."""
        return bool(self.marks) and SAID.isdisjoint(self.marks)


class Answer(NamedTuple):
    """Who made something, and the same as the JSON text of the fields `kind`, `authors` and `marks`, without braces."""

    made: Made
    text: str


class Bench:
    """Answers for many commits under one policy; equal claims share their answer."""

    def __init__(self, enrolled: Policy | None = None) -> None:
        self.registry = Registry(enrolled or policy.default())
        self._resolver = Resolver(self.registry)
        self.answer = lru_cache(_KEPT)(self._answer)
        self._told = lru_cache(_KEPT)(self._of_names)

    def of(self, commit: Commit) -> Answer:
        """What the commit itself says. Equal names and equal marks are read once."""
        if "BEGIN SSH" in commit.signature[:40]:
            return self.answer(self.said(commit))
        return self._told(commit.author[:2], commit.committer[:2], trailers.lines(commit.message))

    def said(self, commit: Commit) -> tuple[Claim, ...]:
        """The claims of identities, message and signature, without the commit's id, so that equal commits share their answer."""
        found = messages.told(commit.author[:2], commit.committer[:2], trailers.lines(commit.message), "")
        return (*found, *signers.claims(commit.signature, self.registry)) if commit.signature else found

    def _of_names(self, author: tuple[str, str], committer: tuple[str, str], lines: tuple[Line, ...]) -> Answer:
        return self._answer(messages.told(author, committer, lines, ""))

    def _answer(self, claims: tuple[Claim, ...]) -> Answer:
        made = self._made(claims)
        authors = ",".join(map(_author_text, made.authors))
        return Answer(made, f'"kind":"{made.kind}","authors":[{authors}],"marks":{_json(made.marks)}')

    def _made(self, claims: tuple[Claim, ...]) -> Made:
        counted = [*self._resolver.authors_of(claims, frozenset(), frozenset())]
        counted += [claim for claim in claims if claim.channel == signers.CHANNEL and not claim.principal]
        authors = tuple(self._resolver.join(counted, frozenset(), {}))
        marks = tuple(sorted({claim.channel for claim in counted if _machine(claim)}))
        return Made(kind(counted), authors, marks)


def _machine(claim: Claim) -> bool:
    return claim.kind == AGENT or bool(claim.tool)


def kind(claims: Iterable[Claim]) -> str:
    """One word: whose name stands on the author line, and whether any channel shows a tool."""
    rows = list(claims)
    lines = [claim.kind for claim in rows if claim.channel == "author"]
    machine = any(map(_machine, rows))
    if "person" in lines:
        return MIXED if machine else HUMAN
    if machine:
        return AGENT
    return SERVICE if SERVICE in lines else UNKNOWN


# -- branches: what the merge that landed a commit calls them ----------------------------------------------------------


def merged_branch(message: str) -> str:
    """The branch that a merge commit's subject names, "" where it names none."""
    subject = message.partition("\n")[0]
    if subject.startswith("Merge pull request #"):
        return subject.partition(" from ")[2].partition("/")[2].strip()
    if subject.startswith(("Merge branch '", "Merge remote-tracking branch '")):
        name = subject.partition("'")[2].partition("'")[0]
        return name.removeprefix("origin/")
    return ""


def suspected(lander: Commit | None, made: Made) -> tuple[Author, ...]:
    """Agents that the branch of a merged commit is named after, and that nothing else shows. A suspicion, no mark:
    a person called Devin may call branches so too."""
    branch = merged_branch(lander.message) if lander else ""
    return _suspected(branch, made) if branch else ()


def _suspected(branch: str, made: Made) -> tuple[Author, ...]:
    authors = _named_for(branch) if made.kind in (HUMAN, UNKNOWN) else ()
    prefix = branch.partition("/")[0].casefold()
    return () if authors and any(prefix in lineage.words(author.name) for author in made.authors) else authors


@lru_cache(_KEPT)
def _named_for(branch: str) -> tuple[Author, ...]:
    claims = tuple(claim for claim in messages.branch_claims(branch) if claim.kind == AGENT)
    return nobody().answer(claims).made.authors if claims else ()


@cache
def nobody() -> Bench:
    """Where nobody is enrolled."""
    return Bench()


# -- as data ----------------------------------------------------------------------------------------------------------


def author_rows(authors: Sequence[Author]) -> list[dict[str, Any]]:
    """Authors as a decision writes them."""
    return [author.as_row() for author in authors]


@lru_cache(_KEPT)
def _author_text(author: Author) -> str:
    """The JSON text of `Author.as_row`."""
    texts = ",".join(f'"{name}":{_text(getattr(author, name))}' for name in _TEXTS)
    accountable = "true" if author.accountable else "false"
    return f'{{{texts},"accountable":{accountable},"evidence":[{",".join(map(_evidence_text, author.evidence))}]}}'


@lru_cache(_KEPT)
def _evidence_text(item: Evidence) -> str:
    return _json(item._asdict())


def _text(value: str) -> str:
    return quoted(value) if value else "null"

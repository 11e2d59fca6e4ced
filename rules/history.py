"""What a commit that is in history already says about who made it: authors without a policy, and one word for them (law 8-11)."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rules import messages, policy, trailers
from rules.canonical import plain
from rules.claims import Claim
from rules.commits import Commit
from rules.principals import Registry
from rules.provenance import Author, _Resolver

AGENT, HUMAN, MIXED, SERVICE, UNKNOWN = "agent", "human", "mixed", "service", "unknown"
SAID = frozenset(("author", "co-author", "mark"))  # what a reader of author line and message sees


class Made(NamedTuple):
    """Who made a commit. `marks` are the channels in which an agent was seen; `unmarked`: neither author nor message say it."""

    kind: str  # agent, human, mixed, service, unknown
    authors: tuple[Author, ...]
    marks: tuple[str, ...]
    unmarked: bool


def said(commit: Commit) -> tuple[Claim, ...]:
    """The claims of identities and message, without the commit's id, so that equal commits share their answer."""
    if not trailers.lines(commit.message):
        return _lines_only(commit.author.name, commit.author.email, commit.committer.name, commit.committer.email)
    return messages.claims(commit._replace(id=""))


@lru_cache(8192)
def _lines_only(author: str, author_email: str, committer: str, committer_email: str) -> tuple[Claim, ...]:
    from rules.commits import Ident, parse  # noqa: PLC0415

    blank = parse("", b"\n\n")
    return messages.claims(
        blank._replace(author=Ident(author, author_email, 0, ""), committer=Ident(committer, committer_email, 0, ""))
    )


@lru_cache(8192)
def made(claims: tuple[Claim, ...]) -> Made:
    """The authors that these claims amount to, when nobody is enrolled."""
    return made_under(claims, _nobody())


def made_under(claims: tuple[Claim, ...], registry: Registry) -> Made:
    """The same, with the names that a policy enrols."""
    resolver = _Resolver(registry)
    counted = list(resolver.authors_of(claims, frozenset(), frozenset()))
    authors = tuple(resolver.join(counted, frozenset(), {}))
    marks = tuple(sorted({claim.channel for claim in counted if _machine(claim)}))
    return Made(kind(counted), authors, marks, bool(marks) and SAID.isdisjoint(marks))


@lru_cache(1)
def _nobody() -> Registry:
    return Registry(policy.default())


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


def author_rows(authors: Sequence[Author]) -> list[dict[str, Any]]:
    """Authors as a decision writes them."""
    return [_row(author) for author in authors]


def _row(author: Author) -> dict[str, Any]:
    row = {name: value or None for name, value in author._asdict().items() if name not in ("accountable", "evidence")}
    return {**row, "accountable": author.accountable, "evidence": plain(author.evidence)}

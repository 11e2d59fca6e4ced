"""Did anybody but its makers look at a commit? What messages and merges of a history say about it; all of it is grade D (law 10)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rules import hands
from rules.claims import Claim
from rules.commits import Commit
from rules.principals import Principal
from rules.provenance import FORGE_COMMITTER, Author

INDEPENDENT, SELF, NONE, UNKNOWN = "independent", "self", "none", "unknown"
LABELS = ("reviewed-by", "acked-by", "approved-by")
MOST = 50  # review marks of one message that are looked at


class Sign(NamedTuple):
    """One sign of a review. `result` is independent, self or unknown."""

    channel: str  # review-mark, forge-merge, forge, committer, statement, decision, decision-note
    grade: str
    by: str
    result: str
    claim: str


def answer(signs: Iterable[Sign]) -> str:
    """The best that the signs show; none where there is no sign."""
    results = {sign.result for sign in signs}
    return next((result for result in (INDEPENDENT, UNKNOWN, SELF) if result in results), NONE)


def signs(commit: Commit, authors: Sequence[Author], lander: Commit | None) -> tuple[Sign, ...]:
    """What the message and the merge that brought a commit in say. `lander` is that merge, where there is one."""
    found = [*_marks(commit, authors)]
    if lander is not None and lander.id != commit.id:
        found += [*_marks(lander, authors), *_merged(lander, authors)]
    if not found and commit.committer.email.casefold() == FORGE_COMMITTER and len(commit.parents) < 2:
        text = "it came in through the forge, which does not write into git who read it"
        found.append(Sign("forge", "D", "", UNKNOWN, text))
    return tuple(dict.fromkeys(found)) or _committed(commit)


@lru_cache(4096)
def _handed_on(author: tuple[str, str], committer: tuple[str, str]) -> tuple[Sign, ...]:
    """Did a person commit what another hand wrote? They had it before them; whether they read it is not known."""
    wrote, did = hands.identity(*author), hands.identity(*committer)
    names = {text.casefold() for claim in wrote for text in (claim.name, claim.email)} - {""}
    by = next((claim for claim in did if claim.kind == "person"), None)
    if not by or not wrote or not names.isdisjoint((by.name.casefold(), by.email.casefold())):
        return ()
    text = f"{by.text} committed it, which does not say whether they read it"
    return (Sign("committer", "D", by.text, UNKNOWN, text[: hands.LONGEST_TEXT]),)


def _committed(commit: Commit) -> tuple[Sign, ...]:
    author, committer = commit.author[:2], commit.committer[:2]
    return _handed_on(author, committer) if author != committer else ()


def of_step(step: Commit, members: Iterable[Commit], authors: Sequence[Author]) -> tuple[Sign, ...]:
    """The signs of a landed step: its own and its members' review marks, and who merged it."""
    found = [sign for commit in members for sign in _marks(commit, authors)]
    return tuple(dict.fromkeys((*signs(step, authors, None), *found, *_merged(step, authors))))


def vouched(by: Principal, operators: Iterable[str], claim: str, authors: Sequence[Author]) -> Sign:
    """A verified approval by somebody enrolled. A machine is another one only where its makers are known to differ."""
    behind = {by.name, *operators}
    if any(behind & {author.principal, author.operator} for author in authors):
        return Sign("statement", "A", by.name, SELF, claim)
    if by.agent is None:
        return Sign("statement", "A", by.name, INDEPENDENT, claim)
    agents = [author for author in authors if author.kind == "agent"]
    as_claim = Claim("", "A", kind="agent", tool=by.agent.tool, maker=by.agent.maker)
    return Sign("statement", "A", by.name, _other_machine(as_claim, agents), claim)


def reported(by: str, claim: str, authors: Sequence[Author], *, channel: str, dependent: bool) -> Sign:
    """What a recorded decision says of a review. The journal is the gate's own word, a note is anybody's."""
    makers = {name for author in authors for name in (author.principal, author.operator, author.name)}
    result = SELF if dependent or (by and by in makers) else INDEPENDENT if by else UNKNOWN
    return Sign(channel, "B" if channel == "decision" else "D", by, result, claim[: hands.LONGEST_TEXT])


def _marks(commit: Commit, authors: Sequence[Author]) -> Iterator[Sign]:
    if "ed-by:" not in commit.message.lower():
        return
    seen = 0
    for raw in commit.message.splitlines():
        label, colon, value = raw.strip(" \t>*-").partition(":")
        if not colon or label.lower() not in LABELS:
            continue
        for name, email in hands.people(value[:500]):
            for claim in hands.identity(name, email):
                yield Sign("review-mark", "D", claim.text, _result(claim, authors), raw.strip()[: hands.LONGEST_TEXT])
        seen += 1
        if seen == MOST:
            return


def _merged(lander: Commit, authors: Sequence[Author]) -> Iterator[Sign]:
    """Who pressed a forge's merge button. A merge by hand is no sign: pulling is not reading."""
    if not is_forge_merge(lander):
        return
    subject = lander.message.partition("\n")[0][: hands.LONGEST_TEXT]
    for claim in hands.identity(lander.author.name, lander.author.email):
        result = UNKNOWN if claim.kind != "person" else _result(claim, authors)
        yield Sign("forge-merge", "D", claim.text, result, f"{claim.text} merged it: {subject}"[: hands.LONGEST_TEXT])


def is_forge_merge(commit: Commit) -> bool:
    """Does the merge commit say that a forge made it?"""
    if len(commit.parents) < 2:
        return False
    message = commit.message
    pull = message.startswith(("Merge pull request #", "Merged in ", "Merge PR #", "Merge pull request !"))
    return pull or "See merge request " in message or commit.committer.email.casefold() == FORGE_COMMITTER


def _makers(authors: Sequence[Author]) -> Sequence[Author]:
    """Without those who only committed what somebody else wrote: a maintainer who rebases a contribution has read it."""
    return [author for author in authors if {item.channel for item in author.evidence} - _CARRYING] or authors


def _result(claim: Claim, authors: Sequence[Author]) -> str:
    """Is the one who looked somebody else? A machine is so only where tool and weights are known to differ."""
    authors = _makers(authors)
    if any(_same(claim, author) for author in authors):
        return SELF
    agents = [author for author in authors if author.kind == "agent"]
    if claim.kind == "agent":
        return _other_machine(claim, agents)
    alone = not any(author.kind == "human" for author in authors)
    asked = alone and any(not author.operator for author in agents)
    return UNKNOWN if asked or claim.kind != "person" else INDEPENDENT


def _other_machine(claim: Claim, agents: Sequence[Author]) -> str:
    if any(claim.tool and claim.tool == agent.tool for agent in agents):
        return SELF
    if any(claim.maker and claim.maker == agent.maker for agent in agents):
        return SELF
    known = claim.maker and all(agent.maker for agent in agents)
    return INDEPENDENT if known else UNKNOWN


def _same(claim: Claim, author: Author) -> bool:
    names = {text for item in author.evidence if item.channel in _NAMING for text in _parts(item.claim)}
    names |= _parts(author.name) | _parts(author.operator)
    mine = {claim.name.casefold(), claim.email.casefold(), claim.account.casefold()} - {""}
    mine |= {claim.account.casefold().removeprefix("github:")} - {""}
    return author.kind != "service" and not mine.isdisjoint(names)


_CARRYING = frozenset(("committer", "signature"))
_NAMING = frozenset(("author", "committer", "co-author"))


def _parts(text: str) -> set[str]:
    """`Jane <jane@x.org>` -> both, and the account of a noreply address."""
    name, _, email = text.casefold().partition("<")
    email = email.rstrip(">").strip()
    login = email.partition("@")[0].rpartition("+")[2] if email.endswith("@users.noreply.github.com") else ""
    operator = name.strip().removeprefix("github:")
    return {part for part in (name.strip(), email, login, operator) if part}

"""Whether signatures by known keys are good: asked of ssh-keygen for a few commits, never for a whole history."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rules import commits, signers
from streams.sources import signatures
from streams.sources.git import Repository

MOST = 50  # signatures of one audit that are verified, at some milliseconds each
COMMIT_LIMIT = 1 << 20  # bytes
KNOWN = "C"  # the grade of a platform's good signature: whose key it is, is inferred
VERIFIED = "; verified: the signature is good"
FORGED = "; verified: the signature is not good"


class Named(NamedTuple):
    """Commits whose signature names a known key. `alone`: nothing else in them shows an agent."""

    all: int = 0
    alone: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def with_row(self, row: Mapping[str, Any]) -> "Named":
        """One row more; only as many commits are kept as will be verified."""
        if "signature" not in row.get("marks", ()):
            return self
        alone, others = self.alone, self.others
        if row["marks"] == ["signature"] and len(alone) < MOST:
            alone = (*alone, row["commit"])
        elif len(others) < MOST:
            others = (*others, row["commit"])
        return Named(self.all + 1, alone, others)


def good(repo: Repository, ids: Sequence[str]) -> dict[str, bool]:
    """Commit -> is its signature good over its bytes? Errors: NoVerifier."""
    with repo.cat_file() as objects:
        found = [commits.parse(item.id, item.data) for item in objects.read(ids, COMMIT_LIMIT) if item.data is not None]
    rows = [(commit.payload, commit.signature.encode("utf-8", "replace")) for commit in found]
    answers = signatures.verify_all(rows, namespace="git")
    return {commit.id: answer is not None for commit, answer in zip(found, answers, strict=True)}


def told(repo: Repository, named: Named) -> Iterator[str]:
    """A sentence about the signatures of an audit, where any names a known key."""
    if not named.all:
        return
    several = "commit names" if named.all == 1 else "commits name"
    text = f"{named.all:,} {several} in the signature a key that a tool's platform is known by"
    alone = f"; in {len(named.alone)}{' or more' if len(named.alone) == MOST else ''} nothing else shows the tool"
    asked = [*named.alone, *named.others][:MOST]
    try:
        answers = good(repo, asked)
    except signatures.NoVerifier as error:
        yield f"{text}{alone if named.alone else ''}; none was verified: {error.message}"
        return
    bad = [commit[:12] for commit, is_good in answers.items() if not is_good]
    result = f"not good: {', '.join(bad)}" if bad else "all good"
    rest = ", the others only read" if named.all > len(answers) else ""
    yield f"{text}{alone if named.alone else ''}; {len(answers)} were verified: {result}{rest}"


def verified(repo: Repository, row: dict[str, Any]) -> dict[str, Any]:
    """The row of one commit, its signature verified where it is evidence. Errors: NoVerifier."""
    if not any(item["channel"] == signers.CHANNEL for author in row["authors"] for item in author["evidence"]):
        return row
    is_good = good(repo, [row["commit"]]).get(row["commit"], False)
    authors = [{**author, "evidence": list(_graded(author["evidence"], is_good=is_good))} for author in row["authors"]]
    return {**row, "authors": authors}


def _graded(evidence: Iterable[Mapping[str, Any]], *, is_good: bool) -> Iterator[dict[str, Any]]:
    for item in evidence:
        if item["channel"] != signers.CHANNEL:
            yield dict(item)
            continue
        claim = item["claim"].removesuffix(signers.UNVERIFIED) + (VERIFIED if is_good else FORGED)
        yield {**item, "grade": KNOWN if is_good else item["grade"], "claim": claim}

"""What a verdict amounts to before the law: whether it is a vote, whose name it is signed with, and what it adds as a look (law 19, 22, 40).

Pure. Whatever a model answers, nothing else of it comes through: no scope, no policy, no identity but its own.
"""

from typing import NamedTuple

from reviewers.judging import Status, Verdict, Word
from rules.decision import MISMATCH
from rules.events import Judged, ReviewGiven
from rules.findings import Finding, Tier

MOST_WORDS = 500  # characters of a reason that a vote carries
MOST_WHY = 2000  # and of what a look tells


class Subject(NamedTuple):
    """What was reviewed, and by which reviewer as which model and version."""

    change: str
    content_key: str
    reviewer: str
    model: str  # asked for
    version: str


def vote(verdict: Verdict) -> str:
    """`approve`, `object`, or "" where it is no vote.

    An approval is one of everything that there is to see, completed; both are by who the reviewer claims to be.
    """
    if verdict.mismatch:
        return ""
    if verdict.verdict is Word.OBJECT:
        return "object"
    whole = verdict.coverage.is_whole and not verdict.uncovered and verdict.status is Status.COMPLETED
    return "approve" if verdict.verdict is Word.APPROVE and whole else ""


def reason(verdict: Verdict) -> str:
    """The words that a vote carries."""
    return verdict.why[:MOST_WORDS]


def signs_as(verdict: Verdict, asked: str, declared: str) -> str:
    """The model that reported itself; behind the name of a deployment the declared one (law 22)."""
    return declared if verdict.reported_model in ("", asked) else verdict.reported_model


def look(verdict: Verdict, subject: Subject, at: str) -> ReviewGiven:
    """What was seen, unsigned. Findings hold at most: a model blocks by its signed objection alone."""
    judged = Judged(
        subject.model, verdict.reported_model, subject.version, verdict.session,
        tuple(answer.sha256 for answer in verdict.answers), verdict.tokens_in, verdict.tokens_out, verdict.redactions,
        len(verdict.dropped),
    )  # fmt: skip
    return ReviewGiven(
        change=subject.change, content_key=subject.content_key, reviewer=subject.reviewer,
        status=MISMATCH if verdict.mismatch else verdict.status.value, findings=tuple(_held(one, subject.reviewer) for one in verdict.findings),
        uncovered=verdict.uncovered, why=(verdict.mismatch or verdict.why)[:MOST_WHY], judged=judged, at=at,
    )  # fmt: skip


def _held(finding: Finding, by: str) -> Finding:
    tier = Tier.HOLD if finding.tier is Tier.BLOCK else finding.tier
    return finding._replace(tier=tier, message=f"{by} says: {finding.message}")

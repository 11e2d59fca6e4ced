"""The rule-based reviewer: runs the catalogue over a change. Rules have no lineage and never approve (law 26)."""

from collections.abc import Sequence

from rules.decision import RULES
from rules.events import ReviewGiven
from rules.rule import Blobs
from rules.scan import scan


def review(change: str, content_key: str, blobs: Sequence[Blobs]) -> ReviewGiven:
    """What the rules see in these blobs, as a review of exactly this content. A scan that fails is `failed`, no pass."""
    seen = scan(blobs)
    return ReviewGiven(
        change=change, content_key=content_key, reviewer=RULES, findings=seen.findings, uncovered=seen.uncovered
    )

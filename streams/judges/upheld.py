"""Which findings of model reviewers people acted on: what reviews cost is measured against these, not against how many there were."""

from collections.abc import Iterable
from typing import NamedTuple

from rules.case import COMPLETED
from rules.change import FileChange
from rules.events import ChangeProposed, Event, ReviewGiven


class Worth(NamedTuple):
    """A reviewer's findings. One is upheld where the change went on and its file is another now, or is out of it."""

    findings: int = 0
    upheld: int = 0


def upheld(events: Iterable[Event], since: str = "") -> dict[str, Worth]:
    """By reviewer. `since` is an instant: earlier reviews are left out."""
    newest: dict[str, ChangeProposed] = {}
    files: dict[tuple[str, str], dict[str, FileChange]] = {}
    reviews: list[ReviewGiven] = []
    for event in events:
        if isinstance(event, ChangeProposed):
            newest[event.change] = event
            files[event.change, event.content_key] = {file.path: file for file in event.files}
        elif isinstance(event, ReviewGiven) and event.judged and event.status == COMPLETED and event.at >= since:
            reviews.append(event)
    found: dict[str, Worth] = {}
    for review in reviews:
        before = files.get((review.change, review.content_key), {})
        now = {file.path: file.new_blob for file in newest[review.change].files} if review.change in newest else {}
        acted = sum(_moved(finding.path, before, now) for finding in review.findings)
        worth = found.get(review.reviewer, Worth())
        found[review.reviewer] = Worth(worth.findings + len(review.findings), worth.upheld + acted)
    return found


def _moved(path: str, before: dict[str, FileChange], now: dict[str, str]) -> bool:
    return path in before and now.get(path) != before[path].new_blob

"""Waiting for a decision on this machine, without a broker: it is made again whenever something was said (law 7)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rules.decision import PENDING
from rules.events import DecisionMade, type_name
from rules.record import record
from streams.progress import Progress, asked_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.desk import Asked, Desk, Reading

STEP: Final = 0.5  # seconds between two looks
REFS: Final = ("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/", "refs/remotes/", "refs/twohand/")


class Waited(NamedTuple):
    """The decision that stands about the content; `moved`: the head that is there instead of it."""

    decision: dict[str, Any] | None
    moved: str = ""


def wait(desk: Desk, reading: Reading, asked: Asked, *, seconds: float, tell: Callable[[Progress], None]) -> Waited:
    """Until the decision about this content is not pending, or the time is up; each is recorded. Errors: SourceError."""
    deadline, key, seen, waited = time.monotonic() + seconds, reading.key, "", Waited(None)
    while True:
        if (said := _said(desk)) != seen:
            reading, seen = desk.read(asked) if seen else reading, said
            if reading.key != key:
                return Waited(None, reading.found.head)
            waited = Waited(record(desk.judge(reading, asked)))
        assert waited.decision is not None
        tell(_progress(waited.decision))
        if waited.decision["outcome"] != PENDING or time.monotonic() > deadline:
            return waited
        time.sleep(STEP)


def _said(desk: Desk) -> str:
    """What a decision is made of: branches, statements, and what was recorded besides decisions."""
    refs = desk.repo.run(*REFS).out.decode("utf-8", "replace")
    rows = desk.journal.ask("select max(offset) from log where type <> ?", (type_name(DecisionMade),))
    return f"{rows[0][0]}\n{refs}"


def _progress(decision: dict[str, Any]) -> Progress:
    heard = dict.fromkeys(row["reviewer"] for row in decision["reviews"])
    return Progress(tuple(heard), asked_for(decision), decision["outcome"])

"""Recorded changes that owners have to answer for, without a repository: for tests of timers and their benchmark."""

import json
from dataclasses import replace

from rules.case import fold
from rules.change import FileChange, content_key
from rules.claims import Claim
from rules.events import ChangeProposed, CommitFact, DecisionMade, Event, LawText, ReviewGiven
from rules.judgement import judge
from streams.memory import decided
from streams.settings import Alert

START = "2026-01-05T08:00:00Z"
POLICY = """version = 1
repository = "example/shop"
[[requirement]]
name = "owners"
from = ["owner"]
[owners]
fallback = ["carol"]
[escalation]
steps = [{ after = "0m", notify = ["owners"] }, { after = "15m", notify = ["first-line"] }, { after = "1h", notify = ["bob"] }]
[rotations.first-line]
people = ["bob", "carol", "dave"]
zone = "Europe/Berlin"
[people.bob]
[people.carol]
emails = ["carol@example.com"]
[people.dave]
"""
ALERTS = {"owners": Alert("owners", "log")}


def change(number: int, at: str = START, *, session: str = "", policy: str = POLICY) -> list[Event]:
    """A change that an owner has to answer for, with the decision that says so."""
    files = (FileChange(f"auth/{number}.py", "100644", "1" * 40, "100644", f"{number:040d}", 3, 1),)
    target = "refs/heads/main"
    mark = Claim("mark", "C", commit=f"{number:040d}", kind="agent", name="claude", tool="claude", session=session)
    proposed = ChangeProposed(
        change=f"change-{number}", repository="example/shop", target=target, base="b" * 40, head=f"{number:040d}",
        content_key=content_key("example/shop", target, files), files=files, commits=(CommitFact(f"{number:040d}"),),
        claims=(mark,) if session else (),
        laws=(LawText("default", "main:twohand.toml", policy),), read_from=("refs/twohand/reviews (0)",), at=at,
    )  # fmt: skip
    scan = ReviewGiven(change=proposed.change, content_key=proposed.content_key, reviewer="rules", at=at)
    return [proposed, scan, decided(judge(fold([proposed, scan]), at))]


def answered(events: list[Event], outcome: str, at: str) -> DecisionMade:
    """The decision that ends the question."""
    made = next(event for event in events if isinstance(event, DecisionMade))
    record = json.loads(made.decision) | {"outcome": outcome, "reasons": [], "escalation": None, "decided_at": at}
    return replace(made, outcome=outcome, decision=json.dumps(record, sort_keys=True), at=at)

"""What a recorded decision asks people, and when that question has ended (law 35, 38, 39). Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rules import instants
from rules.decision import ADMITTED, BLOCKED, ESCALATED, PENDING
from rules.escalation import Escalation

BREAK_GLASS: Final = "break-glass"
LOW: Final = frozenset(
    {
        "approval.missing",
        "approval.stale",
        "approval.unsigned",
        "approval.hasty",
        "coverage.partial",
        "change.too-large",
        "independence.unresolved",
        "policy.no-requirement",
        "provenance.missing",
        "reviewer.silent",
        "reviewer.failed",
        "reviewer.suspended",
    }
)  # what waits for working hours where nothing else is there


class Question(NamedTuple):
    """What people are asked about one content. `asks` are enrolled names, `session` whose work it is."""

    content: str
    since: int
    asks: tuple[str, ...]
    reasons: tuple[str, ...]
    session: str

    @property
    def low(self) -> bool:
        """Whether it can wait for working hours."""
        return bool(self.reasons) and LOW.issuperset(self.reasons)


class Stand(NamedTuple):
    """Where a change stands: its newest content and what was decided about it, and whether it is over."""

    content: str
    outcome: str
    waived: bool = False
    landed: bool = False
    withdrawn: bool = False


Record = Mapping[str, Any]


def asked(records: Sequence[Record]) -> Question | None:
    """The question that the newest of a change's decisions asks; None where it asks nobody.

    It is asked since the first of the decisions about this content that asked without a break.
    """
    if not records or records[-1]["outcome"] != ESCALATED:
        return None
    last = records[-1]
    since = last["decided_at"]
    for record in reversed(records):
        if record["outcome"] != ESCALATED or record["change"]["content_key"] != last["change"]["content_key"]:
            break
        since = record["decided_at"]
    return of_record(last, instants.seconds_of(since))


def of_record(record: Record, since: int, marks: tuple[str, ...] = ()) -> Question:
    """What one decision asks, whatever its outcome; `marks` stand before its reasons."""
    owners = {name for row in record["owners"] if row["state"] == "awaited" for name in row["owners"]}
    asks = (record["escalation"] or {}).get("asks", ()) or sorted(owners)
    codes = tuple(dict.fromkeys(reason["code"] for reason in record["reasons"]))
    return Question(record["change"]["content_key"], since, tuple(asks), (*marks, *codes), _session(record))


def _session(record: Record) -> str:
    """Whose work it is: the authors' sessions, else who answers for the change; empty where nobody is known."""
    authors = record["authors"]
    sessions = sorted({author["session"] for author in authors if author["session"]})
    answering = sorted({author["principal"] for author in authors if author["accountable"] and author["principal"]})
    return " ".join(sessions or answering)


def ending(one: Escalation, stand: Stand) -> str:
    """How an open question has ended; empty while it has not. Break-glass ends by a review alone, not by landing."""
    if one.reasons[:1] == (BREAK_GLASS,):
        return ""
    if stand.landed:
        return "landed"
    if stand.withdrawn:
        return "withdrawn"
    if stand.content != one.content:
        return "reworked"
    admitted = "waived" if stand.waived else "approved"
    return {ADMITTED: admitted, BLOCKED: "refused", PENDING: "answered", ESCALATED: ""}[stand.outcome]

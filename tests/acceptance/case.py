"""One case of the table: what happens, and what the law answers."""

from collections.abc import Callable
from typing import NamedTuple

from tests.acceptance.stage import Said, Stage, Verdict

ADMITTED, BLOCKED, ESCALATED, PENDING, REFUSED = "admitted", "blocked", "escalated", "pending", "refused"
EXIT = {ADMITTED: 0, BLOCKED: 1, REFUSED: 2, ESCALATED: 4, PENDING: 5}


class Case(NamedTuple):
    """`given` ends in the gate's verdict, or (outcome `refused`) in a command that the client does not take.

    codes: reason codes that must be among the reasons; of a refusal, words that its text must hold
    counts: exactly whose approvals count, where that matters
    absent: reason codes that must not be there
    owners: states of guarded paths that must be told
    differs: what the research text expects otherwise, and the article that decides; empty: it expects the same
    """

    id: str
    title: str
    article: str
    given: Callable[[Stage], Verdict | Said]
    outcome: str
    codes: frozenset[str] | set[str] = frozenset()
    counts: set[str] | None = None
    absent: set[str] | None = None
    owners: dict[str, str] | None = None
    stamps: set[str] | None = None
    differs: str = ""


class Elsewhere(NamedTuple):
    """A case that one local command cannot show, and where it belongs."""

    id: str
    title: str
    where: str

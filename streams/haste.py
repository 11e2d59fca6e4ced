"""Approvals in bulk: who approves one change after the other began to read each only when done with the one before (law 28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rules import instants
from rules.events import Busy
from rules.sshsig import parse
from rules.statement import statement_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rules.policy import Policy
    from rules.sshsig import Signer
    from streams.sources.statements import Stored

BEFORE: Final = instants.DAY  # how long before an approval another one still says anything about the time to read it
MOST: Final = 20  # earlier approvals that are verified for each one


def busy(
    rows: Iterable[Stored],
    known: Sequence[Stored],
    policies: Iterable[Policy],
    verified: Callable[[Sequence[Stored]], Mapping[str, Signer]],
) -> tuple[Busy, ...]:
    """Until when the signers of these approvals were approving something else, where a policy counts haste."""
    if not any(policy.independence.hasty for policy in policies):
        return ()
    return tuple(found for row in rows if (found := _busy(row, known, verified)))


def _busy(
    row: Stored, known: Sequence[Stored], verified: Callable[[Sequence[Stored]], Mapping[str, Signer]]
) -> Busy | None:
    earlier = sorted(_earlier(row, known), key=lambda one: one[0], reverse=True)[:MOST]
    good = verified([one for _, one in earlier])
    time = next((time for time, one in earlier if one.blob in good), "")
    return Busy(statement_id(row.signed), time) if time else None


def _earlier(row: Stored, known: Iterable[Stored]) -> Iterator[tuple[str, Stored]]:
    """Approvals of other content under the same key, with their times."""
    mine, key = row.statement, parse(row.armor)
    if mine is None or key is None or mine.verb != "approve":
        return
    since = instants.later(mine.time, -BEFORE)
    for one in known:
        other = one.statement
        if other and other.verb == "approve" and other.by == mine.by and other.content_key != mine.content_key:
            theirs = parse(one.armor) if since <= other.time <= mine.time else None
            if theirs and theirs.key == key.key:
                yield other.time, one

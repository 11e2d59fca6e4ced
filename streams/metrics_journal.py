"""The events of a journal that metrics and reports are made of; the bodies of all others are not even read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rules import events as e
from streams.engines.codec import TYPES, revive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.engines.journal import Journal

TAKEN: Final = (
    e.ChangeProposed,
    e.WaiverGranted,
    e.DecisionMade,
    e.EscalationOpened,
    e.EscalationAcknowledged,
    e.EscalationResolved,
    e.ChangeMerged,
    e.ChangeWithdrawn,
)
AT_ONCE: Final = 5000  # rows that are held at a time
_NAMES: Final = ", ".join(f"'{e.type_name(kind)}'" for kind in TAKEN)
_ROWS: Final = f"""select offset, hash, type, at, case when type in ({_NAMES}) then body else '' end
    from log where offset > ? order by offset limit ?"""  # noqa: S608 - names of our own types


def taken(journal: Journal, after: int = 0) -> Iterator[tuple[int, str, e.Event | None]]:
    """Every row after an offset: its offset and hash, and the event where it is one of these."""
    while rows := journal.ask(_ROWS, (after, AT_ONCE)):
        for offset, chained, kind, at, body in rows:
            yield offset, chained, revive(TYPES[kind], json.loads(body), at) if body else None
            after = offset

"""A submitted change on its way through the outbox, which is the journal: in order, bounded, resumed by whoever comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.engines.kafka.relay import AT_ONCE, CARRIED, OUT, Beside, Relay
from streams.engines.kafka.submitting import publish, submission
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from streams.desk import Asked, Desk, Reading
    from streams.engines.kafka.submitting import Submission

MOST: Final = 10_000  # records that may wait to be carried


class OutboxFull(SourceError):
    """Nobody has carried anything for long; nothing more is taken."""

    exit_code = 3


def recorded(desk: Desk, reading: Reading, asked: Asked) -> Submission:
    """What will be published, in the journal. OutboxFull where too much waits there already."""
    with Beside(desk.journal.path.parent) as file:
        count = _waiting(desk, file, "")
    if count > MOST:
        raise OutboxFull(
            f"{count} records of {desk.journal.path} wait to be carried, at most {MOST} may.", "Run: twohand relay"
        )
    return submission(desk, reading, asked)


def carry(desk: Desk, one: Submission) -> int:
    """Publish what waits here, in order, then the change. Where more waits than is carried at once, how many do.

    Errors: BrokerUnusable, NotPublished; what is recorded stays, and is carried by the next one.
    """
    with Beside(desk.journal.path.parent) as file:
        last = int(desk.journal.ask("select coalesce(max(offset), 0) from log")[0][0])
        others = _waiting(desk, file, one.proposed.change)
        if 0 < others <= AT_ONCE:
            Relay(desk, file).round()
        publish(desk.settings, one)
        if others <= AT_ONCE:
            file.move(OUT, last)
    return others if others > AT_ONCE else 0


def _waiting(desk: Desk, file: Beside, but: str) -> int:
    """How many records were not carried yet, but those of one change."""
    marks = ", ".join("?" * len(CARRIED))
    asked = f"select count(*) from log where offset > ? and key <> ? and type in ({marks})"  # noqa: S608
    return int(desk.journal.ask(asked, (file.cursor(OUT) or 0, but, *CARRIED))[0][0])

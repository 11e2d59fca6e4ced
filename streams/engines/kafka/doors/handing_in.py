"""A submitted change on its way through the outbox, which is the journal: in order, bounded, resumed by whoever comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.engines.kafka.broker import connection
from streams.engines.kafka.carrier.carrying import AT_ONCE, CARRIED, OUT, Carrying
from streams.engines.kafka.carrier.relay_file import Beside, RelayRuns, alone
from streams.engines.kafka.doors.submitting import opened, publish, submission
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.desk import Asked, Desk, Reading
    from streams.engines.kafka.doors.submitting import Submission

MOST: Final = 10_000  # records that may wait to be carried


class OutboxFull(SourceError):
    """Nobody has carried anything for long; nothing more is taken."""

    exit_code = 3


def recorded(desk: Desk, reading: Reading, asked: Asked) -> Submission:
    """What will be published, in the journal. OutboxFull where too much waits there already."""
    with Beside(desk.journal.path.parent) as file:
        count = _waiting(desk, file, "key <> ?", "")
    if count > MOST:
        raise OutboxFull(
            f"{count} records of {desk.journal.path} wait to be carried, at most {MOST} may.", "Run: twohand relay"
        )
    return submission(desk, reading, asked)


def carry(desk: Desk, one: Submission, tell: Callable[[str], None]) -> int:
    """Publish what waits here, in order, then the change. Where more waits than is carried at once, how many do.

    Errors: BrokerUnusable, NotPublished; what is recorded stays, and is carried by the next one.
    """
    connection.reach(desk.settings)
    folder, change = desk.journal.path.parent, one.proposed.change
    with Beside(folder) as file:
        others, own = _waiting(desk, file, "key <> ?", change), _waiting(desk, file, "key = ?", change)
    if others > AT_ONCE or not (own and _resumed(desk, one, tell)):
        publish(desk.settings, one)
    return others if others > AT_ONCE else 0


def _resumed(desk: Desk, one: Submission, tell: Callable[[str], None]) -> bool:
    """Carry all that waits. Whether it was us: where a relay runs, that carries it, but nobody knows when."""
    folder = desk.journal.path.parent
    try:
        with alone(folder), Beside(folder) as file, opened(desk.settings) as producer:
            Carrying(desk, file, tell, {one.proposed.change: one.trace}).round(producer, lambda: False)
    except RelayRuns:
        return False
    return True


def _waiting(desk: Desk, file: Beside, whose: str, change: str) -> int:
    """How many records were not carried yet."""
    marks = ", ".join("?" * len(CARRIED))
    asked = f"select count(*) from log where offset > ? and {whose} and type in ({marks})"  # noqa: S608 - ours
    return int(desk.journal.ask(asked, (file.cursor(OUT) or 0, change, *CARRIED))[0][0])

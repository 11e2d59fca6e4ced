"""The faults themselves: each breaks something under a flow of changes, and tells when it was over (docs/kafka.md, "Faults")."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tests.kafka.fault_changes import Author, Change, records
from tests.kafka.fault_court import Court, Verdict
from tests.kafka.fault_ground import Ground

ALL = ("rules/one", "decide/one", "escalate")


class Size(NamedTuple):
    """How much flows through a fault, and how long what is away stays away."""

    changes: int  # each fault has so many
    rate: float  # records a second
    away: float  # seconds
    patience: float  # seconds until what has not come counts as lost


SMALL = Size(changes=20, rate=60, away=1, patience=60)
FULL = Size(changes=300, rate=60, away=30, patience=180)


class Row(NamedTuple):
    """What came of a fault. `seconds`: from when it was over until everything was decided."""

    fault: str
    verdict: Verdict
    seconds: float


class Scene(NamedTuple):
    """What a fault is given."""

    ground: Ground
    author: Author
    size: Size


Fault = Callable[[Scene], tuple[list[Change], float]]  # its changes, and when it was over


def killed(name: str) -> Fault:
    """kill -9 of a worker, twice in the middle; it is started again at once."""

    def happens(scene: Scene) -> tuple[list[Change], float]:
        changes = scene.author.several(scene.size.changes)
        with scene.ground.flow(records(changes), scene.size.rate) as passed:
            for share in (0.3, 0.6):
                passed(share)
                scene.ground.kill(name)
                over = time.monotonic()
        return changes, over

    return happens


FAULTS: Mapping[str, Fault] = {
    "kill -9 of rules": killed("rules/one"),
    "kill -9 of decide": killed("decide/one"),
}


def suffered(scene: Scene, court: Court, name: str) -> tuple[Row, Sequence[Change]]:
    """Let a fault happen, wait until all is whole again, and judge."""
    changes, over = FAULTS[name](scene)
    scene.ground.until(lambda: court.settled(changes), scene.size.patience)
    seconds = time.monotonic() - over
    return Row(name, court.verdict(changes), seconds), changes

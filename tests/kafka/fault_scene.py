"""What a fault is given: where it happens, who makes changes, who judges, and how large it is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from tests.kafka.fault_changes import Author, Change, records
from tests.kafka.fault_court import Court
from tests.kafka.fault_ground import Ground

ALL = ("rules/one", "decide/one", "escalate")  # the workers that are always there


class Size(NamedTuple):
    """How much flows through a fault, and how long what is away stays away."""

    changes: int  # of each fault
    rate: float  # records a second
    kills: int
    away: float  # seconds
    patience: float  # seconds until what has not come counts as lost


SMALL = Size(changes=20, rate=15, kills=1, away=1, patience=60)
FULL = Size(changes=200, rate=50, kills=3, away=30, patience=180)


class Scene(NamedTuple):
    """All of it."""

    ground: Ground
    author: Author
    court: Court
    size: Size

    def several(self, times: int = 1, **more: str) -> list[Change]:
        """New changes, as many as the size says."""
        return self.author.several(times * self.size.changes, **more)

    def flow(self, changes: Sequence[Change]) -> AbstractContextManager[Callable[[float], None]]:
        """They are published while the block runs; what it is given waits for a share of them."""
        return self.ground.flow(records(changes), self.size.rate)


Happened = tuple[list[Change], float]  # the changes of a fault, and when it was over
Fault = Callable[[Scene], Happened]

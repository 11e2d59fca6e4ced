"""What a rule or a model saw in a change, as data."""

from enum import StrEnum
from typing import NamedTuple


class Tier(StrEnum):
    """How much a finding weighs (law 32): it informs, it needs a human owner, or it blocks."""

    NOTE = "note"
    HOLD = "hold"
    BLOCK = "block"


class Finding(NamedTuple):
    """One place in the change. `line` counts from 1 on `side`; 0 speaks of the whole file, an empty path of the whole change."""

    rule: str
    tier: Tier
    path: str  # git's quoted form, see rules.paths
    side: str  # "old" or "new"
    line: int
    message: str  # one sentence
    quote: str  # the line as it stands there, shortened


class Uncovered(NamedTuple):
    """A changed path whose content no rule could read (law 3)."""

    path: str
    why: str

"""Fits weights of signs to labelled changes: logistic regression over each change's most suspicious function. No randomness."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from rules import risk
from rules.findings import Tier

ROUNDS, STEPS, RATE, RIDGE = 3, 300, 4.0, 2.0
START = -2.0
BELOW = 1.5  # what may speak for a change at most before a finding is a note
_NEVER = -99.0


class Case(NamedTuple):
    """A labelled change and what was seen of it."""

    row: dict[str, Any]
    groups: tuple[risk.Group, ...]
    others: frozenset[tuple[str, Tier]]  # findings that do not add up
    seen: frozenset[tuple[str, Tier]]  # all findings as the rules said them

    @property
    def is_weak(self) -> bool:
        """Whether the change takes a protection away."""
        return bool(self.row["kind"] == "security-fix")

    @property
    def by_message(self) -> bool:
        """Whether the label was read off the commit message."""
        return bool(self.row.get("label") == "message")


class Sum(NamedTuple):
    """What was fitted."""

    bias: float
    signs: dict[str, float]

    def of(self, group: risk.Group) -> float:
        """The sum of one function."""
        return self.bias + sum(self.signs.get(sign, 0.0) for sign in group.signs)

    def best(self, case: Case) -> float:
        """The sum of the most suspicious function."""
        return max((self.of(group) for group in case.groups), default=_NEVER)


def fit(cases: Sequence[Case], positive: frozenset[str]) -> Sum:
    """Weights of the signs; those in `positive` never speak for a change."""
    summed = Sum(START, {})
    for turn in range(ROUNDS):
        chosen = Counter(
            (case.is_weak, max(case.groups, key=summed.of if turn else lambda group: len(group.signs)).signs)
            for case in cases
            if case.groups and case.row["kind"] != "attack"
        )
        summed = _descend(chosen, summed, positive)
    return summed


def _descend(rows: Counter[tuple[bool, frozenset[str]]], start: Sum, positive: frozenset[str]) -> Sum:
    bias, signs = start.bias, {sign: start.signs.get(sign, 0.0) for _, mine in rows for sign in sorted(mine)}
    pace = RATE / max(rows.total(), 1)
    for _ in range(STEPS):
        slope, slopes = 0.0, dict.fromkeys(signs, 0.0)
        for (weak, mine), count in rows.items():
            miss = count * (_logistic(bias + sum(signs[sign] for sign in mine)) - weak)
            slope += miss
            for sign in mine:
                slopes[sign] += miss
        bias -= pace * slope
        for sign in signs:
            moved = signs[sign] - pace * (slopes[sign] + RIDGE * signs[sign])
            signs[sign] = max(moved, 0.0) if sign.removesuffix(":weak") in positive else moved
    return Sum(bias, signs)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def thresholds(cases: Sequence[Case], summed: Sum, costs: tuple[float, float, float]) -> tuple[float, float, float]:
    """From which sums on to hold, to block where places agree, and where tests agree: what no larger share of ordinary changes reaches."""
    benign = [case for case in cases if case.row["kind"].startswith("benign")]
    held = sorted((summed.best(case) for case in benign), reverse=True)
    several = sorted((_best(case, summed, tested=False) for case in benign), reverse=True)
    tested = sorted((_best(case, summed, tested=True) for case in benign), reverse=True)
    alone = summed.bias  # the sum of a sign that weighs nothing
    hold, two, with_tests = _at(held, costs[0]), _at(several, costs[1]), _at(tested, costs[2])
    return max(hold, alone - BELOW), max(two, alone), max(with_tests, alone)


def _best(case: Case, summed: Sum, *, tested: bool) -> float:
    able = (group for group in case.groups if (group.tested if tested else group.several))
    return max((summed.of(group) for group in able), default=_NEVER)


def _at(scores: list[float], share: float) -> float:
    """Just above the highest score that may not pass."""
    if not scores:
        return 0.0
    return max(scores[min(int(share * len(scores)), len(scores) - 1)], -50.0) + 1e-6

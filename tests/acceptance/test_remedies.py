"""Who does what a refusal says gets there (law 41)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.case import ADMITTED
from tests.acceptance.stage import AUTH, CLAUDE, Keys, Stage

ENOUGH = 6  # commands from the first refusal to admission


def proposed(s: Stage) -> Stage:
    return s.made()


def unproposed(s: Stage) -> Stage:
    return s.branch().commit(marks=CLAUDE)


def stale(s: Stage) -> Stage:
    return s.made().approve("bob").commit()


def owned(s: Stage) -> Stage:
    return s.made(AUTH)


def weakened(s: Stage) -> Stage:
    return s.weakened()


def self_approved(s: Stage) -> Stage:
    return s.made().approve("alice")


def objected(s: Stage) -> Stage:
    return s.made().approve("erin").object("bob")


BEGINNINGS = (proposed, unproposed, stale, owned, weakened, self_approved, objected)


@pytest.mark.parametrize("begin", BEGINNINGS, ids=[begin.__name__ for begin in BEGINNINGS])
def test_the_commands_that_refusals_name_lead_to_admission(
    begin: Callable[[Stage], Stage], tmp_path: Path, keys: Keys, template: Path
) -> None:
    """Law 41: following the first command of each decision, with the keys of those it names, a change is admitted."""
    stage = begin(Stage.set_up(tmp_path, keys, template))
    followed = []
    for _ in range(ENOUGH):
        verdict = stage.review()
        if verdict.outcome == ADMITTED:
            return
        followed.append(
            next(reason["remedy"] for reason in verdict.decision["reasons"] if " --as " in reason["remedy"])
        )
        stage.follow(followed[-1])
    pytest.fail(f"still {verdict.outcome} for {sorted(verdict.codes)} after {followed}")

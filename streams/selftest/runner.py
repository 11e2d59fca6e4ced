"""Running cases: each in an arena of its own, several at a time."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from streams.selftest.arena import Arena
from streams.selftest.case import Case, problem
from streams.selftest.ground import Ground
from streams.sources.errors import SourceError

AT_ONCE = 4  # a case mostly waits for git and the hook


class Result(NamedTuple):
    """What became of one case; `problem` is "" where the gate answered as it has to."""

    case: Case
    problem: str
    seconds: float
    said: str = ""


def run(cases: Sequence[Case]) -> Iterator[Result]:
    """Each case's result as soon as it is known, in the order of the cases. Everything is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="twohand-selftest-", ignore_cleanup_errors=True) as scratch:
        grounds = _grounds(cases, Path(scratch))
        with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
            yield from pool.map(lambda case: tried(case, grounds[case.settings], Path(scratch)), cases)


def _grounds(cases: Sequence[Case], scratch: Path) -> dict[str, Ground]:
    """One for all cases of the same settings."""
    grounds: dict[str, Ground] = {}
    for settings in dict.fromkeys(case.settings for case in cases):
        home = scratch / f"ground-{len(grounds)}"
        home.mkdir()
        grounds[settings] = Ground.made(home, settings=settings)
    return grounds


def tried(case: Case, ground: Ground, scratch: Path) -> Result:
    """One case in a directory of its own, which is removed."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"{case.name}-", dir=scratch, ignore_cleanup_errors=True) as root:
        try:
            pushed = case.given(Arena(Path(root), ground))
        except SourceError as error:
            return Result(case, f"it could not be set up: {error.message}", time.perf_counter() - began)
    return Result(case, problem(case, pushed), time.perf_counter() - began, pushed.said)

"""The law's own work: folding a review and deciding, for a small case and a large one (DESIGN 14).

`python -m bench.decision` prints microseconds, medians of 7, and the ratio to hashing the same change's content key.
"""

from functools import partial
from statistics import median
from time import perf_counter

from rules.case import Case, evolve, fold
from rules.change import content_key
from rules.decision import decide
from rules.events import ChangeProposed, CommitFact
from rules.instants import later
from tests.rules.lawkit import (
    NOON,
    ONE_HAND,
    OWNED,
    REPOSITORY,
    TARGET,
    approved,
    file,
    law,
    mark,
    opened,
    proposed,
    scanned,
    written_by,
)  # fmt: skip

AT = later(NOON, 60)


def small() -> ChangeProposed:
    return proposed(
        *written_by("bob"), mark(), opened("github:bob"), files=tuple(file(f"src/{n}.py") for n in range(3))
    )


def large() -> ChangeProposed:
    files = tuple(file(f"src/pkg{n % 40}/module{n}.py") for n in range(1000))
    commits = [f"{n:040x}" for n in range(100)]
    claims = [claim for commit in commits for claim in (*written_by("bob", commit), mark(commit=commit))]
    return proposed(*claims, opened("github:bob"), files=files, commits=tuple(map(CommitFact, commits)))


def timed(work, *, repeats: int = 7, calls: int = 20) -> float:
    """Microseconds a call, the median."""
    rows = []
    for _ in range(repeats):
        begun = perf_counter()
        for _ in range(calls):
            work()
        rows.append((perf_counter() - begun) / calls * 1e6)
    return median(rows)


def main() -> list[tuple[str, float, str]]:
    rules = law(ONE_HAND + OWNED + "[owners]\nfallback = ['carol']\n")
    rows = []
    for name, change in (("small", small()), ("1,000 files", large())):
        events = [change, scanned(change), approved("alice", change), approved("qwen", change)]
        case = fold(events)
        calls = 200 if name == "small" else 10
        review = approved("gpt", change)
        works = {
            "decide": partial(decide, case, rules, AT),
            "fold a review": partial(evolve, case, review),
            "fold of it all": partial(fold, events, Case()),
            "content key": partial(content_key, REPOSITORY, TARGET, change.files),
        }
        rows += [(f"{work}, {name}", timed(call, calls=calls), "us") for work, call in works.items()]
    return rows


if __name__ == "__main__":
    for name, value, unit in main():
        print(f"{name:32} {value:10.1f} {unit}")

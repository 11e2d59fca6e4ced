"""Owners: microseconds a path with 1,000 rules, on paths never seen, beside PyPI `codeowners` in the same run.

Run it with `python -m bench.owners`. Budget: 6 us a path. Each figure is the median of `REPEATS` runs; every run
parses the file anew, so nothing of an earlier run is remembered.
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from codeowners import CodeOwners

from rules.owners import Owners, parse

RULES = 1_000
PATHS = 5_000
ANCHOR_PATHS = 200
REPEATS = 7
BUDGET = 6.0  # us a path
WORDS = ["auth", "api", "billing", "core", "ui", "store", "queue", "mail", "search", "admin", "jobs", "infra", "edge"]
EXTENSIONS = ["py", "go", "ts", "rb", "md", "yaml", "sql", "java", "proto", "tf"]


class Row(NamedTuple):
    """One measured figure; `budget` is None where none is set."""

    name: str
    value: float
    unit: str
    budget: float | None = None


def rule_lines(count: int, rng: random.Random) -> list[str]:
    """A monorepo's file: mostly directories, then single files, names, extensions and globs inside directories."""
    makers: list[tuple[int, Callable[[], str]]] = [
        (50, lambda: f"/services/{rng.choice(WORDS)}-{rng.randrange(400)}/"),
        (
            10,
            lambda: f"/services/{rng.choice(WORDS)}-{rng.randrange(400)}/{rng.choice(WORDS)}.{rng.choice(EXTENSIONS)}",
        ),
        (8, lambda: f"{rng.choice(WORDS)}_{rng.randrange(50)}/"),
        (8, lambda: f"{rng.choice(WORDS)}_{rng.randrange(50)}.{rng.choice(EXTENSIONS)}"),
        (4, lambda: f"*.{rng.choice(EXTENSIONS)}{rng.randrange(20)}"),
        (10, lambda: f"/services/{rng.choice(WORDS)}-{rng.randrange(400)}/**/*.{rng.choice(EXTENSIONS)}"),
        (4, lambda: f"/services/*/{rng.choice(WORDS)}-{rng.randrange(30)}/"),
        (3, lambda: f"/docs/{rng.choice(WORDS)}/*"),
        (3, lambda: f"**/{rng.choice(WORDS)}/**/test_{rng.choice(WORDS)}*.py"),
    ]
    weights = [weight for weight, _ in makers]
    chosen = rng.choices([maker for _, maker in makers], weights, k=count - 1)
    return ["* @everyone", *(f"{maker()} @team-{number}" for number, maker in enumerate(chosen))]


def new_files(count: int, rng: random.Random) -> list[bytes]:
    """Paths that are all different, in some thousand directories: what a large change touches."""
    places = [f"services/{rng.choice(WORDS)}-{rng.randrange(400)}/{rng.choice(WORDS)}" for _ in range(count // 5)]
    return [f"{rng.choice(places)}/f{number}.{rng.choice(EXTENSIONS)}".encode() for number in range(count)]


def new_directories(count: int, rng: random.Random) -> list[bytes]:
    """The worst case: every path lies in a directory of its own."""
    return [
        f"services/{rng.choice(WORDS)}-{rng.randrange(400)}/{rng.choice(WORDS)}/d{number}/f.{rng.choice(EXTENSIONS)}".encode()
        for number in range(count)
    ]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def per_path(text: str, paths: list[bytes]) -> float:
    """Median us of the first look at each path."""
    return statistics.median(first_look(parse(text.encode(), "CODEOWNERS"), paths) for _ in range(REPEATS))


def first_look(owners: Owners, paths: list[bytes]) -> float:
    return seconds(lambda: [owners.match(path) for path in paths]) / len(paths) * 1e6


def anchor_per_path(text: str, paths: list[bytes]) -> float:
    """Median us of PyPI `codeowners` on some of the same paths."""
    anchor, names = CodeOwners(text), [path.decode() for path in paths[:ANCHOR_PATHS]]
    return (
        statistics.median(seconds(lambda: [anchor.of(name) for name in names]) for _ in range(REPEATS))
        / len(names)
        * 1e6
    )


def parse_times(text: str) -> tuple[float, float]:
    """Median ms to parse: ours, the anchor's."""
    ours = statistics.median(seconds(lambda: parse(text.encode(), "CODEOWNERS")) for _ in range(REPEATS))
    anchor = statistics.median(seconds(lambda: CodeOwners(text)) for _ in range(REPEATS))
    return ours * 1e3, anchor * 1e3


def main() -> list[Row]:
    """Measures, and gives the rows."""
    rng = random.Random(31)
    text = "\n".join(rule_lines(RULES, rng)) + "\n"
    files, directories = new_files(PATHS, rng), new_directories(PATHS, rng)
    ours, anchor = per_path(text, files), anchor_per_path(text, files)
    parse_ours, parse_anchor = parse_times(text)
    return [
        Row("owners: new path", ours, "us", BUDGET),
        Row("owners: new path in a new directory", per_path(text, directories), "us", BUDGET),
        Row("owners: same, PyPI codeowners", anchor, "us"),
        Row("owners: times faster than PyPI codeowners", anchor / ours, "x"),
        Row(f"owners: parse {RULES} rules", parse_ours, "ms"),
        Row(f"owners: parse {RULES} rules, PyPI codeowners", parse_anchor, "ms"),
    ]


def show(rows: list[Row]) -> None:
    for row in rows:
        verdict = (
            "" if row.budget is None else f"  (budget {row.budget:g}: {'met' if row.value <= row.budget else 'MISSED'})"
        )
        print(f"{row.name:<48}{row.value:>10.2f} {row.unit}{verdict}")


if __name__ == "__main__":
    show(main())

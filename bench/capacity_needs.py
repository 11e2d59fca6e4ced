"""What a number of changes needs, from what the bench measured: processors, partitions, rows, bytes, money."""

import tomllib
from collections.abc import Mapping
from math import ceil, log2
from pathlib import Path
from typing import Any, NamedTuple

from bench.streams_rows import CONSTANTS

SMALL, LARGE = 2.0, 20.0  # KB of the two sizes that the bench measures
DAY, HOUR = 86_400, 3600  # seconds
ROLES = ("rules", "decide")


class Line(NamedTuple):
    """What a quantity is at no size, and what each KB of a change adds."""

    base: float
    each: float

    def at(self, size: float) -> float:
        """`size` in KB."""
        return self.base + self.each * size


class Measured(NamedTuple):
    """The constants. Milliseconds of processor a change by process; rows and bytes that stay, a change."""

    said: Mapping[str, Any]
    costs: Mapping[str, Line]
    rows: float
    database: Line
    topics: Line
    latency: float  # milliseconds, the median when nothing else happens


class Assumed(NamedTuple):
    """What nobody measured. Sizes in KB, prices in money of your choice."""

    median_size: float = 2.0
    mean_size: float = 6.0
    scan: float = 19.0  # milliseconds of processor that the rules take for an ordinary real change (docs/benchmarks.md)
    statements: float = 2.0  # events about a change besides its proposal and what the rules say; each is decided upon
    together: float = 5.0  # changes that one session of an agent proposes within a minute
    storm: int = 2000  # changes that one program proposes within a minute, once in the busiest hour
    copies: int = 3  # of each record in the topics
    standbys: int = 1  # of the database
    spare: float = 0.5  # share of a core that is used at most in the busiest hour, broker and database
    core_hour: float = 0.04
    gigabyte_month: float = 0.10


class Scale(NamedTuple):
    """A forge of some size: changes a day on a working day, working days a year, and the share of a day in its busiest hour."""

    name: str
    daily: float
    days: int
    busiest: float

    @property
    def rate(self) -> float:
        """Changes a second in the busiest hour."""
        return self.daily * self.busiest / HOUR


class Needs(NamedTuple):
    """Cores are those of the busiest hour, with what is spare; storage is that of one year, all copies."""

    workers: Mapping[str, int]
    broker: int
    database: int
    partitions: int
    rows: float
    stored: float
    carried: float

    @property
    def cores(self) -> int:
        return sum(self.workers.values()) + self.broker + self.database

    def month(self, assumed: Assumed) -> float:
        """Money, with all cores paid for all the time and a full year stored."""
        return self.cores * assumed.core_hour * 730 + (self.stored + self.carried) / 1e9 * assumed.gigabyte_month


def measured(path: Path = CONSTANTS) -> Measured:
    """KeyError where a figure is missing: `python -m bench.streams --write` measures all of them."""
    said = tomllib.loads(path.read_text("utf-8"))
    found: Mapping[str, float] = said["figures"]

    def line(name: str, large: str) -> Line:
        each = max((found[large] - found[name]) / (LARGE - SMALL), 0.0)
        return Line(found[name] - each * SMALL, each)

    costs = {name: line(f"pipeline.{name}.ms", f"pipeline.large.{name}.ms") for name in (*ROLES, "database", "broker")}
    kept = {name: line(f"kept.{name}", f"kept.large.{name}") for name in ("database", "topics")}
    return Measured(said, costs, found["kept.rows"], kept["database"], kept["topics"], found["latency.p50"])


def work(by: Measured, assumed: Assumed) -> tuple[Line, Line]:
    """Seconds of the rules and of the decider for a change, by its size.

    The bench's files are easy to read; the rules take `scan` for a real change, which is read with all of its files. The decider handles
    two records of a change; each further statement costs as much as one of them.
    """
    rules, decide, more = by.costs["rules"], by.costs["decide"], 1 + assumed.statements / 2
    scanned = (assumed.scan - rules.base) / assumed.mean_size
    return Line(rules.base / 1e3, scanned / 1e3), Line(decide.base * more / 1e3, decide.each * more / 1e3)


def needs(scale: Scale, workers: Mapping[str, int], by: Measured, assumed: Assumed) -> Needs:
    """With so many workers as the simulation found."""
    size, more = assumed.mean_size, 1 + assumed.statements / 2
    yearly = scale.daily * scale.days
    return Needs(
        workers,
        broker=_cores(scale, by.costs["broker"].at(size) * more * assumed.copies, assumed, least=3),
        database=_cores(scale, by.costs["database"].at(size) * more, assumed, least=1) * (1 + assumed.standbys),
        partitions=max(8, 2 ** ceil(log2(2 * max(workers.values())))),
        rows=yearly * by.rows * more,
        stored=yearly * by.database.at(size) * more * (1 + assumed.standbys),
        carried=yearly * by.topics.at(size) * more * assumed.copies,
    )  # fmt: skip


def _cores(scale: Scale, milliseconds: float, assumed: Assumed, *, least: int) -> int:
    return max(ceil(scale.rate * milliseconds / 1e3 / assumed.spare), least)

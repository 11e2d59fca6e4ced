"""Changes that arrive in bursts and wait for workers: a seeded simulation.

A change's id chooses its partition and with it its worker of each role, so that workers are queues of their own and share
nothing. Rules come first; the decider gets a change when they have spoken. Times are seconds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, inf, log, sqrt
from random import Random
from typing import NamedTuple

SEED = 20261121
MINUTE = 60.0
SPAN = 3600.0  # seconds that are simulated: the busiest hour
SESSION = 60.0  # seconds over which a session's changes are spread
USED = (
    0.95,
    0.9,
    0.85,
    0.8,
    0.7,
    0.6,
    0.5,
    0.4,
    0.3,
    0.2,
    0.15,
    0.1,
    0.07,
    0.05,
)  # shares of workers' time, tried in turn
LARGEST = 60_000.0  # KB; what is larger is escalated and not read


class Change(NamedTuple):
    """When it came, what it costs each role, and a number that chooses its partition."""

    at: float
    rules: float
    decide: float
    key: int


class Load(NamedTuple):
    """Changes a second; `together` by one session within a minute; `storm` more within one minute, once."""

    rate: float
    together: float
    storm: float


class Sizes(NamedTuple):
    """Log-normal; KB."""

    median: float
    mean: float


def arrivals(load: Load, span: float, random: Random) -> Iterator[float]:
    """Instants, not in order: sessions that begin at random, each with a geometric number of changes, and the storm."""
    at = 0.0
    while (at := at + random.expovariate(load.rate / load.together)) < span:
        count = 1 + int(log(1.0 - random.random()) / log(1.0 - 1.0 / load.together)) if load.together > 1 else 1
        yield from (at + random.uniform(0.0, SESSION) for _ in range(count))
    yield from (span / 2 + random.uniform(0.0, SESSION) for _ in range(round(load.storm)))


def changes(
    load: Load, sizes: Sizes, cost: Callable[[float], tuple[float, float]], *, span: float = SPAN, seed: int = SEED
) -> list[Change]:
    """In order of arrival. `cost` tells the seconds of the rules and of the decider for a size in KB."""
    random = Random(seed)
    middle, spread = log(sizes.median), sqrt(2 * log(sizes.mean / sizes.median))
    instants, size = sorted(arrivals(load, span, random)), random.lognormvariate
    return [Change(at, *cost(min(size(middle, spread), LARGEST)), random.getrandbits(30)) for at in instants]


def lags(queue: Sequence[Change], workers: Mapping[str, int]) -> list[float]:
    """Seconds from each change's arrival to its decision, without what an idle engine takes; in order of arrival."""
    rules, decide = workers["rules"], workers["decide"]
    free, spoken = [0.0] * rules, []
    for number, (at, work, _, key) in enumerate(queue):
        worker = key % rules
        free[worker] = ready = max(free[worker], at) + work
        spoken.append((ready, number))
    free, found = [0.0] * decide, [0.0] * len(queue)
    for ready, number in sorted(spoken):
        at, _, work, key = queue[number]
        worker = key % decide
        free[worker] = done = max(free[worker], ready) + work
        found[number] = done - at
    return found


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many are not above."""
    return sorted(values)[max(ceil(len(values) * percent / 100) - 1, 0)]


def staffed(queue: Sequence[Change], used: float, span: float = SPAN) -> dict[str, int]:
    """So many workers of each role that they are busy for this share of their time."""
    work = {"rules": sum(one.rules for one in queue), "decide": sum(one.decide for one in queue)}
    return {role: max(1, ceil(seconds / span / used)) for role, seconds in work.items()}


class Tried(NamedTuple):
    """A number of workers, and the lag that they leave."""

    workers: dict[str, int]
    used: float
    p50: float
    p99: float


def tried(queue: Sequence[Change], within: float) -> list[Tried]:
    """More and more workers, until the lag's 99th percentile is within so many seconds."""
    found: list[Tried] = []
    for used in USED:
        workers = staffed(queue, used)
        if found and workers == found[-1].workers:
            continue
        waits = lags(queue, workers)
        found.append(Tried(workers, used, percentile(waits, 50), percentile(waits, 99)))
        if found[-1].p99 <= within:
            break
    return found


def outage(queue: Sequence[Change], workers: Mapping[str, int], *, away: float, within: float) -> tuple[int, float]:
    """A broker that is away from the first second on: how many changes wait then, and how long until nobody lags any more.

    What was proposed meanwhile lies in the journals and comes at once. Caught up is who sees a minute in which 99 of 100 changes
    are decided `within` so many seconds. `queue` has to reach far enough behind the outage; infinity where it does not.
    """
    held = [Change(away, *change[1:]) if change.at < away else change for change in queue]
    minutes: dict[int, list[float]] = {}
    for change, lag in zip(held, lags(held, workers), strict=True):
        if change.at > away:
            minutes.setdefault(int((change.at - away) / MINUTE), []).append(lag)
    calm = (minute for minute, waits in sorted(minutes.items()) if percentile(waits, 99) <= within)
    return sum(change.at < away for change in queue), next(calm, inf) * MINUTE

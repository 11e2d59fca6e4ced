"""The Kafka engine on a real broker and a real PostgreSQL, each beside an anchor in the same run.

`python -m bench.streams` starts its own servers on free ports and prints a table; about a quarter of an hour. `--quick` takes three minutes,
`--only NAME,...` some of the measurements, `--write` keeps the figures for `bench.capacity`.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import NamedTuple

from bench import streams_carriage, streams_flow, streams_pipeline
from bench.streams_ground import Ground, ground
from bench.streams_rows import CONSTANTS, Circumstances, Row, table, toml


class Sizes(NamedTuple):
    """How much is done."""

    repeats: int = 5
    carried: int = 10_000
    decided: int = 2000
    waited: int = 500
    kills: int = 3
    remembered: int = 20_000
    seconds: float = 120


QUICK = Sizes(repeats=1, carried=3000, decided=500, waited=60, kills=1, remembered=1000, seconds=5)
FULL = Sizes(remembered=100_000, seconds=300)
Measure = Callable[[Ground, Sizes], list[Row]]
MEASURES: Mapping[str, Measure] = {
    "carriage": lambda place, sizes: streams_carriage.measure(place, sizes.carried, sizes.repeats),
    "pipeline": lambda place, sizes: streams_pipeline.measure(place, sizes.decided, sizes.repeats),
    "latency": lambda place, sizes: streams_flow.latency(place, sizes.waited),
    "scaling": lambda place, sizes: streams_pipeline.scaling(place, sizes.decided, sizes.repeats),
    "silence": lambda place, sizes: streams_flow.silence(place, sizes.kills),
    "memory": lambda place, sizes: streams_pipeline.memory(place, sizes.remembered),
    "steady": lambda place, sizes: streams_flow.steady(place, sizes.seconds),
}


def measured(names: list[str], sizes: Sizes) -> Iterator[Row]:
    """Every row, as soon as it is known."""
    with ground() as place:
        for name in names:
            begun = monotonic()
            yield from MEASURES[name](place, sizes)
            print(f"-- {name}: {monotonic() - begun:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run of three minutes")
    parser.add_argument("--only", default=",".join(MEASURES), help="some of: %(default)s")
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/streams.toml")
    parser.add_argument("--full", action="store_true", help="100,000 changes for memory, five minutes of large changes")
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL if given.full else Sizes()
    circumstances, rows = Circumstances.now(), []
    for row in measured(given.only.split(","), sizes):
        rows.append(row)
        print(f"{row.name:32} {row.median:12.2f} {row.unit}", flush=True)
    print(f"\n{circumstances.date}, {circumstances.machine}, load before the run {circumstances.load:.1f}\n")
    print(table(rows))
    if given.write:
        print(f"\nwritten: {CONSTANTS.name}; then: python -m bench.capacity --write")
        CONSTANTS.write_text(toml(rows, circumstances, provisional=given.quick or circumstances.load > 0.5))


if __name__ == "__main__":
    main()

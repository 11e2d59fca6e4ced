"""What 10,000 developers need of the Kafka engine, and what the largest forge would: from measured costs and plain assumptions.

`python -m bench.capacity` prints the page, `--write` writes docs/capacity.md; every assumption is an option.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.capacity_needs import Assumed, Measured, Needs, Scale, measured, needs, work
from bench.capacity_queue import Change, Load, Sizes, Tried, changes, outage, tried
from bench.streams_rows import figure

PAGE = Path(__file__).resolve().parent.parent / "docs/capacity.md"
AWAY = 1800.0  # seconds without a broker
BEHIND = 3 * AWAY  # seconds that are simulated for it
SIMULATED = 50.0  # changes a second; of a larger scale a part is simulated
PUSHED = 1_000_000_000.0  # commits a year
SOURCE = (
    "Its public rate: GitHub, Octoverse 2025 (github.blog, October 2025): developers pushed nearly 1 billion commits in 2025, and merged 43.2 million pull "
    "requests a month"
)

_HEAD = """# Capacity

<!-- Written by `python -m bench.capacity --write`. -->

What the [Kafka engine](kafka.md) needs for 10,000 developers, and for the largest forge. Computed from costs that `python -m bench.streams`
measured on one machine, and from assumptions that are only that: each is an option of `python -m bench.capacity`, which
prints this page for your own numbers.
"""
_LIMITS = """## What is not in it

- Reading a repository and submitting: that is done by hooks, CI and relays, on their machines (`twohand submit` is a process of about
  half a second).
- Model reviewers. They wait for somebody else's machines, are paid by token, and soon cost more than all of this.
- The way between machines: everything was measured on loopback, with one broker that copies to nobody. `copies` multiplies the broker's
  work and storage; a network adds its own delays.
- Other partitions than the simulation's: it gives every worker the same share of ids, which eight partitions over three workers do not.
- A machine that does something else too. Workers are counted as if each had a core of its own.
"""


class Options(NamedTuple):
    """What may be asked for besides Assumed."""

    developers: int = 10_000
    each: float = 20.0  # changes a developer a working day, their agents' included
    commits: float = PUSHED
    within: float = 2.0  # seconds of lag


class Plan(NamedTuple):
    """One scale, worked out."""

    scale: Scale
    tried: list[Tried]
    needs: Needs
    waiting: int
    caught_up: float  # seconds

    @property
    def enough(self) -> Tried:
        return self.tried[-1]


def scales(options: Options) -> list[Scale]:
    """A company in one part of the world, and a forge for all of it, each of whose commits is taken for a change of its own."""
    company = Scale(f"{options.developers:,} developers", options.developers * options.each, 260, 0.14)
    forge = Scale("the largest forge", options.commits / 365, 365, 0.06)
    return [company, forge, forge._replace(name="ten times that", daily=forge.daily * 10)]


def plan(scale: Scale, by: Measured, assumed: Assumed, within: float) -> Plan:
    """Workers by simulation of the busiest hour, the rest in proportion. Of a large scale one of several equal parts is simulated."""
    parts, (rules, decide) = max(round(scale.rate / SIMULATED), 1), work(by, assumed)

    def queue(storm: float, **more: Any) -> list[Change]:
        load, sizes = (
            Load(scale.rate / parts, assumed.together, storm / parts),
            Sizes(assumed.median_size, assumed.mean_size),
        )
        return changes(load, sizes, lambda size: (rules.at(size), decide.at(size)), **more)

    found = tried(queue(assumed.storm), within)
    waiting, caught_up = outage(queue(0, span=BEHIND), found[-1].workers, away=AWAY, within=within)
    whole = [one._replace(workers={role: number * parts for role, number in one.workers.items()}) for one in found]
    return Plan(scale, whole, needs(scale, whole[-1].workers, by, assumed), waiting * parts, caught_up)


def page(by: Measured, options: Options, assumed: Assumed) -> str:
    """The whole document."""
    plans = [plan(scale, by, assumed, options.within) for scale in scales(options)]
    parts = [
        _HEAD,
        _measured(by),
        _assumed(options, assumed),
        _needed(plans, assumed),
        _lag(plans, options),
        _outage(plans),
        _LIMITS,
    ]
    return "\n".join(parts)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _measured(by: Measured) -> str:
    said = by.said
    at = f" at commit {said['commit']}" if said["commit"] else ""
    where = f"Measured{at} on {said['date']} on {said['machine']}, with a load of {said['load']} from other work before the run."
    doubt = (
        " **Provisional**: the machine was busy with other work, or the run was a short one."
        if said["provisional"]
        else ""
    )
    rows = [
        [f"processor of {name}", f"{line.at(2):.2f} ms", f"{line.each * 1e3:.0f} us"] for name, line in by.costs.items()
    ]
    rows += [
        ["rows that stay in the database", f"{by.rows:.1f}", ""],
        ["bytes that stay in the database", f"{by.database.at(2):,.0f}", f"{by.database.each:,.0f}"],
        ["bytes in the topics, each change alone", f"{by.topics.at(2):,.0f}", f"{by.topics.each:,.0f}"],
        ["from submission to decision when nothing else happens", f"{by.latency:.0f} ms", ""],
    ]
    return f"## What was measured\n\n{where}{doubt}\n\n{_table(('a change', 'at 2 KB', 'each further KB'), rows)}"


def _assumed(options: Options, assumed: Assumed) -> str:
    rows = [
        ["changes a developer proposes on a working day, agents included", figure(options.each), "--each"],
        ["commits a year of the largest forge, each a change", f"{options.commits:,.0f}", "--commits"],
        ["size of a change: median, mean", f"{figure(assumed.median_size)}, {figure(assumed.mean_size)} KB", "--median-size, --mean-size"],
        ["processor of the rules for an ordinary real change ([benchmarks](benchmarks.md))", f"{figure(assumed.scan)} ms", "--scan"],
        ["further statements about a change, each decided upon anew", figure(assumed.statements), "--statements"],
        ["changes that one session proposes within a minute", figure(assumed.together), "--together"],
        ["changes that one program proposes within a minute, in the busiest hour", f"{assumed.storm:,}", "--storm"],
        ["lag that 99 of 100 changes stay under", f"{figure(options.within)} s", "--within"],
        ["use of a core of broker and database, at most", f"{assumed.spare:.0%}", "--spare"],
        ["copies of each record; standbys of the database", f"{assumed.copies}; {assumed.standbys}", "--copies, --standbys"],
        ["price of a core for an hour, of a GB for a month", f"{assumed.core_hour:.2f}, {assumed.gigabyte_month:.2f}", "--core-hour, --gigabyte-month"],
    ]  # fmt: skip
    told = (
        "A company works on 260 days and has 14 % of a day's changes in its busiest hour; a forge for all of the world works every day, "
        f"with 6 %.\n{SOURCE}.\nPrices are assumptions in a currency of your choice, of the order of what rented machines cost.\n"
    )
    return f"## What was assumed\n\n{_table(('assumption', 'value', 'option'), rows)}\n{told}"


def _needed(plans: Sequence[Plan], assumed: Assumed) -> str:
    def row(says: str, *values: str) -> list[str]:
        return [says, *values]

    def each(says: str, tell: Any) -> list[str]:
        return row(says, *(tell(one) for one in plans))

    rows = [
        each("changes a working day", lambda one: f"{one.scale.daily:,.0f}"),
        each(
            "changes a second: mean of the day, busiest hour",
            lambda one: f"{one.scale.daily / 86400:.1f}, {one.scale.rate:.1f}",
        ),
        each("workers: rules, decide", lambda one: ", ".join(str(number) for number in one.enough.workers.values())),
        each("cores of the broker's nodes, of PostgreSQL", lambda one: f"{one.needs.broker}, {one.needs.database}"),
        each("partitions of each topic", lambda one: str(one.needs.partitions)),
        each("rows a year", lambda one: rounded(one.needs.rows)),
        each("PostgreSQL a year, with its standby", lambda one: volume(one.needs.stored)),
        each("topics a year, all copies, if nothing expires", lambda one: volume(one.needs.carried)),
        each("money a month, with one year stored", lambda one: rounded(one.needs.month(assumed))),
    ]
    return f"## What it takes\n\n{_table(('', *(one.scale.name for one in plans)), rows)}"


def rounded(value: float) -> str:
    """Two digits that count: more would be a lie."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.1f}"


def volume(size: float) -> str:
    """Bytes as people say them."""
    return f"{rounded(size / 1e12)} TB" if size >= 10e12 else f"{rounded(size / 1e9)} GB"


def _lag(plans: Sequence[Plan], options: Options) -> str:
    rows = [list(_tried(one.scale.name, row)) for one in plans for row in one.tried]
    told = (
        "The busiest hour, simulated with a fixed seed: sessions begin at random, each with several changes, and one program proposes many at "
        f"once.\nWorkers are added until 99 of 100 changes are decided within {figure(options.within)} s besides what an idle engine "
        "takes.\n"
    )
    columns = ("", "workers: rules, decide", "lag p50", "lag p99")
    return f"## How long changes wait\n\n{told}\n{_table(columns, rows)}"


def _tried(name: str, row: Tried) -> Iterator[str]:
    yield from (name, ", ".join(str(number) for number in row.workers.values()), lasting(row.p50), lasting(row.p99))


def lasting(seconds: float) -> str:
    """As people say it."""
    if seconds < 1:
        return f"{rounded(seconds * 1e3)} ms"
    return f"{figure(round(seconds, 1))} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _outage(plans: Sequence[Plan]) -> str:
    rows = [[one.scale.name, f"{one.waiting:,}", _caught(one.caught_up)] for one in plans]
    told = (
        "The broker is away for 30 minutes of the busiest hour. Pushes do not wait for it: journals hold what was proposed, and all of it comes "
        "when the\nbroker is back, with the same workers as above.\n"
    )
    return f"## Half an hour without a broker\n\n{told}\n{_table(('', 'changes that wait', 'until nobody lags'), rows)}"


def _caught(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    return lasting(seconds) if seconds < BEHIND else f"over {(BEHIND - AWAY) / 60:.0f} min"


def given() -> argparse.Namespace:
    """Every assumption as an option."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write docs/capacity.md")
    for values in (Options(), Assumed()):
        for name, value in values._asdict().items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args()


def main() -> None:
    said = vars(given())
    options = Options(*(said[name] for name in Options._fields))
    text = page(measured(), options, Assumed(*(said[name] for name in Assumed._fields)))
    if said["write"]:
        PAGE.write_text(text, "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()

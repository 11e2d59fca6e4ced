"""The capacity page and the tables of the Kafka engine's bench: current, computed as they say, and seeded."""

from collections import Counter
from random import Random
from xml.etree import ElementTree as ET

import pytest

from bench import capacity
from bench.capacity_needs import Assumed, Line, Scale, measured, needs, work
from bench.capacity_queue import Change, Load, Sizes, arrivals, changes, lags, outage, percentile, staffed, tried
from bench.streams_carriage import Mark, speed
from bench.streams_picture import Panel, boxes, svg
from bench.streams_profile import read
from bench.streams_rows import Circumstances, Row, table, toml

STACK = "_bootstrap (threading.py:1);take (streams/engines/kafka/cases/store.py:9)"
IDLE = "main (x.py:1);BaseEventLoop._run_once (asyncio/base_events.py:1);EpollSelector.select (selectors.py:4)"
ONE = {"rules": 1, "decide": 1}
ROWS = [
    Row("latency.p99", "idle, p99", "ms", [90.0, 110.0, 100.0], ("<=", 250)),
    Row("pipeline", "whole pipeline", "changes/s", [1234.5], (">=", 3000)),
]


def steady(rate: float, cost: float, *, span: float = 3600.0) -> list[Change]:
    """Changes one by one at random, each with the same work for the rules and none for the decider."""
    return changes(Load(rate, 1, 0), Sizes(2, 6), lambda _: (cost, 0.0), span=span)


def test_the_capacity_page_is_current():
    """docs/capacity.md is what the program prints from the constants of the last bench."""
    text = capacity.page(measured(), capacity.Options(), Assumed())
    assert capacity.PAGE.read_text("utf-8") == text, "run: python -m bench.capacity --write"


def test_one_queue_waits_as_long_as_theory_says():
    """Random arrivals and equal work: the mean wait is used * work / (2 * (1 - used)) (Pollaczek and Khinchine)."""
    queue, work, used = steady(20, 0.04, span=10_000), 0.04, 0.8
    mean = sum(lags(queue, ONE)) / len(queue)
    assert mean == pytest.approx(work + used * work / (2 * (1 - used)), rel=0.1)


def test_a_change_is_decided_after_its_rules_have_spoken():
    """The two roles work one after the other, and each worker on one change at a time."""
    queue = [Change(0.0, 3.0, 1.0, 0), Change(1.0, 1.0, 5.0, 0), Change(1.0, 1.0, 1.0, 1)]
    assert lags(queue, ONE) == [4.0, 8.0, 9.0]
    assert lags(queue, {"rules": 2, "decide": 2}) == [4.0, 8.0, 2.0]


def test_the_simulation_is_seeded():
    """The same seed gives the same changes, another one others; so many as were asked for."""
    load = Load(10, 5, 300)
    first, again, other = (sorted(arrivals(load, 3600, Random(seed))) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == pytest.approx(36_300, rel=0.05)


def test_workers_are_added_until_nobody_lags():
    """The last number that was tried is the first whose 99th percentile is within the limit."""
    queue = steady(40, 0.05)
    found = tried(queue, 0.2)
    assert [one.p99 <= 0.2 for one in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].workers == staffed(queue, found[-1].used)
    assert percentile(range(1, 201), 99) == 198


def test_an_outage_is_caught_up_at_the_rate_that_is_left():
    """What waited goes at what workers can do more than what comes: 1,800 s at 40 % of use takes 1,200 s."""
    queue = steady(10, 0.04, span=5400)
    waiting, took = outage(queue, ONE, away=1800, within=1)
    assert waiting == sum(change.at < 1800 for change in queue)
    assert took == pytest.approx(1200, rel=0.1)
    assert outage(queue, {"rules": 1, "decide": 1}, away=0, within=1) == (0, 0)
    assert outage(steady(24, 0.04, span=5400), ONE, away=1800, within=1)[1] == float("inf")


def test_needs_grow_with_changes():
    """Rows and storage are those of a year, cores those of the busiest hour, and money follows both."""
    by = measured()._replace(
        rows=5, database=Line(1000, 0), topics=Line(500, 0), costs=dict.fromkeys(measured().costs, Line(1, 0))
    )
    assumed = Assumed(statements=0, standbys=0, copies=1, mean_size=2, scan=10, core_hour=1, gigabyte_month=10)
    found = needs(Scale("x", 1_000_000, 100, 0.36), {"rules": 3, "decide": 1}, by, assumed)
    assert (found.rows, found.stored, found.carried) == (5e8, 1e11, 5e10)
    assert (found.cores, found.partitions) == (8, 8)
    assert found.month(assumed) == 8 * 730 + 150 * 10
    assert [line.at(2) for line in work(by, assumed)] == pytest.approx([0.010, 0.001])


def test_a_table_tells_the_median_its_spread_and_a_missed_bar():
    """Each row stands for itself; what is written for the capacity page is the median."""
    assert table(ROWS).splitlines()[2:] == [
        "| idle, p99 | 100 ms | 90 to 110 | <= 250 | kept |",
        "| whole pipeline | 1,234 changes/s |  | >= 3,000 | **missed** |",
    ]
    text = toml(ROWS, Circumstances("2026-11-21", "2 x A", 0.1), provisional=True)
    assert '"latency.p99" = 100.0  # idle, p99, ms' in text
    assert "provisional = true" in text


def test_a_loop_is_timed_without_its_start():
    """What was done when the first batch ended counts neither as work nor as time."""
    marks = [Mark(500, 10.0, 3.0), Mark(1000, 10.5, 3.1), Mark(1500, 11.0, 3.2)]
    assert speed(marks) == pytest.approx((1000, 200))


def test_a_profile_is_drawn():
    """Stacks begin where they tell something, what waits is left out, and every box is below its caller."""
    text = f"{STACK};<lambda> (a.py:1);plain (rules/canonical.py:2) 30\n{STACK} 10\n{IDLE} 99"
    stacks = read(text)
    take, plain = "take (streams/engines/kafka/cases/store.py:9)", "plain (rules/canonical.py:2)"
    assert stacks == Counter({(take, plain): 30, (take,): 10})
    assert [tuple(box) for box in boxes(stacks)] == [(take, 0, 0.0, 1.0), (plain, 1, 0.0, 0.75)]
    drawn = ET.fromstring(svg([Panel("decide", 1.5, stacks)], {"decide": 1.5, "broker": 0.5}, "a < b"))
    titles = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == [f"{take}: 100.0%, 1.500 ms", f"{plain}: 75.0%, 1.125 ms"]

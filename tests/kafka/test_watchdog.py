"""The watchdog ends a worker that is behind and does nothing, and leaves every other one alone."""

import logging
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from streams.engines.kafka.workers import watchdog
from streams.engines.kafka.workers.watchdog import ENDING, STILL, Pulse, Watchdog
from streams.logs import Seldom


class Place(NamedTuple):
    """As clients name a partition."""

    topic: str
    partition: int


PLACE = Place("twohand.changes", 0)


class Consumer:
    """One partition: how far it was committed and where it ends."""

    def __init__(self, committed: int, end: int) -> None:
        self._committed_offset, self.end = {PLACE: committed}, end

    def assignment(self):
        return {PLACE}

    def highwater(self, _):
        return self.end


@pytest.fixture
def ended(monkeypatch):
    """The exit codes that were asked for, instead of an end of this process."""
    codes: list[int] = []
    monkeypatch.setattr(watchdog.os, "_exit", codes.append)
    monkeypatch.setattr(watchdog.logging, "shutdown", lambda: None)
    return codes


def dog(consumer, ready=None, *, stopping=False):
    pulse = Pulse()
    pulse.last = 0.0
    worker = SimpleNamespace(should_stop=stopping)
    return Watchdog(SimpleNamespace(consumer=consumer), worker, pulse, ready), pulse


def test_a_worker_that_is_behind_and_does_nothing_ends(ended):
    """The same commit, more to read, and no record handled for a minute: exit code 1, and nothing is committed."""
    watched, _ = dog(Consumer(5, 9))
    watched._look(1.0)
    watched._look(STILL)
    assert ended == []
    watched._look(STILL + 2)
    assert ended == [1]


def test_a_worker_that_handles_something_goes_on(ended):
    """A long batch is no standstill: each record it handles counts."""
    watched, pulse = dog(Consumer(5, 9))
    watched._look(1.0)
    pulse.last = STILL
    watched._look(STILL + 30)
    assert ended == []


@pytest.mark.parametrize("consumer", [Consumer(9, 9), Consumer(9, None), SimpleNamespace()])
def test_a_worker_with_nothing_to_do_goes_on(ended, consumer):
    """Nothing to read, nothing known yet, or no partitions at all."""
    watched, _ = dog(consumer)
    for now in (1.0, STILL, STILL + 2, 9 * STILL):
        watched._look(now)
    assert ended == []


def test_a_worker_that_does_not_end_is_ended(ended, tmp_path):
    """Told to stop it is not ready any more, and after ten seconds it is gone."""
    ready = tmp_path / "ready"
    watched, _ = dog(Consumer(9, 9), ready)
    watched._look(1.0)
    assert ready.exists()
    watched._worker.should_stop = True
    watched._look(2.0)
    assert not ready.exists()
    assert ended == []
    watched._look(2.5 + ENDING)
    assert ended == [1]


def test_an_absent_broker_is_told_once_a_second(monkeypatch):
    """Eighty equal lines a second are one; another line is told."""
    seldom = Seldom()

    def told(text: str) -> bool:
        return seldom.filter(logging.LogRecord("aiokafka", logging.ERROR, "", 1, text, (), None))

    assert [told("no broker %s"), told("no broker %s"), told("another")] == [True, False, True]


def test_lag_and_the_last_commit_are_told(ended):
    """By partition, also where nothing is behind; a commit is seen when the offset moves."""
    consumer = Consumer(0, 9)
    watched, pulse = dog(consumer)
    watched._look(1.0)
    assert pulse.gauges.standing.lag == {tuple(PLACE): 9}
    assert (pulse.gauges.standing.ready, pulse.gauges.standing.committed) == (True, 0.0)
    consumer._committed_offset[PLACE] = 9
    watched._look(2.0)
    assert pulse.gauges.standing.lag == {tuple(PLACE): 0}
    assert pulse.gauges.standing.committed > 0
    watched._worker.should_stop = True
    watched._look(3.0)
    assert (pulse.gauges.standing.ready, pulse.gauges.standing.why) == (False, "it ends")
    assert ended == []

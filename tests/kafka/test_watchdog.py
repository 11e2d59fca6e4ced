"""The watchdog ends a worker that is behind and does nothing, and leaves every other one alone."""

import logging
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from streams.engines.kafka.workers import twins, watchdog
from streams.engines.kafka.workers.absence import Absence
from streams.engines.kafka.workers.watchdog import ENDING, STILL, Pulse, Watchdog
from streams.logs import Seldom
from streams.settings import Settings


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
    absence = Absence(Settings(bootstrap="127.0.0.1:9"), "twohand-decider")  # nothing listens there
    return Watchdog(SimpleNamespace(consumer=consumer), worker, pulse, ready, absence), pulse


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


def test_noise_of_clients_is_dropped_and_refused_credentials_are_told():
    """What a restart and an absent broker make them say is told in our own words; nobody else's words are dropped."""

    def told(name: str, text: str, *args: object) -> bool:
        return Seldom().filter(logging.LogRecord(name, logging.ERROR, "", 1, text, args, None))

    assert not told("mode.timers", "Timer %s is overlapping (interval=%r)", "commit", 1)
    assert not told("aiokafka", "Unable connect to node with id %s: %s", 1, "Connection refused")
    assert told(
        "aiokafka", "Unable connect to node with id %s: %s", 1, "SaslAuthenticationFailed: Authentication failed"
    )
    assert told("twohand", "Unable connect to %s", "the moon")


def test_ready_and_an_absent_broker_are_told_once_each(ended, caplog):
    """One line when it is ready, one when no broker answers, with what to do, and two when it is ready again."""
    caplog.set_level(logging.INFO, "twohand")
    consumer = Consumer(9, 9)
    watched, _ = dog(consumer)
    consumer._thread = SimpleNamespace(_consumer=SimpleNamespace(_coordinator=SimpleNamespace(coordinator_id=1)))
    coordinator = consumer._thread._consumer._coordinator
    for number in (1, 1, None, None, 1, 1):
        coordinator.coordinator_id = number
        watched._look(1.0)
    ready = "twohand-decider is ready: 1 partitions"
    first, waits, *rest = caplog.messages
    assert (first, rest) == (ready, ["twohand-decider goes on: a broker answers", ready])
    assert waits.startswith("twohand-decider waits: No broker answers at 127.0.0.1:9: Connection refused. Start it")
    assert ended == []


def test_a_worker_whose_name_another_has_ends(monkeypatch, caplog):
    """Kicked out three times in a minute: exit code 2 and the name; not where it has none."""
    codes: list[int] = []
    monkeypatch.setattr(twins.os, "_exit", codes.append)
    monkeypatch.setattr(twins.logging, "shutdown", lambda: None)
    heard = twins.Twins("twohand-decider", "one")
    record = logging.LogRecord(twins.LOGGER, logging.WARNING, "", 1, f"{twins.LOST}; resetting", (), None)
    assert [heard.filter(record), heard.filter(record), codes] == [True, True, []]
    heard.filter(record)
    assert codes == [2]
    assert "another worker is called one" in caplog.text


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

"""Changes on a real broker: proposed, reviewed by the rules, decided once, whatever ends in between."""

import pytest

from streams.engines.kafka.records.dead_letters import still_open
from streams.engines.kafka.records.wire import Record, decode
from tests.kafka.engine import Engine
from tests.kafka.events import carried, proposed

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture
def engine(broker, postgres, tmp_path):
    made = Engine(broker, postgres, tmp_path)
    yield made
    made.close()


def test_a_change_is_reviewed_and_decided(engine):
    """A proposal goes in; the rules' review and one decision come out, and SIGTERM ends the workers."""
    workers = [engine.start("rules"), engine.start("decide")]
    change = proposed(1)
    engine.send(carried(change))
    (record,) = engine.until("twohand.decisions", 1)
    decision = decode(record)
    assert (decision.change, decision.content_key, decision.outcome) == (change.change, change.content_key, "pending")
    assert [decode(one).reviewer for one in engine.read("twohand.reviews")] == ["rules"]
    for worker in workers:
        worker.end(seconds=10)
        assert worker._process.returncode == 0, worker.log.read_text()


def test_poison_stops_nobody(engine):
    """Records that cannot be read become dead letters; the changes behind them are decided, their own is blocked."""
    engine.start("rules", wait=False)
    engine.start("decide")
    bad, good = proposed(1), proposed(2)
    broken = carried(bad)._replace(headers=[*carried(bad).headers[:-1], ("twohand_contents", b"no frame")])
    engine.send(
        broken, Record("twohand.changes", b"x", b"{", ()), Record("twohand.changes", b"", None, ()), carried(good)
    )
    engine.until("twohand.decisions", 2)
    outcomes = {one.change: one.outcome for one in map(decode, engine.read("twohand.decisions"))}
    assert outcomes == {bad.change: "blocked", good.change: "pending"}
    letters = still_open(engine.read("twohand.dead-letters"))
    faults = sorted((letter.by, letter.fault) for letter in letters.values())
    both = ("twohand-decider", "twohand-reviewer-rules")
    expected = [(who, fault) for who in both for fault in ("empty", "headers")]
    assert faults == sorted([*expected, ("twohand-reviewer-rules", "contents")])


def test_a_worker_without_its_topics_says_so(engine):
    """Faust would log for ever and ignore SIGTERM: the worker ends before it starts, with what to do."""
    admin = engine.broker.admin()
    admin.delete_topics(["twohand.reviews"])
    admin.close()
    worker = engine.start("decide", wait=False)
    worker._process.wait(20)
    assert worker._process.returncode == 2
    assert "twohand.reviews is not there" in worker.log.read_text()
    assert "twohand topics create" in worker.log.read_text()

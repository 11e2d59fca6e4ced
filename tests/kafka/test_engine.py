"""Changes on a real broker: proposed, reviewed by the rules, decided once, whatever ends in between."""

import pytest

from streams.engines.kafka.wire import decode
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

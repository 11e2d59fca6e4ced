"""A worker's numbers without a worker: what it would count of two proposals, a decision and a dead letter."""

import time

from rules.events import DecisionMade
from streams.engines.kafka.records.dead_letters import DeadLetter, bury
from streams.engines.kafka.records.wire import Record, encode
from streams.engines.kafka.telemetry import store_gauges
from streams.engines.kafka.telemetry.gauges import Gauges, Handled, Standing
from tests.kafka.events import NOON, carried, origins, proposed

GROUP = "twohand-decider"
STORE = (3, 61.5, 1)  # records of the outbox, age of the oldest, open dead letters


def decision(change) -> Record:
    """One that escalates it, and whose text says other outcomes."""
    said = '{"outcome":"admitted"}'
    made = DecisionMade(
        change=change.change, content_key=change.content_key, outcome="escalated", decision=said, at=NOON
    )
    return encode(made, "example/shop")


def counted(group: str = GROUP) -> Gauges:
    """Two proposals came 2 s ago; one was decided, and of a record that is none there is a letter."""
    gauges = Gauges(group, retries=lambda: 4, more=lambda: store_gauges.shown(STORE))
    first, second = proposed(1), proposed(2)
    came = origins(carried(first), carried(second), Record("twohand.changes", b"x", b"{", ()))
    letter = bury(DeadLetter(*came[2], "headers", "why", group, NOON))
    now = time.time()
    gauges.handled(Handled(came, [now - 2, now - 2, now], [letter, decision(first)], 0.2))
    gauges.stand(Standing(ready=True, lag={("twohand.changes", 0): 7, ("twohand.reviews", 1): 0}, committed=now))
    return gauges

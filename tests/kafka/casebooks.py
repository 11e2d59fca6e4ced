"""A case store as tests of the escalator fill it: with what a decider records, which hears of deadlines at once."""

import json

from rules.events import DeadlinePassed
from streams.engines.codec import TYPES, revive
from streams.engines.kafka.cases.casebook import Casebook
from streams.engines.kafka.cases.store import Arrival, Batch, Store


class Played(Casebook):
    """A casebook with the decider that belongs to it."""

    def __init__(self, url):
        super().__init__(url)
        self.url = url

    def append(self, events):
        """As the decider keeps what came over the topics; a deadline is said by the escalator, and then heard and decided."""
        events = list(events)
        passed = [event for event in events if isinstance(event, DeadlinePassed)]
        super().append(passed)
        with Store(self.url) as store:
            with store._db.transaction():
                store._insert([Arrival.of(event) for event in events if event not in passed])
            if passed:
                store.take(Batch([Arrival.of(event) for event in passed]), lambda: passed[0].at)

    def events(self, change=None):
        """Of one change, or of all."""
        if change is not None:
            yield from super().events(change)
            return
        for kind, at, text in self.ask('select type, at, body from log order by "offset"'):
            yield revive(TYPES[kind], json.loads(text), at)

    def clear(self):
        """Empty it."""
        tables = "event, change, outbox, letter, content, news, said, escalator.outbox, timer, law, held, storm, told"
        with self.transaction() as db:
            db.execute(f"truncate public.outbox, {tables}, continued, mark restart identity")

"""The carrier between a repository's journal and the topics: what was proposed and said goes out, decisions come back.

It resumes where it stopped: where it is stands in a file beside the journal, and is moved only after the broker's
acknowledgement. Nobody waits for it; a broker that is away costs freshness.
"""

from __future__ import annotations

import logging
import sys
from contextlib import closing, contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from rules import instants
from streams.engines.kafka.broker import connection
from streams.engines.kafka.carrier.bringing import Bringing
from streams.engines.kafka.carrier.carrying import Carrying
from streams.engines.kafka.carrier.relay_file import Beside, alone
from streams.engines.kafka.doors.submitting import HURRY
from streams.engines.kafka.records.topics import MAX_REQUEST
from streams.sources.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kafka import KafkaConsumer, KafkaProducer

    from streams.desk import Desk

__all__ = ["Beside", "Relay", "carry_until", "opened"]

PAUSE: Final = 0.2  # seconds between two looks
AWAY: Final = 3.0  # seconds until a broker that is away is asked again
MARK: Final = 5  # seconds between two marks that all was carried


def say(text: str) -> None:
    """A line for the log of who runs it."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    print(f"twohand relay: {shown}", file=sys.stderr, flush=True)


class Relay:
    """One repository. A round carries what there is; it may be broken off anywhere and begun again."""

    def __init__(self, desk: Desk, file: Beside, tell: Callable[[str], None] = say) -> None:
        self._desk, self._file, self._tell = desk, file, tell
        self._out, self._back = Carrying(desk, file, tell), Bringing(desk, file, tell)

    def round(self) -> tuple[int, int]:
        """How many records went out, and how many decisions came back. Errors: BrokerUnusable, JournalUnusable."""
        with self._clients() as (producer, consumer):
            return self._carry(producer, consumer, Event())

    def run(self, stop: Event) -> None:
        """Rounds until `stop` is set. What goes wrong is told once, and tried again."""
        told, pause = "", 0.0
        while not stop.wait(pause):
            try:
                with self._clients() as (producer, consumer):
                    told = self._well(told)
                    while not stop.wait(PAUSE):
                        self._carry(producer, consumer, stop)
            except SourceError as error:
                if told != error.message:
                    self._tell(f"waits: {error.message.removesuffix('.')}. {error.remedy}")
                told = error.message
            pause = AWAY

    def _well(self, told: str) -> str:
        if told:
            self._tell("goes on")
        return ""

    def _carry(self, producer: KafkaProducer, consumer: KafkaConsumer, stop: Event) -> tuple[int, int]:
        done = self._out.round(producer, stop.is_set), self._back.round(consumer)
        if not stop.is_set():
            self._mark(self._desk.now())
        return done

    def _mark(self, now: str) -> None:
        """All is carried: the hook believes what came back for a while."""
        before = self._file.whole()
        if not before or not 0 <= instants.between(before, now) < MARK:
            self._file.reached(now)

    @contextmanager
    def _clients(self) -> Iterator[tuple[KafkaProducer, KafkaConsumer]]:
        """A producer that gives up soon, and a consumer of no group, from the beginning."""
        settings = self._desk.settings
        connection.reach(settings)
        options: dict[str, Any] = connection.options(settings)
        from kafka import KafkaConsumer, KafkaProducer  # noqa: PLC0415 - an optional package, and slow

        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        out = {"acks": "all", "compression_type": "zstd", "max_request_size": MAX_REQUEST, **HURRY}
        back = {"bootstrap_timeout_ms": 3000, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
        with (
            connection.explained(settings),
            closing(KafkaProducer(**out, **options)) as producer,
            closing(KafkaConsumer(**back, **options)) as consumer,
        ):
            yield producer, consumer


@contextmanager
def opened(desk: Desk) -> Iterator[Relay]:
    """The only relay of this repository. RelayRuns where there is one; RelayUnusable where its file cannot be used."""
    folder = desk.journal.path.parent
    with alone(folder), Beside(folder) as file:
        yield Relay(desk, file)


def carry_until(desk: Desk, stop: Event) -> None:
    """Carry until `stop` is set."""
    with opened(desk) as relay:
        relay.run(stop)

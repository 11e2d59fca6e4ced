"""The decider as a worker: records in, decisions out; what it cannot read is a dead letter and blocks its change."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg

from rules.case import fold
from rules.events import EscalationAcknowledged, Event, ReviewGiven
from streams.engines.kafka.cases.connection import StoreUnusable
from streams.engines.kafka.cases.decider import Letter
from streams.engines.kafka.cases.store import Arrival, Batch, Settled, Store, Waiting
from streams.engines.kafka.doors.dropping import refused
from streams.engines.kafka.records.dead_letters import (
    ACCEPTED,
    DROPPED,
    HANDLER,
    RETRIED,
    DeadLetter,
    Origin,
    Settlement,
    bury,
    exhume,
    name_of,
    named,
    said,
    settle,
    settlement,
)
from streams.engines.kafka.records.topics import DEAD_LETTERS, group
from streams.engines.kafka.records.trace import line_of
from streams.engines.kafka.records.wire import Record, Unreadable, opened, sealed
from streams.sources.signatures import NoVerifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    T = TypeVar("T")

ATTEMPTS: Final = 3  # of one record whose handling fails
PATIENCE: Final = 60.0  # seconds that a database is waited for before the worker ends
PAUSE: Final = 0.5
GONE: Final = (psycopg.OperationalError, psycopg.InterfaceError, StoreUnusable, NoVerifier)  # not the records' fault
log = logging.getLogger("twohand")


class Unstorable(ValueError):
    """Text that no index of the case store holds: another attempt ends alike, and the next record may be good."""


class Deciding:
    """streams.engines.kafka.workers.worker.Work over a case store. `now` tells the instant of a decision."""

    role = "decider"
    topics = ("twohand.changes", "twohand.reviews", "twohand.escalations", "twohand.trust", DEAD_LETTERS)

    def __init__(self, url: str, now: Callable[[], str], *, patience: float = PATIENCE) -> None:
        self.group = group(self.role)
        self._url, self._now, self._patience = url, now, patience
        self._store: Store | None = None
        self._told: list[Waiting] = []
        self.retries = 0

    def open(self) -> None:
        """Connect. StoreAway where no database answers, StoreUnfit where none is set or its version is another."""
        store = Store(self._url)
        store.check()
        self._store = store

    def take(self, origins: Sequence[Origin], beat: Callable[[], None]) -> list[Record]:
        """Record what came with what follows, and tell what has to be published. Raises where the database stays away."""
        try:
            self._told = self._patiently(lambda store: store.take(self._batch(origins), self._now))
        except GONE:
            raise
        except Exception:
            log.exception("a batch of %d records is handled one by one", len(origins))
            rows = [row for origin in origins for row in self._alone(origin, beat)]
            self._told = list({row.number: row for row in rows}.values())
        return [row.record for row in self._told]

    def sent(self) -> None:
        """The broker has acknowledged what `take` told."""
        rows, self._told = self._told, []
        if rows:
            self._patiently(lambda store: store.sent(rows))

    def close(self) -> None:
        """Disconnect."""
        if self._store:
            self._store.__exit__()
            self._store = None

    def _patiently(self, work: Callable[[Store], T]) -> T:
        """Do it, again with another connection while the database is away."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                if self._store is None:
                    self.open()
                assert self._store is not None
                return work(self._store)
            except psycopg.errors.ProgramLimitExceeded as error:
                raise Unstorable(str(error).strip()) from None
            except GONE as error:
                log.warning("not done yet: %s", str(error).strip().partition("\n")[0])
                self.retries += 1
                self.close()
                if time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)

    def _alone(self, origin: Origin, beat: Callable[[], None]) -> list[Waiting]:
        """One record, tried several times; then it is a dead letter."""
        failure = Exception()
        for _ in range(ATTEMPTS):
            self.retries += 1
            beat()
            try:
                return self._patiently(lambda store: store.take(self._batch([origin]), self._now))
            except GONE:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the record must not be lost
                failure = error
        letter = self._letter(origin, HANDLER, f"{type(failure).__name__}: {failure}", ATTEMPTS)
        log.warning("%s", said(letter._replace(why="the letter says more")), exc_info=failure)
        return self._patiently(lambda store: store.take(_dead(letter), self._now))

    # -- reading --------------------------------------------------------------------------------------------------

    def _batch(self, origins: Sequence[Origin]) -> Batch:
        """Events, letters and what became of letters, apart."""
        batch = Batch([], [], [], [])
        for origin in origins:
            for have, more in zip(batch, self._read(origin), strict=True):
                have.extend(more)  # type: ignore[attr-defined]
        return batch

    def _read(self, origin: Origin) -> Batch:
        if origin.record.topic == DEAD_LETTERS:
            return self._mail(origin.record)
        try:
            arrival = _heard(_arrival(origin), self._now())
        except Unreadable as error:
            letter = self._letter(origin, error.fault, str(error), 1)
            log.warning("%s", said(letter))
            return _dead(letter)
        if _is_hearsay(arrival.event):
            log.warning("a forge's word about %s counts for nothing: nobody signed it", arrival.event.change)
            return Batch()
        return Batch([arrival])

    def _mail(self, record: Record) -> Batch:
        """A letter of another worker, or what became of one."""
        change, done = named(record.key), settlement(record)
        if not change:
            return Batch()
        if done is None:
            return _opened(record)
        if done.how == RETRIED:
            return Batch(settled=[Settled(done.name, change, done.how)])
        return self._dropped(record, done, change) if done.how == DROPPED else Batch()

    def _dropped(self, record: Record, done: Settlement, change: str) -> Batch:
        """Somebody asks to drop a letter; where they may, it is settled, and everybody is told."""
        if why := self._patiently(lambda store: self._refused(store, change, done)):
            log.warning("the drop of %s counts for nothing: %s", done.name, why)
            return Batch()
        told = settle(record.key, done._replace(how=ACCEPTED))
        return Batch(settled=[Settled(done.name, change, done.how)], records=[told])

    def _refused(self, store: Store, change: str, done: Settlement) -> str:
        return refused(done, fold(store.events(change)), self._now())

    def _letter(self, origin: Origin, fault: str, why: str, attempt: int) -> DeadLetter:
        return DeadLetter(*origin, fault, why, self.group, self._now(), attempt)


def _is_hearsay(event: Event) -> bool:
    """Whether somebody says what an account did on a forge: whoever may write reviews could say so (law 19, 21)."""
    return isinstance(event, ReviewGiven) and bool(event.account) and not event.statement


def _arrival(origin: Origin) -> Arrival:
    envelope = sealed(origin.record)
    if not named(origin.record.key):
        raise Unreadable("key", "it is no change id of 64 hex digits")
    return Arrival(opened(envelope), envelope.id, envelope.value.decode(), _place(origin), line_of(envelope.trace))


def _heard(arrival: Arrival, now: str) -> Arrival:
    """An acknowledgement counts from when we hear it, where its giver's clock is ahead: else it would silence for longer."""
    event = arrival.event
    if not isinstance(event, EscalationAcknowledged) or event.at <= now:
        return arrival
    return arrival._replace(event=replace(event, at=now))


def _place(origin: Origin) -> str:
    """Text that orders what one partition says."""
    return f"{origin.record.topic}:{origin.partition:05}:{origin.offset:020}"


def _opened(record: Record) -> Batch:
    """What another worker gave up; what is no letter blocks nothing."""
    try:
        letter = exhume(record)
    except Unreadable as error:
        log.warning("a record of %s is no letter: %s", DEAD_LETTERS, error)
        return Batch()
    return Batch(opened=[(named(record.key), Letter(name_of(letter), said(letter)))])


def _dead(letter: DeadLetter) -> Batch:
    """A letter of our own: it blocks at once, and is published like a decision."""
    change = named(letter.record.key)
    return Batch(opened=[(change, Letter(name_of(letter), said(letter)))] if change else [], records=[bury(letter)])

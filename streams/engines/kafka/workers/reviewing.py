"""The rules as a worker: a proposal with its contents in, the review of exactly this content out (law 26)."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reviewers import statute
from rules.change import SUBMODULE, FileChange
from rules.events import ChangeProposed, ReviewGiven
from rules.rule import Blobs
from streams.engines.kafka.records.contents import unpacked
from streams.engines.kafka.records.dead_letters import HANDLER, DeadLetter, Origin, bury, said
from streams.engines.kafka.records.topics import group
from streams.engines.kafka.records.wire import Record, Unreadable, encode, opened, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from streams.engines.kafka.records.wire import Envelope

ATTEMPTS: Final = 3
PAUSE: Final = 0.2  # seconds before the second attempt
ABSENT_CONTENT: Final = "its content did not come along"
log = logging.getLogger("twohand")


class Reviewing:
    """streams.engines.kafka.workers.worker.Work that runs the catalogue. It keeps nothing."""

    role = "reviewer"
    topics = ("twohand.changes",)

    def __init__(self, now: Callable[[], str]) -> None:
        self.group, self.retries = group(self.role, "rules"), 0
        self._now = now

    def open(self) -> None:
        """Nothing has to be opened."""

    def take(self, origins: Sequence[Origin], beat: Callable[[], None]) -> list[Record]:
        """The review of each proposal, and a letter for each record that cannot be handled. Never raises."""
        return [record for origin in origins for record in self._one(origin, beat)]

    def sent(self) -> None:
        """Nothing is kept, so nothing has to be marked."""

    def close(self) -> None:
        """Nothing has to be closed."""

    def _one(self, origin: Origin, beat: Callable[[], None]) -> Iterator[Record]:
        failure: Exception | None = None
        for attempt in range(1, ATTEMPTS + 1):
            beat()
            try:
                yield from _answer(origin.record)
            except Unreadable as error:
                letter = self._letter(origin, error.fault, str(error), attempt)
                log.warning("%s", said(letter))
                yield bury(letter)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the record must not be lost
                failure = error
                self.retries += attempt < ATTEMPTS
                time.sleep(PAUSE * attempt)
            else:
                return
        letter = self._letter(origin, HANDLER, f"{type(failure).__name__}: {failure}", ATTEMPTS)
        log.warning("%s", said(letter._replace(why="the letter says more")), exc_info=failure)
        yield bury(letter)

    def _letter(self, origin: Origin, fault: str, why: str, attempt: int) -> DeadLetter:
        return DeadLetter(*origin, fault, why, self.group, self._now(), attempt)


def review(proposed: ChangeProposed, contents: Mapping[str, bytes]) -> ReviewGiven:
    """What the rules see in the contents that came along; a file without its content is not covered (law 3)."""
    blobs = [] if proposed.too_large else list(blobs_of(proposed.files, contents))
    return statute.review(proposed.change, proposed.content_key, blobs, ())


def blobs_of(files: Iterable[FileChange], contents: Mapping[str, bytes]) -> Iterator[Blobs]:
    """Each file with both sides, in order."""
    for file in files:
        if SUBMODULE in (file.old_mode, file.new_mode):
            yield Blobs(file, None, None, "submodule")
            continue
        old = contents.get(file.old_blob) if file.exists_before else None
        new = contents.get(file.new_blob) if file.exists_after else None
        absent = (old is None and file.exists_before) or (new is None and file.exists_after)
        yield Blobs(file, None, None, ABSENT_CONTENT) if absent else Blobs(file, old, new)


def _answer(record: Record) -> list[Record]:
    envelope = sealed(record)
    return [_reviewed(envelope)] if envelope.kind is ChangeProposed else []


def _reviewed(envelope: Envelope) -> Record:
    proposed = opened(envelope)
    assert isinstance(proposed, ChangeProposed)
    given = review(proposed, unpacked(envelope))
    given = replace(given, at=proposed.at)
    return encode(given, envelope.source, trace=envelope.trace)

"""A model reviewer as a worker: proposals in, its signed reviews out, as the embedded engine would give them (law 17-28, 40).

It handles several records at once in a thread with an event loop of its own, so that a model's minutes hold up no heartbeat.
What it tells is in its notebook before it is published: a record that comes again costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rules.events import ChangeProposed, ReviewerRestored, ReviewerSuspended
from streams.engines.journal import JournalUnusable
from streams.engines.kafka.records.contents import unpacked
from streams.engines.kafka.records.dead_letters import HANDLER, DeadLetter, Origin, bury, said
from streams.engines.kafka.records.topics import group
from streams.engines.kafka.records.wire import Record, Unreadable, encode, opened, sealed
from streams.engines.kafka.workers import courtroom, notebook
from streams.engines.kafka.workers.courtroom import Court
from streams.engines.kafka.workers.notebook import Notebook
from streams.judges import identity, roster
from streams.judges.lines import Lines
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.signatures import CannotSign, NoVerifier

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from concurrent.futures import Future

    from rules.events import Event
    from streams.engines.kafka.records.wire import Envelope
    from streams.settings import Settings
    from streams.settings_reviewers import Reviewer

ATTEMPTS: Final = 3
PAUSE: Final = 0.2  # seconds before the second attempt
STARTING: Final = 30.0  # seconds
SPARE: Final = 60.0  # seconds that reading, comparing and signing may take beside the models
ENDING: Final = 4.0  # seconds that calls under way have to be given up
GONE: Final = (JournalUnusable, NoVerifier)  # not the record's fault: the worker ends, nothing is committed
log = logging.getLogger("twohand")


class NotSeated(SourceError):
    """A reviewer that could not sign, or could not be asked."""


class NoFolder(SourceError):
    """There is no place for the notebook."""


class Judging:
    """What `streams.engines.kafka.workers.window` runs: `handle` for each record, at most `at_once` at the same time."""

    role = "reviewer"
    topics = ("twohand.changes", "twohand.trust")

    def __init__(self, name: str, settings: Settings, folder: Path, now: Callable[[], str]) -> None:
        """`name` is a leader of `roster.leaders`; `folder` is where `identity` finds keys, and has the notebook."""
        reviewer = settings.reviewers[name]
        line = [settings.reviewers[one] for one in (name, *reviewer.fallback)]
        self.group, self.at_once = group(self.role, name), reviewer.parallel
        self.seconds = sum(one.timeout for one in line) + SPARE  # that one record may take
        self._name, self._settings, self._folder, self._now = name, settings, folder, now
        self._aside: Aside | None = None
        self._court: Court | None = None

    def open(self) -> None:
        """Begin, before anything is consumed. JournalUnusable."""
        logging.getLogger(courtroom.LOGGER).setLevel(logging.INFO)
        self._aside = Aside()
        self._apart(self._opened()).result(STARTING)

    def look(self) -> None:
        """Whether everything is there that judging needs. NotSeated."""
        for name in (self._name, *self._settings.reviewers[self._name].fallback):
            if fault := self._fault(name):
                if name == self._name:
                    raise fault
                log.warning("%s, the fallback of %s, will not be asked: %s", name, self._name, fault.message)

    def _fault(self, name: str) -> NotSeated | None:
        """Why a reviewer cannot judge here; None where it can."""
        reviewer = self._settings.reviewers[name]
        if why := roster.called(reviewer).fault:
            said = f"${reviewer.key_env}" if reviewer.key_env else reviewer.key_file
            return NotSeated(f"{name} cannot be asked: {why}.", f"Put the endpoint's key of {name} into {said}.")
        file = identity.key_file(reviewer, self._folder)
        if not file.is_file():
            remedy = f"`twohand reviewers enrol {name}` makes one for the policy; name its file as signing_key of [reviewers.{name}]."
            return NotSeated(f"{name} has no key to sign with: {file} is not there.", remedy)
        try:
            identity.seal(reviewer, self._folder, b"twohand tries a key\n")
        except CannotSign as error:
            return NotSeated(f"{name} has no key to sign with: {error.message}", error.remedy)
        return None

    async def _opened(self) -> None:
        book = Notebook(self._folder)
        self._court = Court(self._name, self._settings.reviewers, self._folder, book, Lines(), self._now)

    async def handle(self, origin: Origin) -> list[Record]:
        """What has to be published for a record. Cancelled, the calls are given up, and what they took is in the ledger."""
        return await asyncio.wrap_future(self._apart(self._handled(origin)))

    def close(self) -> None:
        """Give up what is under way."""
        if self._aside:
            with suppress(TimeoutError):
                self._apart(self._closed()).result(ENDING + 1)
                self._aside.end()

    async def _closed(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=ENDING)
        if self._court:
            await self._court.lines.close()
            self._court.notebook.close()

    def _apart(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        assert self._aside
        return asyncio.run_coroutine_threadsafe(work, self._aside.loop)

    # -- in the thread of its own ---------------------------------------------------------------------------------

    async def _handled(self, origin: Origin) -> list[Record]:
        failure: Exception | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._answered(origin)
            except Unreadable as error:
                return [self._letter(origin, error.fault, str(error), attempt)]
            except GONE:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the record must not be lost
                failure = error
                await asyncio.sleep(PAUSE * attempt)
        return [self._letter(origin, HANDLER, f"{type(failure).__name__}: {failure}", ATTEMPTS)]

    async def _answered(self, origin: Origin) -> list[Record]:
        assert self._court
        envelope, book = sealed(origin.record), self._court.notebook
        if envelope.kind in (ReviewerSuspended, ReviewerRestored):
            book.heard([opened(envelope)])
        if envelope.kind is not ChangeProposed:
            return []
        record = notebook.place(envelope.id, origin.partition, origin.offset)
        events: Sequence[Event] | None = book.told(record, self._name)
        if events is None:
            events = await self._heard(envelope, self._court)
            book.keep(record, self._name, events, self._now())
        return [encode(event, envelope.source, trace=envelope.trace) for event in events]

    async def _heard(self, envelope: Envelope, court: Court) -> list[Event]:
        proposed = opened(envelope)
        assert isinstance(proposed, ChangeProposed)
        return await courtroom.heard(proposed, await asyncio.to_thread(unpacked, envelope), court)

    def _letter(self, origin: Origin, fault: str, why: str, attempt: int) -> Record:
        letter = DeadLetter(*origin, fault, why, self.group, self._now(), attempt)
        log.warning("%s", said(letter))
        return bury(letter)


def enrolled(reviewer: Reviewer, where: Path, settings: Settings) -> None:
    """Whether the default branch here has this reviewer's key in its policy. NotSeated."""
    from streams.desk import Desk  # noqa: PLC0415 - only where there is a repository

    with Desk.at(where, explicit=Path(settings.source) if settings.source else None) as desk:
        tip = desk.repo.first_ref(desk.default_branch or "")
        policies = desk.standing(tip.name, tip.id).policies if tip else ()
        line = identity.public_line(reviewer, desk.repo.common_dir)
    agents = (policy.agents.get(reviewer.name) for policy in policies)
    if not any(key.line == line for agent in agents if agent for key in agent.keys):
        raise NotSeated(
            f"No policy of the default branch has [agents.{reviewer.name}] with its key.",
            f"`twohand reviewers enrol {reviewer.name}` prints the table. For other repositories, name --state DIR.",
        )


class Aside:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="twohand-judging")
        self._thread.start()

    def end(self) -> None:
        """Once nothing is under way in it."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


def folder(where: Path, state: Path | None) -> Path:
    """Where the notebook is, and keys are that no setting names: --state, else the git directory at -C."""
    if state is not None:
        return state.absolute()
    try:
        return Repository.open(where).common_dir
    except SourceError:
        raise NoFolder(
            f"A model's worker needs a place for what it spent and answered, and {where.absolute()} is no repository.",
            "Name a directory that stays: --state DIR.",
        ) from None

"""What the topics tell of this repository comes back: decisions, signed statements, what models saw, escalations, trust.

A statement comes in by the same door as one that is pushed (streams.hooks.letterbox): verified, of an enrolled key, for this
repository; then it is a ref and stands in the journal. What nobody signed is believed where the gate would have asked that
reviewer itself: a model that the settings or a policy name. Nothing that came from here is carried out again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from rules.decision import RULES
from rules.events import (
    DeadlinePassed,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    Event,
    ReviewerRestored,
    ReviewerSuspended,
    ReviewGiven,
    WaiverGranted,
    event_id,
)
from rules.sshsig import parse as parse_signature
from streams.engines.kafka.broker.greeting import BrokerUnusable
from streams.engines.kafka.carrier.carrying import OUT
from streams.engines.kafka.carrier.relay_file import Told
from streams.engines.kafka.records.dead_letters import named
from streams.engines.kafka.records.wire import Record, Unreadable, decode
from streams.hearing import enrolled
from streams.hooks import letterbox
from streams.sources import statements
from streams.sources.errors import RefMoved
from streams.sources.landing import Move

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kafka import KafkaConsumer, TopicPartition

    from streams.desk import Desk, Standing
    from streams.engines.kafka.carrier.relay_file import Beside

TOPICS: Final = ("twohand.reviews", "twohand.escalations", "twohand.trust", "twohand.decisions")
STEP_MS: Final = 200  # that a record is waited for
ANSWER_MS: Final = 5000  # until the broker has to say where its topics end
FAR: Final = 2000  # records behind at which nothing that is known is current any more
MOST_TOLD: Final = 500  # decisions that are held in memory
Spoken = ReviewGiven | WaiverGranted
BELIEVED: Final = (
    EscalationOpened, EscalationAcknowledged, EscalationResolved, DeadlinePassed, ReviewerSuspended, ReviewerRestored,
)  # fmt: skip


class Bringing:
    """One repository. `tell` is told what is not taken. Use one consumer for all rounds."""

    def __init__(self, desk: Desk, file: Beside, tell: Callable[[str], None]) -> None:
        self._desk, self._file, self._tell = desk, file, tell
        self._told: dict[str, Told] = {}
        self._judged: set[tuple[str, str, str]] = set()

    def round(self, consumer: KafkaConsumer) -> int:
        """Read up to where the topics end now; how many decisions came. Errors: those of kafka-python, JournalUnusable."""
        places = self._assigned(consumer)
        ends = consumer.end_offsets(places, timeout_ms=ANSWER_MS)
        self._made_anew(consumer, ends)
        if sum(ends[place] - consumer.position(place) for place in places) > FAR:
            self._file.reached("")
        count = 0
        while any(consumer.position(place) < end for place, end in ends.items()):
            count += self._heard([one for rows in consumer.poll(STEP_MS).values() for one in rows])
            if len(self._told) > MOST_TOLD:
                self._file.reached("")
                self._keep(consumer, places)
        if any(self._file.cursor(_name(place)) != consumer.position(place) for place in places):
            self._keep(consumer, places)
        return count

    def _assigned(self, consumer: KafkaConsumer) -> list[TopicPartition]:
        """All partitions, from where the last round ended. BrokerUnusable where a topic is missing."""
        if consumer.assignment():
            return sorted(consumer.assignment())
        from kafka import TopicPartition  # noqa: PLC0415 - an optional package, and slow

        places = [
            TopicPartition(topic, number) for topic in TOPICS for number in consumer.partitions_for_topic(topic) or ()
        ]
        if missing := [topic for topic in TOPICS if not any(place.topic == topic for place in places)]:
            raise BrokerUnusable(f"{missing[0]} is not there, or may not be read.", "Run: twohand topics create")
        consumer.assign(places)
        first = consumer.beginning_offsets(places, timeout_ms=ANSWER_MS)
        for place in places:
            consumer.seek(place, max(self._file.cursor(_name(place)) or 0, first[place]))
        return sorted(places)

    def _made_anew(self, consumer: KafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        """Partitions that end before where we were are others than they were: they are read from the start."""
        if odd := [place for place, end in ends.items() if consumer.position(place) > end]:
            self._tell(f"{odd[0].topic} was made anew; it is read from its start")
            self._file.anew(map(_name, odd))
            consumer.seek_to_beginning(*odd)

    def _keep(self, consumer: KafkaConsumer, places: Iterable[TopicPartition]) -> None:
        self._file.hear(self._judged, self._told.values(), {_name(one): consumer.position(one) for one in places})
        self._told, self._judged = {}, set()

    # -- what came ------------------------------------------------------------------------------------------------

    def _heard(self, rows: Sequence[Any]) -> int:
        """Take what a poll brought; how many decisions of ours."""
        found = [(row.offset, event) for row in rows if (event := _read(row)) is not None]
        events = [event for _, event in found]
        standing = self._standing()
        if signed := [one for one in events if isinstance(one, Spoken) and one.statement]:
            self._statements(signed, standing)
        self._unsigned(events, standing)
        self._judged |= {row for event in events if (row := self._voice(event, standing))}
        made = [Told(place, event) for place, event in found if isinstance(event, DecisionMade)]
        ours = {told.event.change: told for told in made if self._is_ours(told.event, standing)}
        self._told |= ours
        return len(ours)

    def _standing(self) -> Standing:
        default = self._desk.default_branch or ""
        tip = self._desk.repo.first_ref(default) if default else None
        return self._desk.standing(default or "HEAD", tip.id if tip else self._desk.repo.empty_tree)

    def _known(self, change: str) -> bool:
        return bool(self._desk.journal.ask("select 1 from log where key = ? limit 1", (change,)))

    def _is_ours(self, event: DecisionMade, standing: Standing) -> bool:
        """Of this repository, or of a change that was seen here."""
        with suppress(ValueError, KeyError, TypeError):
            if json.loads(event.decision)["change"]["repository"] == standing.repository:
                return True
        return self._known(event.change)

    def _voice(self, event: Event, standing: Standing) -> tuple[str, str, str] | None:
        """Who has judged a change of ours, for telling people: the rules, and whom settings or policies name."""
        if not isinstance(event, ReviewGiven) or not named(event.content_key.encode("ascii", "replace")):
            return None
        is_named = event.reviewer == RULES or event.reviewer in self._names(standing)
        return (event.change, event.content_key, event.reviewer) if is_named and self._known(event.change) else None

    def _names(self, standing: Standing) -> set[str]:
        """Agents and people of the policies, and the reviewers of the settings."""
        return {*self._desk.settings.reviewers}.union(*({*one.agents, *one.people} for one in standing.policies))

    def _unsigned(self, events: Iterable[Event], standing: Standing) -> None:
        """Record what others say of changes of ours, where the embedded engine would believe it."""
        names = {name for policy in standing.policies for name in policy.agents} | {*self._desk.settings.reviewers}
        found = [event for event in events if _believed(event, names) and self._known(event.change)]
        self._came(found)
        self._desk.journal.append(found)

    def _came(self, events: Iterable[Event]) -> None:
        """What is on the topics needs not go out; what went out from here before is no news."""
        asked, done = "select 1 from log where event_id = ? and offset <= ?", self._file.cursor(OUT) or 0
        names = [event_id(event) for event in events]
        self._file.come(name for name in names if not self._desk.journal.ask(asked, (name, done)))

    # -- statements -----------------------------------------------------------------------------------------------

    def _statements(self, events: Sequence[Spoken], standing: Standing) -> None:
        """What is signed for this repository by an enrolled key becomes a ref, and stands in the journal.

        What stands there came by a push, and its ref is git's to write, which may be about to do so.
        """
        asked = "select 1 from log where event_id = ?"
        letters = list(self._letters(events, standing))
        self._came(event for _, event in letters)
        fresh = {ref: event for ref, event in letters if not self._desk.journal.ask(asked, (event_id(event),))}
        repo, at = self._desk.repo, self._desk.now()
        moves = [Move(ref, repo.null_id, repo.write_blob(_blob(event))) for ref, event in fresh.items()]
        arrived = letterbox.opened(repo, moves, standing, self._desk.journal, at)
        for refused in arrived.refused:
            self._tell(f"{refused.name} is not taken: {refused.why}")
        for row in arrived.rows:
            with suppress(RefMoved):  # it is there already
                repo.update_ref(row.ref, row.blob, repo.null_id)
        letterbox.recorded(arrived.rows, arrived.signers, self._desk.journal, at)

    def _letters(self, events: Iterable[Spoken], standing: Standing) -> Iterator[tuple[str, Spoken]]:
        """Each with the name of its ref."""
        keys = enrolled(standing.policies)
        for event in events:
            statement = statements.read(event.statement)
            signature = parse_signature(event.signature.encode("ascii", "replace"))
            if statement and statement.repository == standing.repository and signature and signature.key in keys:
                yield statements.ref_of(statement), event


def _blob(event: Spoken) -> bytes:
    return event.statement.encode("utf-8", "surrogatepass") + event.signature.encode("ascii", "replace")


def _read(row: Any) -> Event | None:
    try:
        return decode(Record(row.topic, row.key, row.value, tuple(row.headers)))
    except Unreadable:
        return None


def _believed(event: Event, names: set[str]) -> bool:
    """A model's look holds or notes, and never blocks or approves; the rules look here again."""
    if isinstance(event, ReviewGiven):
        return event.judged is not None and not event.statement and not event.account and event.reviewer in names
    return isinstance(event, BELIEVED)


def _name(place: TopicPartition) -> str:
    return f"{place.topic}:{place.partition}"

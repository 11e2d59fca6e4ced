"""What has to hold after every fault: one decision for each acknowledged change, nothing lost, and no decision that the embedded engine would not make.

It believes neither the workers nor their database: what was sent is judged again by the engine without Kafka - a journal of its
own, the rules and the law in this process - and every decision that the store recorded is made again from the events before it.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psycopg

from rules.case import fold
from rules.events import ChangeProposed, DeadlinePassed, DecisionMade, Event, ReviewGiven
from rules.judgement import judge
from streams import memory
from streams.engines.codec import encode as encode_line
from streams.engines.journal import Journal
from streams.engines.kafka.cases.decider import essence
from streams.engines.kafka.cases.rows import revived
from streams.engines.kafka.records.dead_letters import exhume, settlement
from streams.engines.kafka.records.wire import Record, Unreadable, decode
from streams.replay import replay
from tests.kafka.fault_changes import SOURCE, Change
from tests.kafka.fault_ground import Ground

INPUT = ("twohand.changes", "twohand.reviews", "twohand.escalations", "twohand.trust")  # what the decider hears
RULES = "twohand-reviewer-rules"
BY_RULES = "select body::json ->> 'content_key' from event where body::json ->> 'reviewer' = 'rules'"
PASSED = "select change, type, count(*) from event where type like '%deadline-passed%' group by change, type having count(*) > 1"


class Verdict(NamedTuple):
    """What became of some changes."""

    changes: int
    decisions: int  # different ones
    lost: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.lost and not self.wrong


class Court:
    """Judges what lies on the topics and in the store of a ground."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._signers: dict[memory.Signed, Any] = {}  # what ssh-keygen found; it is asked once

    def settled(self, changes: Sequence[Change]) -> bool:
        """Whether everything that has to come has come, right or wrong."""
        return self.decided(changes) and not self.unheard() and not self._unsent()

    def decided(self, changes: Sequence[Change]) -> bool:
        """Whether each has become what it has to."""
        return not self._undecided(changes)

    def made(self, changes: Iterable[Change]) -> list[DecisionMade]:
        """The decisions about these changes, repeats among them."""
        return [one for made in self._decisions(changes).values() for one in made]

    def verdict(self, changes: Sequence[Change]) -> Verdict:
        """Read everything, and judge these changes by it."""
        decisions = self._decisions(changes)
        lost = [*self._unpublished(), *self.unheard(), *self._unsent(), *self._undecided(changes)]
        wrong = [
            *self._twice(changes, decisions),
            *self._otherwise(changes, decisions),
            *self._unlike_the_store(changes),
        ]
        different = {(one.change, essence(one)) for made in decisions.values() for one in made}
        return Verdict(len(changes), len(different), tuple(lost), tuple(wrong))

    # -- lost -----------------------------------------------------------------------------------------------------

    def _unpublished(self) -> list[str]:
        """What the broker acknowledged and does not have."""
        there = {_content(row) for topic in INPUT for row in self._ground.read(topic)}
        return [
            f"acknowledged, not on {one.topic}: {one.key!r}"
            for one in self._ground.acknowledged
            if _content(one) not in there
        ]

    def unheard(self) -> list[str]:
        """What is on a topic and neither in the store nor in a letter; and proposals that the rules have said nothing of."""
        store, letters = {row[0] for row in self._asked("select id from event")}, self._letters()
        spoken = {row[0] for row in self._asked(BY_RULES)}
        lost = []
        for topic in INPUT:
            for row in self._ground.read(topic):
                place = (row.topic, row.partition, row.offset)
                if _id(row) not in store and ("twohand-decider", *place) not in letters:
                    lost.append(f"not in the store: {place}")
                elif topic == INPUT[0] and (RULES, *place) not in letters and _proposes(row, spoken):
                    lost.append(f"the rules say nothing of {place}")
        return lost

    def _unsent(self) -> list[str]:
        """What still waits in an outbox."""
        waiting = "select topic from outbox union all select 'twohand.escalations' from escalator.said where not sent"
        return [f"not published: {row[0]}" for row in self._asked(waiting)]

    def _undecided(self, changes: Iterable[Change]) -> list[str]:
        made = self._decisions(changes)
        return [
            f"{one.outcome} is missing for {one.id[:12]}"
            for one in changes
            if one.outcome not in {d.outcome for d in made[one.id]}
        ]

    # -- wrong ----------------------------------------------------------------------------------------------------

    def _twice(self, changes: Iterable[Change], made: dict[str, list[DecisionMade]]) -> list[str]:
        """Decisions that differ in more than their instant, where there may be one."""
        several = {one.id: {essence(d) for d in made[one.id]} for one in changes if one.once}
        found = [f"{len(found)} decisions about {name[:12]}" for name, found in several.items() if len(found) > 1]
        return found + [f"{count} times {kind} of {name[:12]}" for name, kind, count in self._asked(PASSED)]

    def _otherwise(self, changes: Sequence[Change], made: dict[str, list[DecisionMade]]) -> list[str]:
        """Last decisions that the embedded engine does not make of what was sent, byte for byte."""
        with TemporaryDirectory(prefix="twohand-court-") as folder, Journal(Path(folder) / "journal.db") as journal:
            journal.append(event for one in changes for event in (*one.said, one.proposed, one.reviewed))
            journal.append(event for event in self._passed() if event.change in made)
            wrong = []
            for one in changes:
                last = made[one.id][-1] if made[one.id] else None
                if last and last.outcome != one.outcome:
                    wrong.append(f"{one.id[:12]} is {last.outcome}, not {one.outcome}")
                elif one.outcome != "admitted" and "admitted" in {each.outcome for each in made[one.id]}:
                    wrong.append(f"{one.id[:12]} was admitted")
                elif last and not one.spoilt and self._embedded(journal, last) != last:
                    wrong.append(f"{one.id[:12]}: the embedded engine decides otherwise")
        return wrong

    def _embedded(self, journal: Journal, made: DecisionMade) -> DecisionMade:
        """What the engine without Kafka decides at that instant about what its journal holds of the change."""
        events = [self._verified(event) for event in journal.events(made.change)]
        return memory.decided(judge(fold(events), made.at))

    def _verified(self, event: Event) -> Event:
        if isinstance(event, ReviewGiven) and event.statement and memory.signed(event) not in self._signers:
            self._signers[memory.signed(event)] = memory.verified_signer(event)
        return memory.verified(event, self._signers)

    def _unlike_the_store(self, changes: Iterable[Change]) -> list[str]:
        """Decisions that do not follow from the events before them, and those that are only here or only there."""
        names = [one.id for one in changes]
        asked = "select id, change, type, at, body, signer, presence from event where change = any(%s) order by change, number"
        events = [revived(row) for row in self._asked(asked, names)]
        lines = b"\n".join(encode_line(event, SOURCE) for event in sorted(events, key=_later))
        told = replay(io.BytesIO(lines), verify=self._verified)
        wrong = [
            f"{course.change[:12]}: {row.difference}"
            for course in told.courses.values()
            for row in course.recorded
            if row.difference
        ]
        here = {one for made in self._decisions(changes).values() for one in made}
        there = {event for event in events if isinstance(event, DecisionMade)}
        return [*wrong, *(f"only on one side: a decision about {one.change[:12]}" for one in here ^ there)]

    # -- what there is --------------------------------------------------------------------------------------------

    def _decisions(self, changes: Iterable[Change]) -> dict[str, list[DecisionMade]]:
        """By change, in the order of the topic; repeats are there."""
        made: dict[str, list[DecisionMade]] = {one.id: [] for one in changes}
        for row in self._ground.read("twohand.decisions"):
            if row.key.decode() in made:
                event = decode(Record(row.topic, row.key, row.value, tuple(row.headers)))
                made[row.key.decode()].append(event)
        return made

    def _passed(self) -> list[Event]:
        """The deadlines that passed; pages and their answers decide nothing."""
        rows = self._ground.read("twohand.escalations")
        events = [decode(Record(row.topic, row.key, row.value, tuple(row.headers))) for row in rows]
        return [event for event in events if isinstance(event, DeadlinePassed)]

    def _letters(self) -> set[tuple[str, str, int, int]]:
        """Who gave up which record."""
        rows = (
            Record(row.topic, row.key, row.value, tuple(row.headers))
            for row in self._ground.read("twohand.dead-letters")
        )
        letters = [exhume(row) for row in rows if settlement(row) is None]
        return {(one.by, one.record.topic, one.partition, one.offset) for one in letters}

    def _asked(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._ground.store, autocommit=True) as database:
            return database.execute(query, values or None).fetchall()


def _later(event: Event) -> bool:
    """A proposal that was said again has moved behind what followed from it."""
    return not isinstance(event, ChangeProposed)


def _content(row: Any) -> tuple[Any, ...]:
    return row.topic, row.key, row.value


def _id(row: Any) -> str:
    return (dict(row.headers).get("ce_id") or b"").decode("ascii", "replace")


def _proposes(row: Any, spoken: set[str]) -> bool:
    """Whether it is a proposal of whose content nobody in `spoken` speaks, or nothing that can be read."""
    try:
        event = decode(Record(row.topic, row.key, row.value, tuple(row.headers)))
    except Unreadable:
        return True
    return isinstance(event, ChangeProposed) and event.content_key not in spoken

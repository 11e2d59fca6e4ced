"""What a journal records goes out to the topics, in its order, each acknowledged before the next."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from rules.events import (
    ChangeMerged,
    ChangeProposed,
    ChangeWithdrawn,
    DecisionMade,
    EscalationAcknowledged,
    Event,
    ReviewGiven,
    WaiverGranted,
    type_name,
)
from rules.judgement import read_laws
from streams.engines.codec import TYPES, Undecodable, revive
from streams.engines.kafka.cases.decider import beside
from streams.engines.kafka.cases.store import UNNAMED
from streams.engines.kafka.doors.submitting import acknowledged, spoken_of
from streams.engines.kafka.records.attached import attached, messages_of
from streams.engines.kafka.records.contents import bounded, wanted
from streams.engines.kafka.records.trace import begun
from streams.engines.kafka.records.wire import TooLarge, encode
from streams.sources.git import FILE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kafka import KafkaProducer

    from streams.desk import Desk
    from streams.engines.kafka.carrier.relay_file import Beside
    from streams.engines.kafka.records.trace import Trace

OUT: Final = "out"  # the cursor over the journal
AT_ONCE: Final = 200  # rows of the journal that are looked at together
LOOKED_BACK: Final = 50  # proposals of a change among which the one that came back is looked for
SPOKEN: Final = tuple(map(type_name, (ReviewGiven, WaiverGranted)))
CARRIED: Final = (*SPOKEN, *map(type_name, (ChangeProposed, ChangeMerged, ChangeWithdrawn, EscalationAcknowledged)))
DECIDED: Final = type_name(DecisionMade)
ABOUT: Final = ("repository", "target", "content_key", "base", "head")  # what a decision and a proposal name alike
COLUMNS: Final = "offset, event_id, type, at, body"


class Row(NamedTuple):
    """One row of the journal."""

    place: int
    id: str
    kind: str
    at: str
    body: str

    def event(self) -> Event:
        """Errors: Undecodable."""
        try:
            return revive(TYPES[self.kind], json.loads(self.body), self.at)
        except (ValueError, KeyError) as error:
            raise Undecodable(f"row {self.place} of the journal is no event: {error}") from None


class Carrying:
    """One journal. `tell` is told what can never be carried; it costs that record, and holds up no other.

    `traces` are those of changes that have one; another proposal begins one.
    """

    def __init__(
        self, desk: Desk, file: Beside, tell: Callable[[str], None], traces: Mapping[str, Trace] | None = None
    ) -> None:
        self._traces = traces or {}
        self._journal, self._repo, self._file, self._tell = desk.journal, desk.repo, file, tell

    def round(self, producer: KafkaProducer, stopped: Callable[[], bool]) -> int:
        """Carry what there is; how many records. Errors: those of kafka-python, JournalUnusable, RelayUnusable."""
        count = 0
        self._same_journal()
        while not stopped() and (rows := self._rows("offset > ? order by offset limit ?", self._done(), AT_ONCE)):
            for row in rows:
                count += self._carried(producer, row)
                self._file.passed(OUT, row.place, row.id)
                if stopped():
                    return count
        return count

    def _done(self) -> int:
        return self._file.cursor(OUT) or 0

    def _same_journal(self) -> None:
        """A journal without the row that was carried last is another one: all of it goes out."""
        done, last = self._done(), self._file.last(OUT)
        found = [name for (name,) in self._journal.ask("select event_id from log where offset = ?", (done,))]
        if done and (not found or found[0] != (last or found[0])):
            self._tell("the journal is another than it was: it is carried from its start")
            self._file.rewind(OUT)

    def _rows(self, where: str, *values: object) -> list[Row]:
        return [Row(*row) for row in self._journal.ask(f"select {COLUMNS} from log where {where}", values)]  # noqa: S608

    def _carried(self, producer: KafkaProducer, row: Row) -> int:
        """Publish one row, unless it went before or came from there."""
        if row.kind == DECIDED:
            return self._again(producer, row)
        if row.kind not in CARRIED or self._file.went(row.place) or self._file.came(row.id):
            return 0
        event = self._revived(row)
        if isinstance(event, ChangeProposed):
            return self._proposal(producer, row, event)
        return self._sent(producer, row, event)

    def _again(self, producer: KafkaProducer, row: Row) -> int:
        """A push of what was proposed before is no new row: its decision tells that it came back, and it goes out again."""
        found = self._decided_on(row)
        if found is None or (found[0].id == self._file.proposed(found[1].change) and not self._is_other(found[1])):
            return 0
        return self._proposal(producer, *found)

    def _is_other(self, event: ChangeProposed) -> bool:
        """Whether the decider's newest word is about something else: another door, or anybody, has proposed that since."""
        standing = self._file.standing(event.change)
        about = json.loads(standing.decision)["change"] if standing else {}
        return any(about[name] != getattr(event, name) for name in ABOUT if about)

    def _decided_on(self, row: Row) -> tuple[Row, ChangeProposed] | None:
        """The newest proposal that a decision of ours can have been made on."""
        made = self._revived(row)
        decision = json.loads(made.decision) if isinstance(made, DecisionMade) else {}
        where = "key = ? and type = ? and offset < ? order by offset desc limit ?"
        asked = (row.place, LOOKED_BACK)
        rows = self._rows(where, made.change, type_name(ChangeProposed), *asked) if made and decision else []
        for one in rows:
            event = self._revived(one)
            if isinstance(event, ChangeProposed) and _fits(decision, event):
                return one, event
        return None

    def _proposal(self, producer: KafkaProducer, row: Row, event: ChangeProposed) -> int:
        """A proposal goes out after all that was said about it here."""
        spoken = list(self._spoken(event))
        count = sum(self._early(producer, one, said) for one, said in spoken)
        told = [said for one, said in spoken if not self._file.left_out_at(one.place)]
        proposed = replace(event, read_from=(*event.read_from, beside(told)))
        along = attached(told, messages_of(self._repo, proposed))
        proposed, packed = bounded(proposed, self._contents(proposed) | along)
        trace = self._traces.get(event.change) or begun()
        acknowledged(producer, [encode(proposed, _source(event.repository), packed=packed, trace=trace)])
        self._file.propose(event.change, row.id)
        return count + 1

    def _spoken(self, proposed: ChangeProposed) -> Iterator[tuple[Row, Event]]:
        """Statements about the change, and what was seen in exactly this content."""
        for row in self._rows("key = ? order by offset", proposed.change):
            event = self._revived(row) if row.kind in SPOKEN else None
            if event and _concerns(event, proposed):
                yield row, spoken_of(event)

    def _early(self, producer: KafkaProducer, row: Row, event: Event) -> int:
        """Before its turn, where it did not go yet."""
        if row.place <= self._done() or self._file.went(row.place) or self._file.came(row.id):
            return 0
        count = self._sent(producer, row, event)
        self._file.early(row.place)
        return count

    def _sent(self, producer: KafkaProducer, row: Row, event: Event | None) -> int:
        """One record, acknowledged; one that is too large for a record or for the broker is left out, aloud."""
        from kafka.errors import MessageSizeTooLargeError  # noqa: PLC0415 - an optional package, and slow

        if event is None:
            return 0
        trace = self._traces.get(event.change, ())
        try:
            acknowledged(producer, [encode(spoken_of(event), self._source_of(event), trace=trace)])
        except (TooLarge, MessageSizeTooLargeError) as error:
            self._left_out(row, event.change, f"it is too large: {error}")
            return 0
        return 1

    def _left_out(self, row: Row, change: str, why: str) -> None:
        if self._file.leave_out(row.place, change, why):
            self._tell(f"row {row.place} of the journal ({row.kind}, change {change[:12]}) is never carried: {why}")

    def _revived(self, row: Row) -> Event | None:
        """None where it is no event: that is told, and holds up nobody."""
        try:
            return row.event()
        except Undecodable as error:
            self._left_out(row, "", str(error))
            return None

    def _contents(self, proposed: ChangeProposed) -> dict[str, bytes]:
        """What the journal kept of a refused push, and what the repository has."""
        names = wanted(proposed)
        kept = {name: data for name in names if (data := self._journal.blob(name)) is not None}
        rest = [name for name in names if name not in kept]
        with self._repo.cat_file() as objects:
            read = {item.id: item.data for item in objects.read(rest, FILE_LIMIT)}
        return kept | {name: data for name, data in read.items() if data is not None}

    def _source_of(self, event: Event) -> str:
        asked = "select body ->> '$.repository' from log where key = ? and type = ? order by offset desc limit 1"
        rows = self._journal.ask(asked, (event.change, type_name(ChangeProposed)))
        return _source(rows[0][0] if rows else "")


def _source(repository: str) -> str:
    return quote(repository, safe="/:@") or UNNAMED


def _fits(decision: dict[str, Any], event: ChangeProposed) -> bool:
    about = decision["change"]
    digests = [law.policy.digest if law.policy else None for law in read_laws(event.laws)]
    return (about["base"], about["head"], decision["read_from"]) == (
        event.base, event.head, list(event.read_from)
    ) and [row["digest"] for row in decision["policy"]][: len(digests)] == digests  # fmt: skip


def _concerns(event: Event, proposed: ChangeProposed) -> bool:
    if isinstance(event, WaiverGranted):
        return True
    return isinstance(event, ReviewGiven) and (bool(event.statement) or event.content_key == proposed.content_key)

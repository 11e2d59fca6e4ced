"""Waiting for the decision about exactly the content that somebody has in hand (law 7)."""

from __future__ import annotations

import json
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from rules.case import fold
from rules.decision import ADMITTED, PENDING, RULES
from rules.events import DecisionMade, ReviewGiven, WaiverGranted
from rules.findings import Tier
from rules.statement import StatementInvalid, parse, statement_id
from streams.engines.kafka.broker import connection
from streams.engines.kafka.broker.greeting import BrokerUnusable, wrong
from streams.engines.kafka.cases.decider import SOURCE, Known, Letter, conclude
from streams.engines.kafka.records.dead_letters import DeadLetter, bare, name_of, said, still_open
from streams.engines.kafka.records.topics import DEAD_LETTERS
from streams.engines.kafka.records.trace import context, id_of
from streams.engines.kafka.records.wire import Record, Unreadable, decode
from streams.progress import Progress, asked_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kafka import KafkaConsumer, TopicPartition

    from rules.events import Event
    from streams.settings import Settings

BACK: Final = 24 * 3600  # seconds that is looked back; an older decision is told again when it is asked for
DECISIONS, REVIEWS = "twohand.decisions", "twohand.reviews"
STEP_MS: Final = 200
LOOK: Final = 10.0  # seconds without a record until somebody looks whether the broker is still there
GRACE: Final = 5.0  # seconds that the decider has to tell of a dead letter itself, with all that it knows


class Sought(NamedTuple):
    """What a decision has to be about, and what it has to know: all that lies where somebody waits for it."""

    change: str
    repository: str
    target: str
    content_key: str
    head: str
    base: str
    policies: tuple[str | None, ...]  # digests
    statements: frozenset[str]  # ids
    hands: frozenset[str] = frozenset()  # the enrolled names among the authors, and who operates them
    findings: frozenset[tuple[str, str, str, int]] = frozenset()  # rule, path, side and line of what is no note

    @classmethod
    def of(cls, decision: Mapping[str, Any]) -> Self:
        """What a decision is about, and what it knew."""
        about = decision["change"]
        return cls(
            about["id"], about["repository"], about["target"], about["content_key"], about["head"], about["base"],
            tuple(row["digest"] for row in decision["policy"]),
            frozenset(row["statement"] for row in decision["reviews"] if row.get("statement")),
            frozenset(filter(None, (row[name] for row in decision["authors"] for name in ("principal", "operator")))),
            frozenset((f["rule"], f["path"], f["side"], f["line"]) for f in decision["findings"] if f["tier"] != Tier.NOTE),
        )  # fmt: skip

    def moved(self, other: Sought) -> bool:
        """Whether the other is about something else (law 7)."""
        return self[:4] != other[:4]

    def unknown_to(self, other: Sought) -> str:
        """What the other did not know of what lies here, as a clause; "" where it knew all."""
        if (self.head, self.base) != (other.head, other.base):
            return f"it is about {other.base[:12]}..{other.head[:12]}, here is {self.base[:12]}..{self.head[:12]}"
        if self.policies != other.policies:
            return "it was made under another policy"
        missing = sorted(self.statements - other.statements)
        return f"it does not know statement {missing[0][:12]}, which lies here" if missing else ""

    def hidden_from(self, other: Sought) -> str:
        """What an admission has to know besides: whose hands and which findings show here. Sources and reviewers are believed,
        and this checkout is nearer (law 7).
        """
        for hand in sorted(self.hands - other.hands):
            return f"it does not know that {hand} had a hand in it, which shows here"
        for rule, path, *_ in sorted(self.findings - other.findings):
            return f"it does not know finding {rule} in {path}, which shows here"
        return ""


class Watch:
    """What the topics say about one change, in order. `moved`: the newest decision is about this head of another content.

    Only a decision counts that knows what lies here, and every statement about this content that was published.
    """

    def __init__(self, sought: Sought, awaited: tuple[str, ...] = (RULES,)) -> None:
        self.sought = sought
        self.heard: dict[str, None] = {}  # who said something about this content, by name
        self.named = False  # whether anything was heard of this change
        self.moved = ""
        self.trace = ""  # the id of the trace that the newest decision belongs to
        self.away = ""  # why the broker cannot be heard at the moment
        self._awaited = awaited
        self._newest: dict[str, Any] | None = None  # the newest decision about this content
        self._lacks = ""
        self._said: dict[str, str] = {}  # statements about this content, by id: "approve by bob"
        self._letters: list[Record] = []

    def hear(self, record: Record) -> None:
        """Take a record; what cannot be read, or is about something else, tells nothing."""
        if record.key != self.sought.change.encode():
            return
        self.named = True
        if record.topic == DEAD_LETTERS:
            self._letters.append(bare(record))
            return
        try:
            event = decode(record)
        except Unreadable:
            return
        if isinstance(event, ReviewGiven | WaiverGranted) and event.content_key == self.sought.content_key:
            self._spoken(event)
        if isinstance(event, DecisionMade):
            self._decided(event)
            self.trace = id_of(context(record.headers))

    def _spoken(self, event: ReviewGiven | WaiverGranted) -> None:
        said = _told(event.statement) if event.statement else ""
        name = event.reviewer if isinstance(event, ReviewGiven) else said.rpartition(" by ")[2]
        self.heard |= {} if name == SOURCE else {name: None}
        if said:
            self._said[statement_id(event.statement.encode("utf-8", "surrogatepass"))] = said

    def _decided(self, event: DecisionMade) -> None:
        decision = json.loads(event.decision)
        found = Sought.of(decision)
        moved = self.sought.moved(found) or (found.change, found.content_key) != (event.change, event.content_key)
        hidden = self.sought.hidden_from(found) if decision["outcome"] == ADMITTED else ""
        self.moved, self._lacks = (found.head, "") if moved else ("", self.sought.unknown_to(found) or hidden)
        self._newest = None if moved else decision

    @property
    def decision(self) -> dict[str, Any] | None:
        """The newest decision, where it counts."""
        return None if self.outdated else self._newest

    @property
    def outdated(self) -> str:
        """What the newest decision about this content does not know, as a clause; "" where it knows all, or there is none."""
        if self._newest is None or self._lacks:
            return self._lacks
        if not any(row["digest"] for row in self._newest["policy"]):
            return ""  # no policy can be read: whoever spoke, nobody is named
        known = {row.get("statement") for row in self._newest["reviews"]}
        unheard = [said for name, said in self._said.items() if name not in known]
        return f"it has not heard yet: {', '.join(unheard)}" if unheard else ""

    @property
    def outcome(self) -> str:
        """The outcome that stands; "" for none."""
        decision = self.decision
        return str(decision["outcome"]) if decision else ""

    @property
    def letters(self) -> list[DeadLetter]:
        """What could not be handled of this change and is open still, without its contents."""
        return list(still_open(self._letters).values())

    def progress(self) -> Progress:
        """Who was heard, and who is awaited."""
        if decision := self.decision:
            late = {*self.heard} - {row["reviewer"] for row in decision["reviews"]}
            awaited = tuple(name for name in asked_for(decision) if name not in late)
            return Progress(tuple(self.heard), awaited, self.outcome, self.away)
        awaited = tuple(name for name in self._awaited if name not in self.heard)
        return Progress(tuple(self.heard), (*awaited, "the decider"), "", self.away or self._beside())

    def _beside(self) -> str:
        if letters := self.letters:
            return f"{letters[0].by} could not handle record {letters[0].offset} of {letters[0].record.topic}"
        if self.outdated:
            return f"the newest decision does not count: {self.outdated}"
        return f"the newest decision is about head {self.moved[:12]}" if self.moved else ""


def _told(text: str) -> str:
    """A statement in a few words: `approve by bob`."""
    try:
        statement = parse(text.encode("utf-8", "surrogatepass"))
    except StatementInvalid:
        return "a statement that cannot be read"
    return f"{statement.verb} by {statement.by}"


def wait(settings: Settings, watch: Watch, *, seconds: float, tell: Callable[[Progress], None]) -> None:
    """Until a decision stands that is not pending, nobody will make one, or the time is up. BrokerUnusable at the start."""
    deadline = time.monotonic() + seconds
    with reading(settings) as consumer:
        ends = _from_yesterday(consumer, settings, watch.sought.change)
        heard = alone = time.monotonic()  # since when the broker is silent, and since when letters are all that speaks
        while True:
            rows = list(polled(consumer))
            for record in rows:
                watch.hear(record)
            now = time.monotonic()
            if rows or now - heard > LOOK:
                watch.away, heard = "" if rows else _away(settings), now
            behind = any(consumer.position(place) < end for place, end in ends.items())
            tell(watch.progress())
            alone = now if behind or watch.decision or not watch.letters else alone
            decided = watch.outcome not in ("", PENDING) and not behind
            if decided or now - alone > GRACE or now > deadline:
                return


def blocked(watch: Watch, events: Iterable[Event], now: str) -> dict[str, Any]:
    """The decision about a change whose only trace is what could not be handled, as the decider would make it."""
    letters = tuple(Letter(name_of(letter), said(letter)) for letter in watch.letters)
    made = conclude(Known(fold(events), now, letters=letters), now).events
    return next(dict(json.loads(one.decision)) for one in reversed(made) if isinstance(one, DecisionMade))


def _away(settings: Settings) -> str:
    """Why the broker cannot be heard; "" where it can: a client says nothing of it, it only waits."""
    try:
        connection.reach(settings)
    except BrokerUnusable as error:
        return error.message
    return ""


@contextmanager
def reading(settings: Settings) -> Iterator[KafkaConsumer]:
    """A consumer of no group, from the beginning. BrokerUnusable with the reason, also where something inside fails."""
    connection.reach(settings)
    with connection.explained(settings), closing(consumer_of(settings)) as consumer:
        yield consumer


def consumer_of(settings: Settings) -> KafkaConsumer:
    """A consumer of no group, from the beginning."""
    from kafka import KafkaConsumer  # noqa: PLC0415 - an optional package, and slow

    options: dict[str, Any] = {"bootstrap_timeout_ms": 3000, **connection.options(settings)}
    return KafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **options)


def _from_yesterday(consumer: KafkaConsumer, settings: Settings, change: str) -> dict[TopicPartition, int]:
    """Read the change's partitions from BACK seconds ago on; where they end now."""
    from kafka import TopicPartition  # noqa: PLC0415

    places = [
        TopicPartition(topic, partition_of(change, len(partitions(consumer, settings, topic))))
        for topic in (DECISIONS, REVIEWS, DEAD_LETTERS)
    ]
    consumer.assign(places)
    ends: dict[TopicPartition, int] = consumer.end_offsets(places)
    since = int(time.time() - BACK) * 1000
    for place, found in consumer.offsets_for_times(dict.fromkeys(places, since)).items():
        consumer.seek(place, found.offset if found else ends[place])
    return ends


def partitions(consumer: KafkaConsumer, settings: Settings, topic: str) -> set[int]:
    """The partitions of a topic. BrokerUnusable where it is not there, or hidden from these credentials."""
    found: set[int] = consumer.partitions_for_topic(topic) or set()
    if not found:
        said = f"{settings.bootstrap} shows no topic {topic}"
        raise wrong(settings, said, "Run: twohand topics create; `twohand topics acls` prints who may read it")
    return found


def partition_of(change: str, count: int) -> int:
    """Where every client of ours puts this key."""
    from kafka.partitioner.default import murmur2  # noqa: PLC0415

    return int(murmur2(change.encode()) & 0x7FFFFFFF) % max(count, 1)


def polled(consumer: KafkaConsumer, *, exactly: int | None = None) -> Iterator[Record]:
    """What came within a fifth of a second; only what has this offset, where one is given."""
    for rows in consumer.poll(STEP_MS).values():
        for row in rows:
            if exactly is None or row.offset == exactly:
                yield Record(row.topic, row.key, row.value, tuple(row.headers))

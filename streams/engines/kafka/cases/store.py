"""The case store: inbox, case and outbox of every change in one PostgreSQL transaction (DESIGN 10).

`event.id` is the inbox: what is there already is a repeat and changes nothing. Each change is locked while it is decided,
so two deciders that meet make one decision. What is published leaves through the outbox, and stays there until the broker
has acknowledged it. Statements are verified before they are stored, by us (law 19); what was found is kept beside them.
The escalator reads what is recorded here, and is told of it by rows of `escalator.news` (streams.engines.kafka.cases.casebook).
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote

from rules.canonical import canonical
from rules.case import Case, fold
from rules.events import (
    ChangeProposed,
    DecisionMade,
    EscalationAcknowledged,
    EscalationOpened,
    EscalationResolved,
    Event,
    ReviewGiven,
    WaiverGranted,
    body,
    event_id,
    type_name,
)
from streams.engines.kafka.cases.connection import StoreUnfit, connected
from streams.engines.kafka.cases.decider import Conclusion, Known, Letter, conclude
from streams.engines.kafka.cases.migrations import MIGRATIONS
from streams.engines.kafka.cases.rows import packed, revived, unpacked
from streams.engines.kafka.records.dead_letters import named
from streams.engines.kafka.records.trace import traced
from streams.engines.kafka.records.wire import Record, encode
from streams.memory import signed, verified
from streams.news import OWN_TYPES
from streams.sources import signatures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import LiteralString

    from rules.sshsig import Signer
    from streams.memory import Signed

MIGRATING: Final = 7_230_846  # the advisory lock of migrations; any number nobody else uses
UNNAMED: Final = "unnamed"
PAGES: Final = tuple(map(type_name, (EscalationOpened, EscalationAcknowledged, EscalationResolved)))  # decide nothing
REMEMBERED: Final = 2000  # changes whose fold is kept in memory


class Arrival(NamedTuple):
    """An event as it came, with its id and canonical body. `place` orders what one partition said, as text of equal length.

    `trace` is its trace context as one line (streams.engines.kafka.records.trace).
    """

    event: Event
    id: str
    text: str
    place: str = ""
    trace: str = ""

    @classmethod
    def of(cls, event: Event) -> Arrival:
        """One that we make ourselves."""
        return cls(event, event_id(event), canonical(body(event)).decode())


class Folded(NamedTuple):
    """A change as far as it was folded: up to the event of this number."""

    number: int
    case: Case
    latest: str  # the latest instant that its events name


class Settled(NamedTuple):
    """That a letter is open no more, `how`: retried or dropped."""

    id: str
    change: str
    how: str


NOTHING: Final = Folded(0, Case(), "")


class Waiting(NamedTuple):
    """A row of the outbox."""

    number: int
    record: Record


class Batch(NamedTuple):
    """What came at once: events, letters that were opened, and letters that were settled."""

    arrivals: Sequence[Arrival] = ()
    opened: Sequence[tuple[str, Letter]] = ()  # change, letter
    settled: Sequence[Settled] = ()
    records: Sequence[Record] = ()  # what has to be published besides

    @property
    def changes(self) -> list[str]:
        """Sorted, so that two deciders lock in the same order."""
        events = {one.event.change for one in self.arrivals}
        return sorted({*events, *(change for change, _ in self.opened), *(one.change for one in self.settled)})


class Store:
    """One connection. Not for several threads at once; several processes may share the database."""

    def __init__(self, url: str) -> None:
        self._db = connected(url)
        self._folded: dict[str, Folded] = {}
        self._fresh: dict[str, Folded] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def version(self) -> int:
        """Which migrations it has had; 0 for an empty database."""
        if not self._db.execute("select to_regclass('migration')").fetchall()[0][0]:
            return 0
        return int(self._db.execute("select coalesce(max(version), 0) from migration").fetchall()[0][0])

    def check(self) -> None:
        """StoreUnfit unless its tables are those of this release."""
        found = self.version()
        if found != len(MIGRATIONS):
            newer = "Upgrade twohand: a newer one has been here."
            remedy = newer if found > len(MIGRATIONS) else "Run: twohand store migrate"
            raise StoreUnfit(f"The case store has version {found}, this twohand needs {len(MIGRATIONS)}.", remedy)

    def migrate(self, to: int = len(MIGRATIONS)) -> list[int]:
        """Bring the tables up to a version, each step whole or not at all; which steps were taken. Several may try at once."""
        with self._db.transaction():
            self._db.execute("select pg_advisory_xact_lock(%s)", (MIGRATING,))
            self._db.execute(
                "create table if not exists migration (version integer primary key, at timestamptz not null)"
            )
            steps = list(range(self.version() + 1, to + 1))
            for step in steps:
                self._db.execute(MIGRATIONS[step - 1])
                self._db.execute("insert into migration values (%s, now())", (step,))
        return steps

    def take(self, batch: Batch, now: Callable[[], str]) -> list[Waiting]:
        """Record a batch with what follows from it, and tell what of these changes has to be published, in order."""
        with self._db.transaction():
            events = self._verified(batch.arrivals)
        with self._db.transaction():
            changes = batch.changes
            self._lock(changes)
            self._traced(batch.arrivals)
            moved = self._insert(events) | self._said_again(batch.arrivals) | self._letters(batch)
            self._put(batch.records)
            self._fresh = {}
            if moved:
                self._conclude(sorted(moved), now())
            waiting = self.waiting(changes)
        self._remember()
        return waiting

    def _remember(self) -> None:
        """What was folded in a transaction that holds; the oldest are forgotten."""
        self._folded |= self._fresh
        for change in list(self._folded)[: max(len(self._folded) - REMEMBERED, 0)]:
            del self._folded[change]

    def waiting(self, changes: Sequence[str] | None = None) -> list[Waiting]:
        """What has to be published, of these changes and what belongs to none, or of all."""
        where = "" if changes is None else "where o.change = any(%s) or o.change = ''"
        query = (
            "select number, topic, key, value, headers, coalesce(trace, '') from outbox o left join change c"  # noqa: S608
            f" on c.id = o.change {where} order by number"
        )
        rows = self._db.execute(query, () if changes is None else (changes,)).fetchall()
        return [
            Waiting(number, traced(Record(topic, key, value, unpacked(headers)), trace))
            for number, topic, key, value, headers, trace in rows
        ]

    def sent(self, rows: Iterable[Waiting]) -> None:
        """The broker has acknowledged these."""
        with self._db.transaction():
            self._db.execute("delete from outbox where number = any(%s)", ([row.number for row in rows],))

    def events(self, change: str | None = None) -> list[Event]:
        """What is recorded of a change, or of all, in order, with the signers that were verified."""
        rows = self._rows(None if change is None else [change])
        return [revived(row) for row in rows]

    def letters(self, change: str) -> list[Letter]:
        """The open letters of a change."""
        return list(self._open_letters([change]).get(change, ()))

    # -- one batch ------------------------------------------------------------------------------------------------

    def _verified(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that are new, each once, with the signers that we find (law 19)."""
        named = {one.id: one for one in arrivals}
        known = self._db.execute("select id from event where id = any(%s)", (list(named),)).fetchall()
        new = [one for name, one in named.items() if (name,) not in set(known)]
        given = (one.event for one in new if isinstance(one.event, ReviewGiven | WaiverGranted) and one.event.statement)
        asked: dict[Signed, None] = dict.fromkeys(map(signed, given))
        texts = [(text.encode("utf-8", "surrogatepass"), armor.encode("utf-8", "replace")) for text, armor in asked]
        found = dict(zip(asked, signatures.verify_all(texts), strict=True))
        return [one._replace(event=verified(one.event, found)) for one in new]

    def _lock(self, changes: Sequence[str]) -> None:
        self._db.execute("insert into change (id) select unnest(%s::text[]) on conflict do nothing", (changes,))
        self._db.execute("select 1 from change where id = any(%s) order by id for update", (changes,))

    def _traced(self, arrivals: Sequence[Arrival]) -> None:
        """What follows from a proposal belongs to its trace."""
        rows = [
            (one.trace, one.event.change) for one in arrivals if one.trace and isinstance(one.event, ChangeProposed)
        ]
        self._many("update change set trace = %s where id = %s", rows)

    def _insert(self, arrivals: Sequence[Arrival]) -> set[str]:
        """Append events; the changes of those that were new and that a decision may depend on."""
        columns = [_row(one) for one in arrivals]
        if not columns:
            return set()
        asked = (
            "with new as (insert into event (id, change, type, at, place, body, signer, presence) select * from"
            " unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::boolean[])"
            " on conflict (id) do nothing returning change, type, at), told as (insert into escalator.news (change, at)"
            " select change, max(at) from new where type <> all(%s) group by change)"
            " select distinct change from new where type <> all(%s)"
        )
        given = [list(column) for column in zip(*columns, strict=True)]
        moved = {row[0] for row in self._db.execute(asked, (*given, list(OWN_TYPES), list(PAGES))).fetchall()}
        self._many(
            "insert into content values (%s, %s) on conflict do nothing",
            [(one.event.content_key, one.event.change) for one in arrivals if isinstance(one.event, ChangeProposed)],
        )
        return moved

    def _said_again(self, arrivals: Sequence[Arrival]) -> set[str]:
        """A proposal that is said again is a head that came back: it stands last, and its decision is told again."""
        said = {one.id: one.place for one in arrivals if isinstance(one.event, ChangeProposed) and one.place}
        asked = (
            "update event set number = default, place = said.place from unnest(%s::text[], %s::text[]) as said (id, place)"
            " where event.id = said.id and event.place < said.place returning change, at"
        )
        found = self._db.execute(asked, (list(said), list(said.values()))).fetchall() if said else []
        self._many("insert into escalator.news (change, at) values (%s, %s)", found)
        moved = {change for change, _ in found}
        for change in moved:
            self._folded.pop(change, None)
        self._tell_again(sorted(moved))
        return moved

    def _tell_again(self, changes: list[str]) -> None:
        asked = (
            "select e.id, e.change, e.type, e.at, e.body, e.signer, e.presence, c.source from change c"
            " join event e on e.id = c.decision where c.id = any(%s)"
        )
        rows = self._db.execute(asked, (changes,)).fetchall() if changes else []
        self._put(encode(revived(row[:-1]), row[-1]) for row in rows)

    def _letters(self, batch: Batch) -> set[str]:
        moved: set[str] = set()
        for change, letter in batch.opened:
            asked = "insert into letter values (%s, %s, %s, '') on conflict do nothing returning change"
            moved |= {row[0] for row in self._db.execute(asked, (letter.id, change, letter.said))}
        for one in batch.settled:
            asked = "update letter set settled = %s where id = %s and change = %s and settled = '' returning change"
            moved |= {row[0] for row in self._db.execute(asked, (one.how, one.id, one.change))}
        return moved

    def _conclude(self, changes: list[str], now: str) -> None:
        """Decide each change that something new was said about."""
        cases = self._cases(changes)
        digests: dict[str, str] = dict(
            self._db.execute("select id, digest from change where id = any(%s)", (changes,)).fetchall()
        )
        letters = self._open_letters(changes)
        known = [Known(case, latest, digests[name], letters.get(name, ())) for name, case, latest in cases]
        self._keep([(one.case.proposed, conclude(one, now)) for one in known])

    def _cases(self, changes: list[str]) -> list[tuple[str, Case, str]]:
        """Each change, folded; what was folded before is folded on from there, and forgotten where the transaction fails."""
        before = {change: self._folded.pop(change, NOTHING) for change in changes}
        asked = (
            "select e.id, e.change, e.type, e.at, e.body, e.signer, e.presence, e.number from event e"
            " join unnest(%b::text[], %s::bigint[]) as known (change, number) on e.change = known.change"
            " and e.number > known.number order by e.change, e.number"
        )
        rows = self._db.execute(asked, (changes, [before[change].number for change in changes])).fetchall()
        for change, group in groupby(rows, key=lambda row: row[1]):
            before[change] = _on(before[change], list(group))
        self._fresh = before
        return [(change, one.case, one.latest) for change, one in before.items()]

    def _open_letters(self, changes: list[str]) -> dict[str, tuple[Letter, ...]]:
        asked = "select change, id, said from letter where change = any(%s) and settled = '' order by change, id"
        groups = groupby(self._db.execute(asked, (changes,)).fetchall(), key=lambda row: row[0])
        return {change: tuple(Letter(name, said) for _, name, said in rows) for change, rows in groups}

    def _keep(self, found: Sequence[tuple[ChangeProposed | None, Conclusion]]) -> None:
        """Record what follows, and put decisions into the outbox."""
        made = [(proposed, one) for proposed, one in found if proposed]
        self._insert([Arrival.of(event) for _, one in made for event in one.events])
        rows = [
            (_source(proposed), event, one)
            for proposed, one in made
            for event in one.events
            if isinstance(event, DecisionMade)
        ]
        self._put(encode(event, source) for source, event, _ in rows)
        self._many(
            "update change set source = %s, content_key = %s, outcome = %s, digest = %s, decision = %s where id = %s",
            [(src, e.content_key, one.outcome, one.digest, event_id(e), e.change) for src, e, one in rows],
        )

    def _many(self, query: LiteralString, rows: Sequence[tuple[object, ...]]) -> None:
        """One statement for many rows, in one round trip."""
        if rows:
            with self._db.cursor() as cursor:
                cursor.executemany(query, rows)

    def _put(self, records: Iterable[Record]) -> None:
        rows = [(named(one.key), one.topic, one.key, one.value, packed(one.headers)) for one in records]
        self._many("insert into outbox (change, topic, key, value, headers) values (%s, %s, %s, %s, %s)", rows)

    def _rows(self, changes: list[str] | None) -> list[tuple[Any, ...]]:
        where = "" if changes is None else "where change = any(%s)"
        order = "number" if changes is None else "change, number"
        asked = f"select id, change, type, at, body, signer, presence from event {where} order by {order}"  # noqa: S608
        return self._db.execute(asked, () if changes is None else (changes,)).fetchall()


def _source(proposed: ChangeProposed) -> str:
    return quote(proposed.repository, safe="/:@") or UNNAMED


def _on(before: Folded, rows: Sequence[Sequence[Any]]) -> Folded:
    events = [revived(row[:-1]) for row in rows]
    return Folded(rows[-1][-1], fold(events, before.case), max(before.latest, *(event.at for event in events)))


def _row(arrival: Arrival) -> tuple[object, ...]:
    event = arrival.event
    signer: Signer | None = getattr(event, "signer", None)
    key, presence = (signer.key, signer.presence) if signer else ("", False)
    return arrival.id, event.change, type_name(type(event)), event.at, arrival.place, arrival.text, key, presence

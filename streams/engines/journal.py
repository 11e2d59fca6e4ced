"""The embedded journal: an append-only record of events in one SQLite file (DESIGN 10, 12).

Several processes share the file. Rows are chained by hash: each holds the digest of its predecessor's hash and itself.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from zlib import compress, decompress

from rules.canonical import canonical
from rules.events import (
    ChangeMerged,
    ChangeProposed,
    DecisionMade,
    Event,
    ReviewGiven,
    WaiverGranted,
    body,
    event_id,
    type_name,
)
from rules.sshsig import Signer
from streams.engines.outbox import TABLES
from streams.sources.errors import SourceError

VERSION = 2
TOPICS = {
    "change": "twohand.changes",
    "canary": "twohand.changes",
    "review": "twohand.reviews",
    "waiver": "twohand.reviews",
    "decision": "twohand.decisions",
    "escalation": "twohand.escalations",
    "deadline": "twohand.escalations",
    "reviewer": "twohand.trust",
}
APPROVES = '"verb":"approve"}\n'  # how the canonical text of an approval ends
AT_ONCE = 500  # values of one question
PATIENCE = 5.0  # seconds that a locked journal is waited for
FULL = 1 << 30  # bytes of the file; beyond, it keeps no contents any more
PAUSE = 0.0005  # between tries; SQLite's own back-off waits up to 100 ms
FIRST = """
create table log (
    offset integer primary key autoincrement, topic text not null, key text not null, type text not null,
    at text not null, event_id text not null unique, body text not null, hash text not null
) strict;
create index log_key on log (key, offset);
create table content (content_key text not null, key text not null, primary key (content_key, key)) strict, without rowid;
create table patch (patch_id text not null, key text not null, primary key (patch_id, key)) strict, without rowid;
create table upheld (statement text primary key) strict, without rowid;
create table root (digest text not null, source text not null, at text not null) strict;
create table voice (offset integer primary key) strict;
create table verified (statement text primary key, key text not null, presence integer not null) strict, without rowid;
"""
SECOND = """
create table admitted (target text not null, head text not null, key text not null, content_key text not null,
    primary key (target, head, key, content_key)) strict, without rowid;
insert or ignore into admitted select decision ->> '$.change.target', decision ->> '$.change.head', key, content_key from (
    select key, body ->> '$.decision' as decision, body ->> '$.content_key' as content_key from log
    where type = 'dev.twohand.decision-made.v1' and body ->> '$.outcome' = 'admitted');
create table open_path (target text not null, path text not null, key text not null,
    primary key (target, path, key)) strict, without rowid;
create table tip (ref text primary key, id text not null, at text not null) strict, without rowid;
create table blob (id text primary key, data blob not null) strict, without rowid;
"""
FORMATS = (FIRST, SECOND + TABLES)  # what each version of the format adds


class JournalUnusable(SourceError):
    """The journal cannot be read or written; nothing was lost, and nothing is decided without it."""

    exit_code = 3


def topic_of(kind: type[Event]) -> str:
    """The topic that carries an event type (DESIGN 4)."""
    return TOPICS[type_name(kind).split(".")[2].split("-")[0]]


class Journal:
    """One file. Open it with `with`; `append` is atomic."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Make or open it; one that is only read has to be there."""
        self.path = path
        self._db, self._format = _open(path) if writable else _open_to_read(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def append(self, events: Iterable[Event]) -> int:
        """Record events that are not there yet, in one transaction; how many were new."""
        with self._writing() as db:
            return self.append_in(db, events)

    def append_in(self, db: sqlite3.Connection, events: Iterable[Event]) -> int:
        """`append` inside a transaction that was begun with `transaction`."""
        return sum(self._append(db, event) for event in events)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction over tables that another module keeps in this file, whole or not at all."""
        return self._writing()

    def ask(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question about tables that another module keeps in this file."""
        return self._read(query, values)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        _begin(self._db, self.path)
        try:
            yield self._db
            self._db.execute("commit")
        except sqlite3.DatabaseError as error:
            raise _unusable(self.path, error) from error
        finally:
            if self._db.in_transaction:
                self._db.execute("rollback")

    def _append(self, db: sqlite3.Connection, event: Event) -> bool:
        name = event_id(event)
        if db.execute("select 1 from log where event_id = ?", (name,)).fetchone():
            return False
        last = db.execute("select hash from log order by offset desc limit 1").fetchone()
        text = canonical(body(event)).decode()
        row = (topic_of(type(event)), event.change, type_name(type(event)), event.at, name, text)
        db.execute(
            "insert into log (topic, key, type, at, event_id, body, hash) values (?, ?, ?, ?, ?, ?, ?)",
            (*row, chained(last[0] if last else "", row)),
        )
        self._index(db, event)
        return True

    def _index(self, db: sqlite3.Connection, event: Event) -> None:
        if isinstance(event, ReviewGiven) and event.statement and not event.statement.endswith(APPROVES):
            db.execute("insert into voice select max(offset) from log")
        if isinstance(event, DecisionMade):
            db.executemany("insert or ignore into upheld values (?)", [(name,) for name in event.objections])
            self._index_admitted(db, event)
        if isinstance(event, ChangeProposed) and not event.branch and not event.number:
            rows = [(_text(event.target), file.path, event.change) for file in event.files]
            db.executemany("insert or ignore into open_path values (?, ?, ?)", rows)
        if isinstance(event, ChangeMerged):
            db.execute("delete from open_path where key = ?", (event.change,))
        if key := getattr(event, "content_key", ""):
            db.execute("insert or ignore into content values (?, ?)", (key, event.change))
        for commit in getattr(event, "commits", ()):
            if commit.patch_id:
                db.execute("insert or ignore into patch values (?, ?)", (commit.patch_id, event.change))

    def _index_admitted(self, db: sqlite3.Connection, event: DecisionMade) -> None:
        change = json.loads(event.decision).get("change", {}) if event.outcome == "admitted" else {}
        if change:
            row = (_text(change["target"]), change["head"], event.change, event.content_key)
            db.execute("insert or ignore into admitted values (?, ?, ?, ?)", row)

    def events(self, change: str | None = None) -> Iterator[Event]:
        """The events of one change, or all, in their order. JournalUnusable names a row that is no event."""
        where, values = ("where key = ?", (change,)) if change is not None else ("", ())
        rows = self._read(f"select offset, type, at, body from log {where} order by offset", values)  # noqa: S608
        for offset, kind, at, text in rows:
            yield self._revived(offset, kind, at, text)

    def _revived(self, offset: int, kind: str, at: str, text: str) -> Event:
        from streams.engines.codec import TYPES, Undecodable, revive  # noqa: PLC0415 - post-receive reads no event

        try:
            if kind not in TYPES:
                raise Undecodable(f"type {kind!r} is none that this version knows")
            return revive(TYPES[kind], json.loads(text), at)
        except ValueError as error:
            raise JournalUnusable(
                f"{self.path}: row {offset} is no event: {error}.",
                remedy="Restore the journal from a backup; `twohand doctor` tells which rows are whole.",
            ) from None

    def uphold(self, statements: Iterable[str]) -> None:
        """Keep objections, by statement id, that were valid when they were received (law 18)."""
        with self._writing() as db:
            db.executemany("insert or ignore into upheld values (?)", [(name,) for name in statements])

    def upheld(self) -> frozenset[str]:
        """The objections, by statement id, that were valid when received, or that a recorded decision found in force."""
        return frozenset(row[0] for row in self._read("select statement from upheld", ()))

    def accept(self, digest: str, source: str, at: str) -> None:
        """Record the first policy as the root of trust; a second one changes nothing (law 37)."""
        with self._writing() as db:
            db.execute("insert into root select ?, ?, ? where not exists (select 1 from root)", (digest, source, at))

    def root(self) -> tuple[str, str, str] | None:
        """Digest, source and instant of the policy that whoever installed the gate accepted; None before that."""
        rows = self._read("select digest, source, at from root", ())
        return rows[0] if rows else None

    def voices(self) -> Iterator[Event]:
        """Every recorded statement that is no approval, of all changes: what vanished elsewhere stays in force (law 40)."""
        rows = self._read(
            "select offset, type, at, body from log where offset in (select offset from voice) order by offset", ()
        )
        for offset, kind, at, text in rows:
            yield self._revived(offset, kind, at, text)

    def waived_changes(self) -> list[str]:
        """The changes that somebody waived anything of."""
        rows = self._read("select distinct key from log where type = ?", (type_name(WaiverGranted),))
        return sorted(row[0] for row in rows)

    def changes_with(self, content_key: str, patch_ids: Iterable[str] = ()) -> list[str]:
        """The changes ever recorded with this content or one of these patches, newest record first."""
        found = {row[0] for row in self._read("select key from content where content_key = ?", (content_key,))}
        for patch_id in patch_ids:
            found |= {row[0] for row in self._read("select key from patch where patch_id = ?", (patch_id,))}
        newest = dict(self._read("select key, max(offset) from log group by key", ())) if found else {}
        return sorted(found, key=lambda key: -newest.get(key, 0))

    def find_changes(self, prefix: str) -> list[str]:
        """The changes whose id begins so."""
        rows = self._read("select distinct key from log where substr(key, 1, ?) = ?", (len(prefix), prefix))
        return sorted(row[0] for row in rows)

    def known_signers(self, statements: Iterable[str]) -> dict[str, Signer | None]:
        """What verification found before, by statement blob id; None: the signature is not good."""
        rows: dict[str, Signer | None] = {}
        for name in statements:
            for key, presence in self._read("select key, presence from verified where statement = ?", (name,)):
                rows[name] = Signer(key, bool(presence)) if key else None
        return rows

    def remember_signers(self, signers: Mapping[str, Signer | None]) -> None:
        """Keep what verification found, so that a blob is verified once."""
        rows = [(name, *((one.key, int(one.presence)) if one else ("", 0))) for name, one in signers.items()]
        with self._writing() as db:
            db.executemany("insert or ignore into verified values (?, ?, ?)", rows)

    def open_changes(self, target: str, paths: Sequence[str]) -> list[str]:
        """Changes without source branch or number that were proposed for this target, touch one of these paths, and did not land."""
        found: set[str] = set()
        for first in range(0, len(paths), AT_ONCE):
            part = paths[first : first + AT_ONCE]
            marks = ", ".join("?" * len(part))
            query = f"select distinct key from open_path where target = ? and path in ({marks})"  # noqa: S608
            found |= {row[0] for row in self._read(query, (_text(target), *part))} if self._format > 1 else set()
        return sorted(found)

    def admitted(self, target: str, head: str) -> list[tuple[str, str]]:
        """Change and content key of what was ever admitted with this head for this target."""
        asked = "select key, content_key from admitted where target = ? and head = ? order by key, content_key"
        return self._read(asked, (_text(target), head)) if self._format > 1 else []

    def tips(self) -> dict[str, tuple[str, str]]:
        """Where the gate last saw each protected ref, and when; all zeros: deleted."""
        rows = self._read("select ref, id, at from tip order by ref", ()) if self._format > 1 else []
        return {ref: (name, at) for ref, name, at in rows}

    def remember_tip(self, ref: str, name: str, at: str) -> None:
        """Keep where a protected ref stands."""
        with self._writing() as db:
            db.execute("insert or replace into tip values (?, ?, ?)", (_text(ref), name, at))

    def keep_blobs(self, blobs: Mapping[str, bytes]) -> None:
        """Keep contents, compressed, by object id: those of a refused push are nowhere else. No decision reads them."""
        rows = [] if self.full() else [(name, compress(data, 1)) for name, data in blobs.items()]
        with self._writing() as db:
            db.executemany("insert or ignore into blob values (?, ?)", rows)

    def full(self) -> bool:
        """Whether the file has grown so large that it keeps no contents any more."""
        rows = self._read("select page_count * page_size from pragma_page_count, pragma_page_size", ())
        return int(rows[0][0]) > FULL

    def blob(self, name: str) -> bytes | None:
        """A content that was kept; None where it was not."""
        rows = self._read("select data from blob where id = ?", (name,)) if self._format > 1 else []
        return decompress(rows[0][0]) if rows else None

    def broken_row(self) -> tuple[int, str] | None:
        """The first row that is not what was written, with the reason; None where the chain holds."""
        last = ""
        rows = self._read("select offset, topic, key, type, at, event_id, body, hash from log order by offset", ())
        for offset, *row, stored in rows:
            if chained(last, tuple(row)) != stored:
                return offset, "its hash does not follow from its content and the row before it"
            try:
                event = self._revived(offset, row[2], row[3], row[5])
            except JournalUnusable as error:
                return offset, error.message
            if event_id(event) != row[4]:
                return offset, "its id is not the digest of its body"
            last = stored
        return None

    def size(self) -> int:
        """How many events it holds."""
        return int(next(iter(self._read("select count(*) from log", ())))[0])

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _unusable(self.path, error) from error


def _text(ref: str) -> str:
    """A ref as text that SQLite takes; nearly always itself."""
    return ref.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def chained(previous: str, row: tuple[str, ...]) -> str:
    """The hash of a row, 64 hex digits."""
    return sha256(canonical([previous, *row])).hexdigest()


def _open(path: Path) -> tuple[sqlite3.Connection, int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, timeout=0)
        _patiently(lambda: db.execute("pragma journal_mode = wal"), path)
        db.execute("pragma synchronous = full")
        version = _patiently(lambda: db.execute("pragma user_version"), path).fetchone()[0]
        if version < VERSION:
            version = _upgrade(db, path)
    except (OSError, sqlite3.DatabaseError) as error:
        raise _unusable(path, error) from error
    return _known(db, path, version)


def _open_to_read(path: Path) -> tuple[sqlite3.Connection, int]:
    from urllib.parse import quote  # noqa: PLC0415 - slow to import, and hooks write

    try:
        db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=PATIENCE)
        version = db.execute("pragma user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    return _known(db, path, version)


def _known(db: sqlite3.Connection, path: Path, version: int) -> tuple[sqlite3.Connection, int]:
    if version > VERSION:
        raise JournalUnusable(
            f"{path} was written by a newer twohand (format {version}, this one knows {VERSION}).",
            remedy="Upgrade twohand; the journal was not touched.",
        )
    return db, version


def _upgrade(db: sqlite3.Connection, path: Path) -> int:
    """Bring the file to this version's format, whole or not at all."""
    _begin(db, path)
    done = db.execute("pragma user_version").fetchone()[0]
    for addition in FORMATS[done:VERSION]:
        for statement in addition.split(";")[:-1]:
            db.execute(statement)
    db.execute(f"pragma user_version = {max(done, VERSION)}")
    db.execute("commit")
    return int(db.execute("pragma user_version").fetchone()[0])


def _begin(db: sqlite3.Connection, path: Path) -> None:
    _patiently(lambda: db.execute("begin immediate"), path)


def _patiently(work: Callable[[], sqlite3.Cursor], path: Path) -> sqlite3.Cursor:
    """Do it as soon as nobody else holds the lock; JournalUnusable after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise _unusable(path, error) from error
            if time.monotonic() > deadline:
                raise JournalUnusable(
                    f"{path} is locked by another process for more than {PATIENCE:.0f} seconds.",
                    remedy="Look for a hanging twohand or a backup that holds it, then try again.",
                ) from error
        time.sleep(PAUSE)


def _unusable(path: Path, error: Exception) -> JournalUnusable:
    if "readonly" in str(error) or isinstance(error, PermissionError):
        return JournalUnusable(
            f"{path} cannot be written: {error}.",
            remedy="Get the right to write it, or use --dry-run, which only reads it.",
        )
    return JournalUnusable(
        f"{path} cannot be used: {error}.",
        remedy="It is kept as it is. See whether its disk is full or takes no writes. Where the file itself is damaged, "
        "restore it from a backup, or move it away: a new one starts without its history.",
    )

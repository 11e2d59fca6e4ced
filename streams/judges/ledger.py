"""What model reviews took: tokens and money by review, answers that are kept, and budgets (one file with the journal).

A review is entered before it is asked, with what it is estimated to take, so that several processes together stay in a
budget; what is entered and never settled, because the process ended, keeps counting. Money is in millionths.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from reviewers.judging import Coverage, Dropped, RawAnswer, Status, Verdict, Word
from rules.canonical import canonical, plain
from rules.findings import Finding, Tier, Uncovered
from streams.engines.journal import Journal
from streams.settings_reviewers import MILLION, Reviewer

NOTEBOOK: Final = "judges.db"  # the file of workers, which have no repository's journal
KEPT: Final = 64 << 20  # bytes of answers, compressed; the oldest go first
TABLES: Final = (
    """create table if not exists spent (
    id integer primary key autoincrement, at text not null, change text not null, content_key text not null,
    reviewer text not null, model text not null, status text not null, verdict text not null, tokens_in integer not null,
    tokens_out integer not null, exact integer not null, micros integer not null, cached integer not null,
    findings integer not null, seconds real not null) strict""",
    "create index if not exists spent_by on spent (reviewer, at)",
    """create table if not exists judged (
    key text primary key, at text not null, verdict text not null) strict, without rowid""",
    """create table if not exists answer (
    sha256 text primary key, request text not null, at text not null, http integer not null, seconds real not null,
    body blob not null) strict""",
)
Seal = Callable[[bytes], bytes]  # bytes -> the reviewer's signature
Check = Callable[[bytes, bytes], bool]  # bytes and a signature -> whether the reviewer made it
OPEN: Final = "open"  # the status of a review that was entered and is not settled
LEFT: Final = "broken-off"


class Entry(NamedTuple):
    """One review as the ledger holds it."""

    at: str
    change: str
    content_key: str
    reviewer: str
    model: str
    status: str
    verdict: str
    tokens_in: int
    tokens_out: int
    exact: bool
    micros: int
    cached: bool
    findings: int
    seconds: float


class Place(NamedTuple):
    """Which review is meant: of what, by whom, when it was begun."""

    at: str
    change: str
    content_key: str
    reviewer: Reviewer


class Ledger:
    """The tables of one journal. A journal that is only read, and has none, has spent nothing."""

    def __init__(self, journal: Journal, *, write: bool = True) -> None:
        self._journal = journal
        if write:
            with journal.transaction() as db:
                for table in TABLES:
                    db.execute(table)
        self._there = bool(journal.ask("select 1 from sqlite_master where name = 'spent'"))

    def enter(self, place: Place, tokens: int) -> tuple[int, str]:
        """The number of a review that may be asked, or 0 and which budget it is over. `tokens` are estimated."""
        who = place.reviewer
        micros = who.micros(tokens, 0)
        with self._journal.transaction() as db:
            for span, where, values in _spans(place):
                row = db.execute(
                    f"select total(tokens_in + tokens_out), total(micros) from spent where reviewer = ? {where}",  # noqa: S608
                    (who.name, *values),
                ).fetchone()
                if over := _over(who, span, (int(row[0]), int(row[1])), (tokens, micros)):
                    return 0, over
            entry = _entry(place, Verdict(Status.COMPLETED, Word.ABSTAIN, "", tokens_in=tokens), cached=False)
            return _insert(db, entry._replace(status=OPEN, verdict="", micros=micros)), ""

    def settle(self, number: int, place: Place, verdict: Verdict, seconds: float) -> None:
        """What an entered review took in the end; its answers are kept."""
        entry = _entry(place, verdict, cached=False)._replace(seconds=seconds)
        with self._journal.transaction() as db:
            _rewrite(db, number, entry)
            for answer in verdict.answers:
                db.execute("insert or ignore into answer values (?, ?, ?, ?, ?, ?)", _answer_row(answer, place.at))
            _forget(db)

    def leave(self, number: int, tokens: tuple[int, int], reviewer: Reviewer) -> None:
        """A review that was broken off: what it took so far, or what it was estimated to take, whichever is more."""
        came, went = tokens
        with self._journal.transaction() as db:
            db.execute(
                "update spent set status = ?, tokens_in = max(tokens_in, ?), tokens_out = ?, micros = max(micros, ?) where id = ?",
                (LEFT, came, went, reviewer.micros(came, went), number),
            )

    def reuse(self, place: Place, verdict: Verdict) -> None:
        """A review that cost nothing, because its answer was there."""
        with self._journal.transaction() as db:
            _insert(db, _entry(place, verdict, cached=True)._replace(tokens_in=0, tokens_out=0, micros=0))

    def keep(self, key: str, verdict: Verdict, at: str, seal: Seal) -> None:
        """Keep a completed review for the next time that the same is asked, signed by the reviewer."""
        said = _kept(verdict)
        row = json.dumps({"said": said, "seal": seal(_sealed(key, said)).decode("ascii")})
        with self._journal.transaction() as db:
            db.execute("insert or replace into judged values (?, ?, ?)", (key, at, row))

    def kept(self, key: str, is_good: Check) -> Verdict | None:
        """What was answered before to exactly this; nothing where another hand than the reviewer's wrote it (law 19)."""
        rows = self._journal.ask("select verdict from judged where key = ?", (key,)) if self._there else []
        try:
            row = json.loads(rows[0][0]) if rows else {}
            said, seal = row["said"], row["seal"]
            return _revived(json.loads(said)) if is_good(_sealed(key, said), seal.encode()) else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def entries(self, since: str = "") -> Iterator[Entry]:
        """Every review since an instant, in order."""
        names = ", ".join(Entry._fields)
        query = f"select {names} from spent where at >= ? order by id"  # noqa: S608
        for row in self._journal.ask(query, (since,)) if self._there else ():
            yield Entry(*row)._replace(exact=bool(row[9]), cached=bool(row[11]))

    def answer(self, sha256: str) -> bytes | None:
        """An answer as it came over the wire; None where it is not kept (any more)."""
        rows = self._journal.ask("select body from answer where sha256 = ?", (sha256,)) if self._there else []
        return zlib.decompress(rows[0][0]) if rows else None


def entries_of(journal: Journal | None, since: str) -> list[Entry]:
    """What a journal's reviews took; nothing where there is none."""
    return [*Ledger(journal, write=False).entries(since)] if journal else []


def in_folder(folder: Path, since: str) -> list[Entry]:
    """What the workers of reviewers took whose notebook is in `folder`/twohand."""
    file = folder / "twohand" / NOTEBOOK
    if not file.exists():
        return []
    with Journal(file, writable=False) as journal:
        return entries_of(journal, since)


def _spans(place: Place) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "change", "and change = ?", (place.change,)
    yield "day", "and at >= ?", (place.at[:10],)
    yield "repository", "", ()


def _over(who: Reviewer, span: str, spent: tuple[int, int], more: tuple[int, int]) -> str:
    """Which budget this review would go over, in words; "" where none."""
    tokens, money = getattr(who, f"tokens_per_{span}"), getattr(who, f"money_per_{span}")
    if tokens and spent[0] + more[0] > tokens:
        return f"tokens_per_{span} is {tokens:,}: {spent[0]:,} are spent, and about {more[0]:,} would be needed"
    if money and spent[1] + more[1] > money * MILLION:
        return (
            f"money_per_{span} is {money:g}: {_money(spent[1])} is spent, and about {_money(more[1])} would be needed"
        )
    return ""


def _money(micros: int) -> str:
    return f"{micros / MILLION:.4f}".rstrip("0").rstrip(".")


def _entry(place: Place, verdict: Verdict, *, cached: bool) -> Entry:
    took = (verdict.tokens_in, verdict.tokens_out)
    return Entry(
        place.at, place.change, place.content_key, place.reviewer.name, verdict.reported_model or place.reviewer.model,
        verdict.status.value, verdict.verdict.value, *took, verdict.tokens_exact, place.reviewer.micros(*took), cached,
        len(verdict.findings), 0.0,
    )  # fmt: skip


def _insert(db: Any, entry: Entry) -> int:
    names, marks = ", ".join(Entry._fields), ", ".join("?" * len(Entry._fields))
    return int(db.execute(f"insert into spent ({names}) values ({marks})", tuple(entry)).lastrowid)  # noqa: S608


def _rewrite(db: Any, number: int, entry: Entry) -> None:
    names = ", ".join(f"{name} = ?" for name in Entry._fields)
    db.execute(f"update spent set {names} where id = ?", (*entry, number))  # noqa: S608


def _answer_row(answer: RawAnswer, at: str) -> Sequence[object]:
    body = zlib.compress(answer.body, 6)
    return answer.sha256, answer.request_sha256, at, answer.http_status, answer.seconds, body


def _forget(db: Any) -> None:
    """Let go of the oldest answers while all together are over KEPT."""
    kept = db.execute("select total(length(body)) from answer").fetchone()[0]
    while kept > KEPT:
        oldest, size = db.execute("select rowid, length(body) from answer order by rowid limit 1").fetchone()
        db.execute("delete from answer where rowid = ?", (oldest,))
        kept -= size


def _kept(verdict: Verdict) -> str:
    """A verdict as JSON, its answers by their digests alone: they are kept elsewhere, once."""
    row = plain(verdict._replace(answers=()))
    return canonical({**row, "answers": [answer.sha256 for answer in verdict.answers]}).decode()


def _sealed(key: str, said: str) -> bytes:
    """What is signed: no statement begins like this."""
    return f"twohand kept answer\n{key}\n{said}\n".encode("utf-8", "surrogatepass")


def _revived(row: dict[str, Any]) -> Verdict:
    kinds: dict[str, Any] = {"findings": Finding, "uncovered": Uncovered, "dropped": Dropped}
    lists: dict[str, Any] = {name: tuple(_made(kind, one) for one in row[name]) for name, kind in kinds.items()}
    lists["answers"] = tuple(RawAnswer("", digest, b"", 200, 0.0) for digest in row["answers"])
    words = {"status": Status(row["status"]), "verdict": Word(row["verdict"]), "coverage": Coverage(**row["coverage"])}
    return Verdict(**(row | lists | words))


def _made(kind: Any, row: dict[str, Any]) -> Any:
    return kind(**(row | {"tier": Tier(row["tier"])} if "tier" in row else row))


def total(entries: Iterable[Entry]) -> tuple[int, int, int]:
    """Tokens in, tokens out, and millionths of money."""
    rows = [(one.tokens_in, one.tokens_out, one.micros) for one in entries]
    return sum(row[0] for row in rows), sum(row[1] for row in rows), sum(row[2] for row in rows)

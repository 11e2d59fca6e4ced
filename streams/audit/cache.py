"""What the rules saw in commits that were read before. A commit never changes, so only other rules make it stale."""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

NAME = "history.db"
SCHEMA = "create table if not exists seen (id text primary key, body blob not null) strict, without rowid"
AT_ONCE = 500  # ids of one query


class Cache:
    """One file beside the journal. It may be deleted at any time; one that cannot be used is none."""

    def __init__(self, path: Path | None) -> None:
        self._db = _opened(path) if path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._db is not None:
            self._db.close()

    def known(self, ids: Sequence[str]) -> dict[str, str]:
        """The JSON fields that `keep` was given, of those commits that have them."""
        found: dict[str, str] = {}
        for start in range(0, len(ids), AT_ONCE) if self._db is not None else ():
            found.update(self._some(ids[start : start + AT_ONCE]))
        return found

    def _some(self, ids: Sequence[str]) -> dict[str, str]:
        marks = ",".join("?" * len(ids))
        try:
            assert self._db is not None
            rows = self._db.execute(f"select id, body from seen where id in ({marks})", ids)  # noqa: S608 - question marks
            return {name: zlib.decompress(body).decode("ascii") for name, body in rows}
        except (sqlite3.Error, zlib.error):
            return {}

    def keep(self, rows: Iterable[tuple[str, str]]) -> None:
        """Remember these; one that somebody else locks is left as it is."""
        if self._db is None:
            return
        packed = [(name, zlib.compress(text.encode("ascii"), 1)) for name, text in rows]
        try:
            with self._db:
                self._db.executemany("insert or replace into seen values (?, ?)", packed)
        except sqlite3.Error:
            self._db.close()
            self._db = None


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=1)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = off")
        with db:
            _forget_others(db)
            db.execute(SCHEMA)
    except (OSError, sqlite3.Error):
        return None
    return db


def _forget_others(db: sqlite3.Connection) -> None:
    """What other rules saw goes."""
    now = int(version()[:7], 16)
    if db.execute("pragma user_version").fetchone()[0] != now:
        db.execute("drop table if exists seen")
        db.execute(f"pragma user_version = {now}")


@cache
def version() -> str:
    """A digest of everything that decides what the rules see: their code, their tables and how a diff is read."""
    root = Path(__file__).resolve().parents[2]
    ours = (path for package in ("rules", "reviewers") for path in (root / package).rglob("*"))
    files = [*(path for path in ours if path.suffix in (".py", ".toml")), *Path(__file__).parent.glob("*.py")]
    digest = sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()

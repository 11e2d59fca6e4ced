"""Earlier names of paths: what git's rename and copy detection says of the history before a change, read once and kept.

A database in the journal's directory holds what was read, so that a review reads only the commits that are new.
Everything is bounded, and what was not read is said.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from rules.ancestors import Origin
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.process import STALLED

MOST_COMMITS = 20_000  # of the history that are read
SECONDS = 2.0  # that one review may spend on it
AT_ONCE = 250  # commits
MOST_TIPS = 50  # commits up to which everything is known
MOST_NAMES = 20  # earlier ones of a path
MOST_BIRTHS = 20  # commits that are searched for copies of what they left alone
ALIKE = 75  # percent that a copy has of its source
DIFF = ("diff-tree", "-r", "-z", "--name-status", "--no-ext-diff", "--no-textconv", "--no-rename-empty", "-l400")
TABLES = """
CREATE TABLE IF NOT EXISTS tip (commit_id TEXT PRIMARY KEY, doubt TEXT);
CREATE TABLE IF NOT EXISTS unread (commit_id TEXT);
CREATE TABLE IF NOT EXISTS moved (new BLOB, old BLOB, commit_id TEXT, PRIMARY KEY (new, old)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS born (path BLOB, commit_id TEXT, PRIMARY KEY (path, commit_id)) WITHOUT ROWID;
"""


class Ancestry(NamedTuple):
    """Earlier names by path, nearest first; `doubt` says why some may be missing."""

    origins: dict[bytes, tuple[Origin, ...]]
    doubt: str = ""


class Row(NamedTuple):
    """A line of a diff: the status with its score, and the paths. `old` is b"" for a file that was born."""

    commit: str
    status: str
    score: int
    new: bytes
    old: bytes


def ancestry(repo: Repository, base: str, paths: Iterable[bytes], *, kept: Path, write: bool) -> Ancestry:
    """The earlier names that these paths have in the history of `base`. Never raises: what fails is a doubt."""
    if base == repo.empty_tree:
        return Ancestry({})
    try:
        with closing(_opened(kept, write=write)) as db, db:
            reader = _Reader(repo, db, monotonic() + SECONDS)
            doubt = reader.learn(base)
            found = {path: names for path in paths if (names := reader.names(path))}
            return Ancestry(found, doubt or reader.doubt)
    except (sqlite3.Error, OSError) as error:
        return Ancestry({}, f"{kept} cannot be used ({error}): remove it, and it is made anew")
    except SourceError as error:
        return Ancestry({}, error.message)


def _opened(kept: Path, *, write: bool) -> sqlite3.Connection:
    """The database; a copy of it in memory where nothing may be written."""
    if write:
        kept.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(kept, timeout=SECONDS)
    else:
        db = sqlite3.connect(":memory:")
        if kept.is_file():
            with closing(sqlite3.connect(f"file:{kept}?mode=ro", uri=True, timeout=SECONDS)) as there:
                there.backup(db)
    db.executescript(TABLES)
    return db


class _Reader:
    """One look at the history, until its time is over."""

    def __init__(self, repo: Repository, db: sqlite3.Connection, until: float) -> None:
        self._repo = repo
        self._db = db
        self._until = until
        self._births: set[str] = set()
        self.doubt = ""

    def learn(self, base: str) -> str:
        """Read the commits that lead to `base` and are not known yet; why some of them are not read."""
        known = dict(self._db.execute("SELECT commit_id, doubt FROM tip ORDER BY rowid"))
        doubt = known[base] if base in known else self._list(base, known)
        self._read_on()
        ((left,),) = self._db.execute("SELECT count(*) FROM unread")
        return f"{left} commits are not read yet, each review reads on" if left else str(doubt)

    def _list(self, base: str, known: Mapping[str, str]) -> str:
        """Note what is to be read, newest first; why it is not all."""
        command = ("rev-list", f"--max-count={MOST_COMMITS + 1}", "--ignore-missing", base)
        left = max(self._until - monotonic(), 0.01)
        listed = self._repo.run(*command, *(f"^{tip}" for tip in known), "--", ok=(0, STALLED), seconds=left)
        if listed.code == STALLED:
            return "its commits could not be listed in time"
        ids = listed.out.decode("ascii").split()
        over = f"only its newest {MOST_COMMITS} commits are read" if len(ids) > MOST_COMMITS else ""
        cut = "the history is cut off by a shallow clone" if self._repo.is_shallow else ""
        doubt = over or next(filter(None, known.values()), "") or cut
        self._db.executemany("INSERT INTO unread VALUES (?)", [(commit,) for commit in ids[:MOST_COMMITS]])
        self._db.execute("INSERT INTO tip VALUES (?, ?)", (base, doubt))
        self._db.executemany("DELETE FROM tip WHERE commit_id = ?", [(tip,) for tip in list(known)[:-MOST_TIPS]])
        return doubt

    def _read_on(self) -> None:
        """Read what is not read yet, until the time is over."""
        while found := self._db.execute("SELECT rowid, commit_id FROM unread LIMIT ?", (AT_ONCE,)).fetchall():
            ids = [commit for _, commit in found]
            rows = self._rows("--stdin", "-M", "-C", "--diff-filter=ARC", "--diff-merges=first-parent", fed=ids)
            if rows is None:
                return
            self._keep(rows)
            self._db.execute("DELETE FROM unread WHERE rowid <= ?", (found[-1][0],))

    def _rows(self, *arguments: str, fed: Sequence[str] = ()) -> list[Row] | None:
        """The rows of a diff; None where the time is over."""
        left = self._until - monotonic()
        if left <= 0:
            return None
        stdin = "".join(f"{commit}\n" for commit in fed).encode("ascii")
        done = self._repo.run(*DIFF, *arguments, stdin=stdin, ok=(0, STALLED), seconds=left)
        return None if done.code == STALLED else list(parse(done.out))

    def _keep(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.old and (row.status == "R" or row.score >= ALIKE):
                self._db.execute("INSERT OR IGNORE INTO moved VALUES (?, ?, ?)", (row.new, row.old, row.commit))
            else:
                self._db.execute("INSERT OR IGNORE INTO born VALUES (?, ?)", (row.new, row.commit))

    def names(self, path: bytes) -> tuple[Origin, ...]:
        """Every earlier name of a path, and of its earlier names, nearest first."""
        found: dict[bytes, Origin] = {}
        ahead = [path]
        while ahead and len(found) < MOST_NAMES:
            here = ahead.pop(0)
            self._search_birth(here)
            rows = self._db.execute("SELECT old, commit_id FROM moved WHERE new = ? ORDER BY old", (here,))
            for old, commit in rows.fetchmany(MOST_NAMES):
                if old != path and old not in found:
                    found[old] = Origin(old, commit)
                    ahead.append(old)
        return tuple(found.values())[:MOST_NAMES]

    def _search_birth(self, path: bytes) -> None:
        """Whether a file that was born was a copy of one that its commit left alone: git has to be asked for that."""
        born = self._db.execute("SELECT commit_id FROM born WHERE path = ? LIMIT 3", (path,)).fetchall()
        for (commit,) in born:
            if len(self._births | {commit}) > MOST_BIRTHS:
                self.doubt = f"only {MOST_BIRTHS} commits were searched for copies"
                return
            self._births.add(commit)
            rows = self._rows("-C", "--find-copies-harder", "--diff-filter=RC", f"{commit}^", commit)
            if rows is None:
                self.doubt = "copies could not be searched for in time"
                return
            self._keep(row._replace(commit=commit) for row in rows if row.new == path)
            self._db.execute("DELETE FROM born WHERE path = ? AND commit_id = ?", (path, commit))


def parse(output: bytes) -> Iterator[Row]:
    """The rows of `diff-tree -z --name-status`, with or without the commits before them."""
    tokens = iter(output.split(b"\0")[:-1])
    commit = ""
    for token in tokens:
        status = token[:1].decode("latin1")
        if status in "RC" and token[1:].isdigit():
            old, new = next(tokens), next(tokens)
            yield Row(commit, status, int(token[1:]), new, old)
        elif token == b"A":
            yield Row(commit, status, 0, next(tokens), b"")
        else:
            commit = token.decode("ascii", "replace")

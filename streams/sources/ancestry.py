"""Earlier names of paths: what git's rename and copy detection says of the history before a change, read once and kept.

A database in the journal's directory holds what was read, so that a review reads only the commits that are new.
Everything is bounded, and what was not read is said.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from rules.ancestors import Origin
from rules.kinds import Kind, classify
from streams.sources.errors import SourceError
from streams.sources.git import Repository
from streams.sources.process import STALLED

MOST_COMMITS = 20_000  # of the history that are read
SECONDS = 0.5  # that one review may spend on it
AT_ONCE = 250  # commits
MOST_TIPS = 50  # commits up to which everything is known
MOST_NAMES = 20  # earlier ones of a path
LEAST = 200  # bytes of a file whose equal tells where it came from
ALIKE = 75  # percent that a copy has of its source
DIFF = ("--ignore-missing", "-r", "-z", "--raw", "--no-abbrev", "-M", "-C", "-l400", "--no-rename-empty",
        "--diff-filter=ARC", "--diff-merges=first-parent", "--no-ext-diff", "--no-textconv")  # fmt: skip
TABLES = """
CREATE TABLE IF NOT EXISTS tip (commit_id TEXT PRIMARY KEY, doubt TEXT);
CREATE TABLE IF NOT EXISTS unread (commit_id TEXT, recent INTEGER);
CREATE TABLE IF NOT EXISTS born (commit_id TEXT, path BLOB, blob TEXT);
CREATE TABLE IF NOT EXISTS moved (new BLOB, old BLOB, commit_id TEXT, PRIMARY KEY (new, old)) WITHOUT ROWID;
"""


class Ancestry(NamedTuple):
    """Earlier names by path, nearest first; `doubt` says why some may be missing."""

    origins: dict[bytes, tuple[Origin, ...]]
    doubt: str = ""


class Row(NamedTuple):
    """A line of a diff: the status with its score, the paths, and the blob that came. `old` is b"" for a file that was born."""

    commit: str
    status: str
    score: int
    new: bytes
    old: bytes
    blob: str


def ancestry(repo: Repository, base: str, paths: Iterable[bytes], *, kept: Path, write: bool) -> Ancestry:
    """The earlier names that these paths have in the history of `base`. Never raises: what fails is a doubt."""
    if base == repo.empty_tree:
        return Ancestry({})
    try:
        with closing(_opened(kept, write=write)) as db, db:
            reader = _Reader(repo, db, monotonic() + SECONDS)
            doubt = reader.learn(base)
            return Ancestry({path: names for path in paths if (names := reader.names(path))}, doubt)
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
    db.execute("PRAGMA synchronous = OFF")  # what is lost is read again
    db.executescript(TABLES)
    return db


class _Reader:
    """One look at the history, until its time is over."""

    def __init__(self, repo: Repository, db: sqlite3.Connection, until: float) -> None:
        self._repo = repo
        self._db = db
        self._until = until

    def learn(self, base: str) -> str:
        """Read the commits that lead to `base` and are not known yet; why some of them are not read."""
        known: dict[str, str] = dict(self._db.execute("SELECT commit_id, doubt FROM tip ORDER BY rowid"))
        doubt = known[base] if base in known else self._step(base, known)
        if doubt is None:
            doubt = self._list(base, known)
        self._read_on()
        self._search_births()
        ((left,),) = self._db.execute("SELECT count(*) FROM unread")
        ((births,),) = self._db.execute("SELECT count(DISTINCT commit_id) FROM born")
        if left or births:
            return f"{left + births} commits are not read to the end yet, each review reads on"
        return doubt

    def _step(self, base: str, known: Mapping[str, str]) -> str | None:
        """Read the few commits since what is known with one command; None where it is not so, or the time is over."""
        if not known or any(known.values()):
            return None
        printed = self._printed("log", "--format=%H", *DIFF, base, *(f"^{tip}" for tip in known), "--")
        if printed is None:
            return None
        rows = list(parse(printed))
        self._keep(rows, {row.commit for row in rows})
        return self._reached(base, known, "")

    def _reached(self, base: str, known: Mapping[str, str], doubt: str) -> str:
        self._db.execute("INSERT INTO tip VALUES (?, ?)", (base, doubt))
        self._db.executemany("DELETE FROM tip WHERE commit_id = ?", [(tip,) for tip in list(known)[:-MOST_TIPS]])
        return doubt

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
        rows = [(commit, bool(known) or at < AT_ONCE) for at, commit in enumerate(ids[:MOST_COMMITS])]
        self._db.executemany("INSERT INTO unread VALUES (?, ?)", rows)
        return self._reached(base, known, doubt)

    def _read_on(self) -> None:
        """Read what is not read yet, until the time is over."""
        query = "SELECT rowid, commit_id, recent FROM unread ORDER BY recent DESC, rowid LIMIT ?"
        while found := self._db.execute(query, (AT_ONCE,)).fetchall():
            fed = "".join(f"{commit}\n" for _, commit, _ in found).encode("ascii")
            printed = self._printed("diff-tree", "--stdin", *DIFF, fed=fed)
            if printed is None:
                return
            self._keep(parse(printed), {commit for _, commit, recent in found if recent})
            self._db.executemany("DELETE FROM unread WHERE rowid = ?", [(row,) for row, _, _ in found])

    def _printed(self, *command: str, fed: bytes = b"") -> bytes | None:
        """What git prints; None where the time is over."""
        left = self._until - monotonic()
        if left <= 0:
            return None
        done = self._repo.run(*command, stdin=fed, ok=(0, STALLED), seconds=left)
        return None if done.code == STALLED else done.out

    def _tree(self, commit: str) -> bytes | None:
        """What `ls-tree` prints of the parent of a commit, nothing for a root; None where the time is over."""
        left = self._until - monotonic()
        command = ("ls-tree", "-r", "-z", "--full-tree", f"{commit}^")
        done = self._repo.run(*command, ok=(0, 128, STALLED), seconds=left) if left > 0 else None
        return None if done is None or done.code == STALLED else done.out

    def _keep(self, rows: Iterable[Row], recent: set[str]) -> None:
        moved, born = [], []
        for row in rows:
            if row.old and (row.status == "R" or row.score >= ALIKE):
                moved.append((row.new, row.old, row.commit))
            elif row.commit in recent and classify(row.new) is Kind.PRODUCTION:
                born.append((row.commit, row.new, row.blob))
        self._db.executemany("INSERT OR IGNORE INTO moved VALUES (?, ?, ?)", moved)
        self._db.executemany("INSERT INTO born VALUES (?, ?, ?)", born)

    def _search_births(self) -> None:
        """Files that were born as exact copies of what their commit left alone, which git does not look for."""
        for (commit,) in self._db.execute("SELECT DISTINCT commit_id FROM born").fetchall():
            tree = self._tree(commit)
            if tree is None:
                return
            born = self._db.execute("SELECT blob, path FROM born WHERE commit_id = ?", (commit,)).fetchall()
            sources = _sources(tree, {blob.encode("ascii") for blob, _ in born})
            large = self._large(blob for blob, _ in born if blob in sources)
            moved = [(new, old, commit) for blob, new in born if blob in large for old in sources[blob] if old != new]
            self._db.executemany("INSERT OR IGNORE INTO moved VALUES (?, ?, ?)", moved)
            self._db.execute("DELETE FROM born WHERE commit_id = ?", (commit,))

    def _large(self, blobs: Iterable[str]) -> set[str]:
        """Those that are more than a line or two, which many files may share by chance."""
        asked = list(dict.fromkeys(blobs))
        if not asked:
            return set()
        with self._repo.cat_file() as objects:
            return {info.id for info in objects.sizes(asked) if info.size >= LEAST}

    def names(self, path: bytes) -> tuple[Origin, ...]:
        """Every earlier name of a path, and of its earlier names, nearest first."""
        found: dict[bytes, Origin] = {}
        ahead = [path]
        while ahead and len(found) < MOST_NAMES:
            here = ahead.pop(0)
            rows = self._db.execute("SELECT old, commit_id FROM moved WHERE new = ? ORDER BY old", (here,))
            for old, commit in rows.fetchmany(MOST_NAMES):
                if old != path and old not in found:
                    found[old] = Origin(old, commit)
                    ahead.append(old)
        return tuple(found.values())[:MOST_NAMES]


def _sources(tree: bytes, blobs: set[bytes]) -> dict[str, list[bytes]]:
    """The paths of these blobs in what `ls-tree -z` printed."""
    found: dict[str, list[bytes]] = {}
    for entry in tree.split(b"\0")[:-1]:
        meta, _, path = entry.partition(b"\t")
        blob = meta.rpartition(b" ")[2]
        if blob in blobs:
            found.setdefault(blob.decode("ascii"), []).append(path)
    return found


def parse(output: bytes) -> Iterator[Row]:
    """The rows of `diff-tree --stdin -z --raw`, or of `log -z --raw --format=%H`."""
    tokens = iter(output.split(b"\0")[:-1])
    commit = ""
    for token in (token.lstrip(b"\n") for token in tokens):
        if not token.startswith(b":"):
            commit = token.decode("ascii", "replace")
            continue
        _, _, _, blob, status = token.decode("ascii").split(" ")
        old = next(tokens) if status[0] in "RC" else b""
        yield Row(commit, status[0], int(status[1:] or 0), next(tokens), old, blob)

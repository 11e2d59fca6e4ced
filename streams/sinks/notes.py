"""Git notes `refs/notes/twohand`: the decision of a landed change, beside its commit, for other tools."""

from collections.abc import Mapping
from typing import Any

from rules import instants, noted
from streams import clock
from streams.sources.errors import RefMoved, UnknownRevision
from streams.sources.git import Repository

REF = noted.REF
LIMIT = 1 << 20  # bytes of a note that is compared
TRIES = 20  # when others write at the same moment
WHO = "twohand <twohand@localhost>"


def write(repo: Repository, commit: str, record: Mapping[str, Any]) -> None:
    """Puts one note beside a commit, in place of one that is there. Errors: UnknownRevision, RefMoved.

    `record` is what `rules.noted.of_decision` makes of a decision.
    """
    write_all(repo, {commit: record})


def write_all(repo: Repository, records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Puts notes beside commits, all at once, and returns which were not there so. No other notes are touched.

    Errors: UnknownRevision, RefMoved.
    """
    wanted = {commit: noted.written(record) for commit, record in records.items()}
    _must_be_commits(repo, wanted)
    for _ in range(TRIES):
        new = _missing(repo, wanted)
        if not new or _added(repo, new):
            return list(new)
    raise RefMoved(f"{REF} was not written: others write it all the time.", remedy="Try again.")


def blobs(repo: Repository, ref: str = REF) -> dict[str, str]:
    """Commit -> blob of its note; empty where there is no such ref, or where it holds no notes."""
    if not repo.exists(ref):
        return {}
    done = repo.run("ls-tree", "-r", "-z", ref, ok=(0, 128))
    entries = (row.partition(b"\t") for row in done.out.split(b"\0") if row)
    found = ((path.decode("utf-8", "replace").replace("/", ""), meta.split()) for meta, _, path in entries)
    return {name: blob.decode("ascii") for name, (_, kind, blob) in found if kind == b"blob" and repo.is_id(name)}


def _must_be_commits(repo: Repository, wanted: Mapping[str, bytes]) -> None:
    asked = "".join(f"{commit}\n" for commit in wanted).encode()
    for commit, line in zip(wanted, repo.run("cat-file", "--batch-check", stdin=asked).out.splitlines(), strict=True):
        if not repo.is_id(commit) or b" commit " not in line:
            raise UnknownRevision(f"{commit} is no commit here.", remedy="Notes stand beside commits: give a full id.")


def _missing(repo: Repository, wanted: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those that do not stand there already, byte for byte."""
    known = {commit: blob for commit, blob in blobs(repo).items() if commit in wanted}
    with repo.cat_file() as objects:
        data = {item.id: item.data for item in objects.read(sorted(set(known.values())), LIMIT)}
    return {commit: text for commit, text in wanted.items() if data.get(known.get(commit, "")) != text}


def _added(repo: Repository, new: Mapping[str, bytes]) -> bool:
    """One commit on the ref as it stands; False where it has moved meanwhile: git takes no other than its descendant."""
    tip = repo.run("rev-parse", "--verify", "--quiet", f"{REF}^0", ok=(0, 1)).out.decode("ascii").strip()
    lines = [f"commit {REF}\ncommitter {WHO} {instants.seconds_of(clock.now())} +0000\n".encode()]
    lines += [b"data 8\nDecision\n" if len(new) == 1 else b"data 9\nDecisions\n"]
    lines += [f"from {tip}\n".encode()] if tip else []
    lines += [b"N inline %s\ndata %d\n%s\n" % (commit.encode(), len(text), text) for commit, text in new.items()]
    done = repo.run("fast-import", "--quiet", "--done", stdin=b"".join([*lines, b"done\n"]), ok=(0, 1, 128))
    return done.code == 0
